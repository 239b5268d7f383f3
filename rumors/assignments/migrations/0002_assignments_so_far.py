from django.db import migrations


def write_down(apps, _schema_editor):
    """Who takes care of a rumor already does so in a row, too; who gave it to them is not known."""
    Assignment = apps.get_model("rumor_assignments", "Assignment")
    Rumor = apps.get_model("rumors", "Rumor")
    for rumor in Rumor.objects.filter(assignee__isnull=False, assignments__isnull=True).iterator():
        Assignment.objects.create(rumor=rumor, to_id=rumor.assignee_id, made_by_id=rumor.assignee_id)


class Migration(migrations.Migration):
    dependencies = [("rumor_assignments", "0001_assignments")]

    operations = [migrations.RunPython(write_down, migrations.RunPython.noop)]
