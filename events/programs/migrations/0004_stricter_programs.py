import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.constraints
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0003_programs_there_are"),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.AlterModelOptions(
            name="programitem",
            options={"ordering": ["day", "starts", "pk"]},
        ),
        migrations.RemoveConstraint(
            model_name="programitem",
            name="program_item_ends_after_it_starts",
        ),
        migrations.AlterField(
            model_name="programitem",
            name="day",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="day of the event"),
        ),
        migrations.AlterField(
            model_name="programitem",
            name="starts",
            field=models.TimeField(verbose_name="starts"),
        ),
        migrations.AlterField(
            model_name="programitem",
            name="ends",
            field=models.TimeField(verbose_name="ends"),
        ),
        migrations.AddConstraint(
            model_name="programitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("starts"))), name="program_line_ends_after_it_starts"
            ),
        ),
        migrations.AddConstraint(
            model_name="programitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("day__range", (1, 30))), name="program_line_is_of_one_of_thirty_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="programitem",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                deferrable=django.db.models.constraints.Deferrable["IMMEDIATE"],
                expressions=[
                    ("event", "="),
                    ("day", "="),
                    (
                        models.Func(
                            models.F("starts"),
                            models.F("ends"),
                            arg_joiner=", DATE '2000-01-01' + ",
                            template="tsrange(DATE '2000-01-01' + %(expressions)s)",
                        ),
                        "&&",
                    ),
                ],
                name="program_lines_of_a_day_do_not_overlap",
            ),
        ),
    ]
