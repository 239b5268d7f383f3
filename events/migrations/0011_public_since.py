"""As it was told until now: since the time was last set."""

from django.db import migrations

FORWARD = "UPDATE events_event SET public_since = time_set_at WHERE status IN ('published', 'canceled')"


class Migration(migrations.Migration):
    dependencies = [("events", "0010_event_public_since")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
