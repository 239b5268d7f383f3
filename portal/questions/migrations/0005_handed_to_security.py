from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("questions", "0004_answers_with_a_code"),
    ]

    operations = [
        migrations.AddField(
            model_name="question",
            name="is_secret",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="handed to the security role"
            ),
        ),
    ]
