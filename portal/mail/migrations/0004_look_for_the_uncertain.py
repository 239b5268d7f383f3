from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0003_queued_and_paused"),
    ]

    operations = [
        migrations.RemoveConstraint("delivery", "ended_delivery_keeps_no_payload"),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["ended_at"], condition=Q(("state", "uncertain")), name="delivery_uncertain"),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=Q(("ended_at__isnull", True), ("state", "uncertain"), ("payload", {}), _connector="OR"),
                name="settled_delivery_keeps_no_payload",
            ),
        ),
    ]
