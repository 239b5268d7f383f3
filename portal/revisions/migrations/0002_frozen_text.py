from django.db import migrations

FORWARDS = """
CREATE FUNCTION revision_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ROW(NEW.content_type_id, NEW.object_id, NEW.language, NEW.fields, NEW.digest, NEW.author_id, NEW.created_at,
           NEW.significance, NEW.change_note, NEW.based_on_id, NEW.pivot, NEW.method, NEW.is_example)
       IS DISTINCT FROM
       ROW(OLD.content_type_id, OLD.object_id, OLD.language, OLD.fields, OLD.digest, OLD.author_id, OLD.created_at,
           OLD.significance, OLD.change_note, OLD.based_on_id, OLD.pivot, OLD.method, OLD.is_example)
    THEN
        RAISE EXCEPTION 'a revision is never rewritten: write a new one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revision_refuse_rewriting BEFORE UPDATE ON revisions_revision
    FOR EACH ROW EXECUTE FUNCTION revision_refuse_rewriting();
"""
BACKWARDS = """
DROP TRIGGER revision_refuse_rewriting ON revisions_revision;
DROP FUNCTION revision_refuse_rewriting();
"""


class Migration(migrations.Migration):
    dependencies = [("revisions", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
