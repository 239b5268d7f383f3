from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rumors", "0002_say_what_it_is"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AlterModelOptions(
            name="rumor",
            options={"ordering": ["-id"], "verbose_name": "rumor"},
        ),
        migrations.AddField(
            model_name="rumor",
            name="form_id",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="rumor",
            constraint=models.UniqueConstraint(fields=("logged_by", "form_id"), name="form_logs_one_rumor"),
        ),
        migrations.AddField(
            model_name="sighting",
            name="form_id",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="sighting",
            constraint=models.UniqueConstraint(fields=("logged_by", "form_id"), name="form_logs_one_sighting"),
        ),
        migrations.AddConstraint(
            model_name="rumor",
            constraint=models.CheckConstraint(
                condition=models.Q(sensitivity__in=["public", "internal", "secret"]),
                name="who_may_read_a_rumor_is_known",
            ),
        ),
    ]
