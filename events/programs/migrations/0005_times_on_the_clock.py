from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0004_stricter_programs"),
    ]

    operations = [
        migrations.RemoveField(model_name="programitem", name="starts_at"),
        migrations.RemoveField(model_name="programitem", name="ends_at"),
    ]
