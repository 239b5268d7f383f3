from django.db import migrations, models


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
    ]
