from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0004_events_there_are"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "published"), _negated=True),
                    models.Q(("are_speakers_public", False), ("is_place_public", False)),
                    ("risk_approved_at__isnull", False),
                    _connector="OR",
                ),
                name="place_or_speakers_are_public_after_a_risk_assessment",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "review"), _negated=True), ("asked_by__isnull", False), _connector="OR"
                ),
                name="somebody_asked_for_the_review",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(("approved_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="event_is_approved_by_somebody_else",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("largest_party__gte", 1)), name="party_is_one_or_more"
            ),
        ),
    ]
