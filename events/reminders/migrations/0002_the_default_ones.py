"""A day and an hour before, as it was when reminders stood in the code; those that were planned then are taken back."""

from datetime import time

from django.db import migrations
from django.utils import timezone


def forward(apps, schema_editor):
    Rule = apps.get_model("reminders", "Rule")
    # Not once more when it was taken back: nobody is reminded twice.
    if not Rule.objects.filter(event=None, series=None).exists():
        Rule.objects.create(audience="registered", anchor="start", days=1)
        Rule.objects.create(audience="registered", anchor="start", minutes=60)
        Rule.objects.create(audience="staff", anchor="start", days=1, at=time(8))
    apps.get_model("mail", "Delivery").objects.filter(
        kind="event_reminder", key__startswith="event_reminder:", state__in=["planned", "retry"]
    ).update(state="canceled", ended_at=timezone.now(), retry_at=None, payload={})


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0001_initial"),
        ("mail", "0003_queued_and_paused"),
    ]

    operations = [
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
