"""The tables stay where they are: other apps hold them from here on."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0005_stricter_events"),
        ("programs", "0001_initial"),
        ("registrations", "0004_stricter_registrations"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(name="ProgramItem"),
                migrations.DeleteModel(name="Speaker"),
                migrations.DeleteModel(name="Registration"),
            ],
        ),
    ]
