from django.db import migrations, models

# Before, only what had ended was without an address: nobody knows what became of these.
ENDED = """
UPDATE mail_delivery SET state = 'uncertain', ended_at = now(), lease_until = NULL WHERE state = 'sending' AND recipient = ''
"""


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0007_pause_has_a_name"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_has_a_recipient_until_it_has_ended",
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", False),
                    ("state", "sending"),
                    models.Q(("recipient", ""), _negated=True),
                    _connector="OR",
                ),
                name="delivery_has_a_recipient_until_it_has_left",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, ENDED),
    ]
