from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0009_public_events_after_a_risk_assessment"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="public_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="speakers_told_join",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
