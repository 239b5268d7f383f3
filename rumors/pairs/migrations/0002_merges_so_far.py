from django.db import migrations

# Those from before the table: who merged them is not known, so whoever logged them stands for it.
_MERGES_SO_FAR = """
INSERT INTO pairs_merge (rumor_id, into_id, status_before, ended_before, merged_at, merged_by_id)
SELECT rumor.id, rumor.same_as_id, 'new', NULL, rumor.ended_at, rumor.logged_by_id
FROM rumors_rumor AS rumor
WHERE rumor.status = 'duplicate'
"""


class Migration(migrations.Migration):
    dependencies = [("pairs", "0001_initial")]
    operations = [migrations.RunSQL(_MERGES_SO_FAR, migrations.RunSQL.noop)]
