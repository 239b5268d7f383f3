from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built beside what people write meanwhile, and so not in one transaction.
    atomic = False

    dependencies = [("rumors", "0005_screenshot")]

    operations = [
        AddIndexConcurrently(model_name="sighting", index=models.Index(fields=["seen_on"], name="sighting_by_day")),
        AddIndexConcurrently(model_name="sighting", index=models.Index(fields=["logged_at"], name="sighting_by_time")),
    ]
