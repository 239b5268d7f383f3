"""Three days before answers are due, in the morning: who is invited and has not answered."""

from datetime import time

from django.db import migrations


def forward(apps, schema_editor):
    rules = apps.get_model("reminders", "Rule").objects.filter(event=None, series=None, audience="invited")
    # Not once more when it was taken back: nobody is reminded twice.
    if not rules.exists():
        rules.create(audience="invited", anchor="answers", days=3, at=time(9))


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0004_who_is_invited"),
    ]

    operations = [
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
