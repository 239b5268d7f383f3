from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0004_look_for_the_uncertain"),
    ]

    operations = [
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("unsubscribed", "Unsubscribed from what is optional"),
                    ("unknown", "The address does not exist"),
                    ("refused", "Its server has refused several messages in a row"),
                ],
                max_length=12,
            ),
        ),
    ]
