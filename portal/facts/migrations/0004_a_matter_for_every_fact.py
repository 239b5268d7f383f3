from django.db import migrations

FILL = """
INSERT INTO facts_matter (id, reviewed_on, review_due, owner_id)
    SELECT id, reviewed_on, review_due, created_by_id FROM facts_fact;
SELECT setval(pg_get_serial_sequence('facts_matter', 'id'), coalesce(max(id), 0) + 1, false) FROM facts_matter;
UPDATE facts_fact SET matter_id = id;
UPDATE facts_source SET matter_id = fact_id;
"""
# Facts that came after, and what was changed, go back into the columns that were there before.
EMPTY = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE facts_fact SET reviewed_on = matter.reviewed_on, review_due = matter.review_due
    FROM facts_matter AS matter WHERE matter.id = facts_fact.matter_id;
DELETE FROM facts_source
    WHERE fact_id IS NULL AND NOT EXISTS (SELECT FROM facts_fact WHERE matter_id = facts_source.matter_id);
UPDATE facts_source SET fact_id = (SELECT min(id) FROM facts_fact WHERE matter_id = facts_source.matter_id);
UPDATE facts_fact SET matter_id = NULL;
UPDATE facts_source SET matter_id = NULL;
DELETE FROM facts_matter;
ALTER TABLE facts_fact ALTER COLUMN reviewed_on SET NOT NULL;
ALTER TABLE facts_fact ALTER COLUMN review_due SET NOT NULL;
ALTER TABLE facts_source ALTER COLUMN fact_id SET NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("facts", "0003_matters")]
    operations = [migrations.RunSQL(FILL, EMPTY)]
