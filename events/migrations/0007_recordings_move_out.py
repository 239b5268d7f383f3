"""`recordings` has them since its second migration."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0006_nouns_move_out"),
        ("recordings", "0002_recordings_there_are"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="recording_has_a_link_as_long_as_it_has_a_last_day",
        ),
        migrations.RemoveField(model_name="event", name="recording_url"),
        migrations.RemoveField(model_name="event", name="recording_until"),
    ]
