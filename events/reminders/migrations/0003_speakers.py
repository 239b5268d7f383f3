from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0002_the_default_ones"),
    ]

    operations = [
        migrations.AlterField(
            model_name="rule",
            name="audience",
            field=models.CharField(
                choices=[
                    ("registered", "Who has a seat"),
                    ("waiting", "Who is on the waiting list"),
                    ("speakers", "Speakers who have an address"),
                    ("staff", "Colleagues who hold it"),
                ],
                max_length=10,
                verbose_name="whom",
            ),
        ),
    ]
