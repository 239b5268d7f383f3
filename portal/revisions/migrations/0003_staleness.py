import django.db.models.deletion
from django.db import migrations, models

FORWARDS = """
CREATE VIEW revisions_staleness AS
SELECT edition.id AS edition_id,
       change.id IS NOT NULL AND swedish.digest IS NOT NULL AND swedish.digest <> base.digest AS is_outdated,
       change.decided_at AS changed_at,
       coalesce(change.change_note, '') AS change_note
FROM revisions_edition AS edition
LEFT JOIN revisions_revision AS published ON published.id = edition.revision_id
LEFT JOIN revisions_revision AS base ON base.id = published.based_on_id
LEFT JOIN revisions_edition AS source
    ON source.content_type_id = edition.content_type_id AND source.object_id = edition.object_id AND source.language = 'sv'
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
    dependencies = [("revisions", "0002_frozen_text")]
    operations = [
        migrations.RunSQL(FORWARDS, "DROP VIEW revisions_staleness"),
        migrations.CreateModel(
            name="Staleness",
            fields=[
                (
                    "edition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="staleness",
                        serialize=False,
                        to="revisions.edition",
                    ),
                ),
                ("is_outdated", models.BooleanField()),
                ("changed_at", models.DateTimeField(null=True)),
                ("change_note", models.CharField(max_length=300)),
            ],
            options={"db_table": "revisions_staleness", "managed": False},
        ),
    ]
