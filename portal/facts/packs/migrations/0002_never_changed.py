from django.db import migrations

FORWARDS = """
CREATE FUNCTION packs_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a pack is cited and never changed: make a new one' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER packs_refuse_change BEFORE UPDATE OR DELETE ON packs_pack
    FOR EACH ROW EXECUTE FUNCTION packs_refuse_change();
CREATE TRIGGER packs_refuse_change BEFORE UPDATE OR DELETE ON packs_packitem
    FOR EACH ROW EXECUTE FUNCTION packs_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER packs_refuse_change ON packs_packitem;
DROP TRIGGER packs_refuse_change ON packs_pack;
DROP FUNCTION packs_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("packs", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
