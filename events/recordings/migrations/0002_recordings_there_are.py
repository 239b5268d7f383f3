"""Recordings move out of the event. What readers were led to stays so, and says that nobody had to caption it."""

from django.db import migrations

FORWARD = """
    INSERT INTO recordings_recording
            (event_id, url, until, captions, no_captions_reason, added_at, added_by_id, shown_at)
        SELECT id, recording_url, recording_until, '{}', 'Lades in innan portalen frågade efter textning.', created_at,
            created_by_id, created_at
        FROM events_event WHERE recording_url > '' AND recording_until IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("recordings", "0001_initial"),
        ("events", "0006_nouns_move_out"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
