from django.db import migrations, models

TOLD = """
UPDATE events_event SET speakers_told_join = join_version WHERE join_url > '' AND id IN (
    SELECT sent.event_id FROM reminders_dispatch sent JOIN reminders_rule rule ON rule.id = sent.rule_id
    WHERE rule.audience = 'speakers'
)
"""


# Before, a reminder was sent once at a moment, however it was set anew.
ONCE = """
DELETE FROM reminders_dispatch older USING reminders_dispatch newer
WHERE older.rule_id = newer.rule_id AND older.event_id = newer.event_id AND older.anchor_at = newer.anchor_at
AND older.rule_version < newer.rule_version
"""


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0010_event_public_since"),
        ("reminders", "0005_who_has_not_answered"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="dispatch",
            name="reminder_is_planned_once_a_moment",
        ),
        migrations.AddField(
            model_name="dispatch",
            name="rule_version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="rule",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.UniqueConstraint(
                fields=("rule", "rule_version", "event", "anchor_at"), name="reminder_as_set_is_planned_once_a_moment"
            ),
        ),
        migrations.RunSQL(TOLD, ONCE),
    ]
