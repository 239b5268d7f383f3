from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0008_what_canceled_events_tell"),
        ("facts", "0006_rendering"),
        ("series", "0002_circle"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="place_or_speakers_are_public_after_a_risk_assessment",
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("published", "canceled")), _negated=True),
                    models.Q(("are_speakers_public", False), ("is_place_public", False)),
                    ("risk_approved_at__isnull", False),
                    _connector="OR",
                ),
                name="public_event_names_place_or_speakers_after_a_risk_assessment",
            ),
        ),
    ]
