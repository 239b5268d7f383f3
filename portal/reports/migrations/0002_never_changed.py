from django.db import migrations

FORWARDS = """
CREATE FUNCTION reports_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a report is kept as it was handed in: make a new one' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER reports_refuse_change BEFORE UPDATE OR DELETE ON reports_report
    FOR EACH ROW EXECUTE FUNCTION reports_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER reports_refuse_change ON reports_report;
DROP FUNCTION reports_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
