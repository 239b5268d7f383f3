import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

VIEW = """
CREATE VIEW revisions_standing AS
SELECT concat_ws(':', text.content_type_id, text.object_id, text.language) AS key,
       text.content_type_id,
       text.object_id,
       text.language,
       edition.published_at,
       coalesce(provenance.is_outdated, edition.held_by_id IS NOT NULL) AS is_outdated,
       edition.held_by_id IS NOT NULL AS is_held,
       edition.withdrawn_at,
       published.based_on_id AS base_id,
       newest.id AS newest_id,
       newest.state,
       assignment.translator_id,
       assignment.due_on
FROM (
    SELECT content_type_id, object_id, language, max(id) AS newest_id
    FROM revisions_revision GROUP BY content_type_id, object_id, language
    UNION ALL
    SELECT content_type_id, object_id, language, NULL
    FROM revisions_assignment AS asked
    WHERE done_at IS NULL AND NOT EXISTS (
        SELECT FROM revisions_revision AS written
        WHERE written.content_type_id = asked.content_type_id AND written.object_id = asked.object_id
            AND written.language = asked.language
    )
) AS text
LEFT JOIN revisions_revision AS newest ON newest.id = text.newest_id
LEFT JOIN revisions_edition AS edition
    ON edition.content_type_id = text.content_type_id AND edition.object_id = text.object_id
        AND edition.language = text.language
LEFT JOIN revisions_provenance AS provenance ON provenance.edition_id = edition.id
LEFT JOIN revisions_revision AS published ON published.id = edition.revision_id
LEFT JOIN revisions_assignment AS assignment
    ON assignment.content_type_id = text.content_type_id AND assignment.object_id = text.object_id
        AND assignment.language = text.language AND assignment.done_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("revisions", "0006_what_readers_get"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RunSQL(VIEW, "DROP VIEW revisions_standing"),
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("key", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("object_id", models.BigIntegerField()),
                ("language", models.CharField(max_length=10)),
                ("published_at", models.DateTimeField(null=True)),
                ("is_outdated", models.BooleanField()),
                ("is_held", models.BooleanField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Waiting for approval"),
                            ("approved", "Approved"),
                            ("rejected", "Sent back"),
                            ("published", "Published"),
                        ],
                        max_length=10,
                        null=True,
                    ),
                ),
                ("due_on", models.DateField(null=True)),
                (
                    "base",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="revisions.revision",
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="contenttypes.contenttype"
                    ),
                ),
                (
                    "newest",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="revisions.revision",
                    ),
                ),
                (
                    "translator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"db_table": "revisions_standing", "managed": False},
        ),
    ]
