import django.db.models.deletion
from django.db import migrations, models

VIEW = """
CREATE VIEW revisions_provenance AS
SELECT edition.id AS edition_id,
       edition.content_type_id,
       edition.object_id,
       edition.language,
       edition.published_at,
       published.method,
       published.is_example,
       published.decided_by_id IS NOT NULL AS is_approved,
       change.id IS NOT NULL AND swedish.digest IS NOT NULL AND swedish.digest <> base.digest AS is_outdated,
       change.decided_at AS changed_at,
       coalesce(change.change_note, '') AS change_note
FROM revisions_edition AS edition
JOIN revisions_revision AS published ON published.id = edition.revision_id
LEFT JOIN revisions_revision AS base ON base.id = published.based_on_id
LEFT JOIN revisions_edition AS source
    ON source.content_type_id = edition.content_type_id AND source.object_id = edition.object_id
        AND source.language = 'sv'
LEFT JOIN revisions_revision AS swedish ON swedish.id = source.revision_id
LEFT JOIN LATERAL (
    SELECT later.id, later.decided_at, later.change_note
    FROM revisions_revision AS later
    WHERE later.content_type_id = edition.content_type_id AND later.object_id = edition.object_id
        AND later.language = 'sv' AND later.state = 'published' AND later.significance IN ('content', 'major')
        AND later.id > base.id
    ORDER BY later.id DESC
    LIMIT 1
) AS change ON true;
"""


class Migration(migrations.Migration):
    """The old view stays for the processes that still read it while this runs; a later release drops it."""

    dependencies = [("contenttypes", "0002_remove_content_type_name"), ("revisions", "0003_staleness")]
    operations = [
        migrations.RunSQL(VIEW, "DROP VIEW revisions_provenance"),
        migrations.DeleteModel(name="Staleness"),
        migrations.CreateModel(
            name="Provenance",
            fields=[
                (
                    "edition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="revisions.edition",
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="contenttypes.contenttype"
                    ),
                ),
                ("object_id", models.BigIntegerField()),
                ("language", models.CharField(max_length=10)),
                ("published_at", models.DateTimeField()),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("human", "Written or translated by a person"),
                            ("machine", "Translated by a machine"),
                            ("machine_edited", "Translated by a machine, corrected by a person"),
                        ],
                        max_length=15,
                    ),
                ),
                ("is_example", models.BooleanField()),
                ("is_approved", models.BooleanField()),
                ("is_outdated", models.BooleanField()),
                ("changed_at", models.DateTimeField(null=True)),
                ("change_note", models.CharField(max_length=300)),
            ],
            options={"db_table": "revisions_provenance", "managed": False},
        ),
    ]
