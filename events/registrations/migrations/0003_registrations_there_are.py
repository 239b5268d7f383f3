"""Who had a seat has it, and knows when it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("registrations", "0002_waiting_list_needs_and_reveals"),
        ("events", "0004_events_there_are"),
    ]

    operations = [
        migrations.RunSQL(
            """
            UPDATE events_registration SET state = 'canceled' WHERE canceled_at IS NOT NULL;
            UPDATE events_registration SET queued_at = registered_at;
            UPDATE events_registration r SET told_sequence = e.sequence FROM events_event e WHERE e.id = r.event_id;
            """,
            migrations.RunSQL.noop,
        ),
    ]
