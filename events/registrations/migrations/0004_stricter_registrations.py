import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registrations", "0003_registrations_there_are"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="registration",
            name="person_has_one_seat_per_event",
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.UniqueConstraint(
                models.F("event"),
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(
                    models.Q(("state", "canceled"), _negated=True), models.Q(("email", ""), _negated=True)
                ),
                name="person_registers_once_per_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.UniqueConstraint(fields=("uid",), name="calendar_entry_is_one_persons"),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.CheckConstraint(condition=models.Q(("party_size__gte", 1)), name="party_has_somebody"),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("offered_until__isnull", False), ("state", "offered")),
                    models.Q(models.Q(("state", "offered"), _negated=True), ("offered_until__isnull", True)),
                    _connector="OR",
                ),
                name="offer_stands_until_some_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("canceled_at__isnull", False), ("state", "canceled")),
                    models.Q(models.Q(("state", "canceled"), _negated=True), ("canceled_at__isnull", True)),
                    _connector="OR",
                ),
                name="registration_is_canceled_at_some_time",
            ),
        ),
    ]
