"""What was published stays so, is told where it is and who speaks as before, and says that nobody had to assess it."""

from django.db import migrations

FORWARD = """
    INSERT INTO events_appointment (event_id, sequence, starts_at, ends_at, place, is_online, is_canceled, at)
        SELECT id, sequence, starts_at, ends_at, place, is_online, false, now() FROM events_event;
    INSERT INTO events_riskassessment (event_id, risks, measures, responsible, filled_at, approved_at)
        SELECT id, 'Evenemanget publicerades innan portalen krävde en riskbedömning.', '–', '', created_at, created_at FROM events_event WHERE title_sv > '';
    UPDATE events_event SET status = 'published', is_place_public = true, are_speakers_public = true,
        risk_approved_at = created_at WHERE title_sv > '';
    UPDATE events_event SET time_set_at = created_at;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0003_status_risks_and_appointments"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
