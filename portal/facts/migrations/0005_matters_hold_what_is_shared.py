import django.db.models.deletion
from django.db import migrations, models

LOOSEN = """
ALTER TABLE facts_fact ALTER COLUMN reviewed_on DROP NOT NULL;
ALTER TABLE facts_fact ALTER COLUMN review_due DROP NOT NULL;
ALTER TABLE facts_source ALTER COLUMN fact_id DROP NOT NULL;
"""


class Migration(migrations.Migration):
    """The old columns stay for the processes that still read them while this runs; a later release drops them."""

    dependencies = [("facts", "0004_a_matter_for_every_fact")]
    operations = [
        migrations.AlterField(
            model_name="fact",
            name="matter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="facts", to="facts.matter"
            ),
        ),
        migrations.AlterField(
            model_name="source",
            name="matter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="sources", to="facts.matter"
            ),
        ),
        migrations.AddConstraint(
            model_name="fact",
            constraint=models.UniqueConstraint(fields=["matter", "audience"], name="one_fact_per_matter_and_audience"),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(LOOSEN, migrations.RunSQL.noop)],
            state_operations=[
                migrations.RemoveConstraint(model_name="fact", name="fact_is_due_for_review_after_it_was_reviewed"),
                migrations.RemoveField(model_name="fact", name="reviewed_on"),
                migrations.RemoveField(model_name="fact", name="review_due"),
                migrations.RemoveField(model_name="source", name="fact"),
            ],
        ),
    ]
