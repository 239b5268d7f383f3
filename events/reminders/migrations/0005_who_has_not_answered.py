"""Three days before answers are due, in the morning: who is invited and has not answered."""

from datetime import time

from django.db import migrations


def forward(apps, schema_editor):
    apps.get_model("reminders", "Rule").objects.create(audience="invited", anchor="answers", days=3, at=time(9))


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0004_who_is_invited"),
    ]

    operations = [
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
