"""What is canceled is still read: until it was asked for, it could be made public without a risk assessment."""

from django.db import migrations

FORWARD = """
UPDATE events_event SET is_place_public = false, are_speakers_public = false
WHERE status = 'canceled' AND risk_approved_at IS NULL AND (is_place_public OR are_speakers_public)
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0007_recordings_move_out")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
