from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0005_refused_in_a_row"),
    ]

    operations = [
        migrations.AlterModelOptions("delivery", {"verbose_name": "mail", "verbose_name_plural": "deliveries"}),
        migrations.AddField("delivery", "left_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=Q(("left_at__isnull", True), ("state", "uncertain"), _connector="OR"),
                name="only_an_uncertain_delivery_is_left_as_it_is",
            ),
        ),
    ]
