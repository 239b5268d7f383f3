import django.db.models.deletion
from django.db import migrations, models

PROVENANCE = """
CREATE OR REPLACE VIEW revisions_provenance AS
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
       coalesce(change.change_note, '') AS change_note{more}
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
) AS change ON true{where};
"""
# A text that is held back is not what readers get.
NOW = PROVENANCE.format(more=",\n       edition.revision_id", where="\nWHERE edition.held_by_id IS NULL")
BEFORE = "DROP VIEW revisions_provenance;" + PROVENANCE.format(more="", where="")

TRIGGER = """
CREATE OR REPLACE FUNCTION revision_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ROW(NEW.content_type_id, NEW.object_id, NEW.language, NEW.fields, NEW.digest, NEW.author_id, NEW.created_at,
           NEW.significance, NEW.change_note, NEW.based_on_id, NEW.pivot, NEW.method, NEW.is_example{more_new})
       IS DISTINCT FROM
       ROW(OLD.content_type_id, OLD.object_id, OLD.language, OLD.fields, OLD.digest, OLD.author_id, OLD.created_at,
           OLD.significance, OLD.change_note, OLD.based_on_id, OLD.pivot, OLD.method, OLD.is_example{more_old})
       {also}
    THEN
        RAISE EXCEPTION 'a revision is never rewritten: write a new one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
# What the checks found, and why it was sent in spite of that, stands from then on.
FREEZE = TRIGGER.format(
    more_new=", NEW.is_dangerous_if_old",
    more_old=", OLD.is_dangerous_if_old",
    also="OR (OLD.state <> 'draft' AND ROW(NEW.findings, NEW.override_reason)"
    " IS DISTINCT FROM ROW(OLD.findings, OLD.override_reason))",
)
THAW = TRIGGER.format(more_new="", more_old="", also="")


class Migration(migrations.Migration):
    dependencies = [("revisions", "0005_workflow")]
    operations = [
        migrations.RunSQL(NOW, BEFORE),
        migrations.RunSQL(FREEZE, THAW),
        migrations.DeleteModel(name="Provenance"),
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
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="revisions.revision"
                    ),
                ),
            ],
            options={"db_table": "revisions_provenance", "managed": False},
        ),
    ]
