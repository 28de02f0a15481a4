from django.db import migrations


def roles_of_old(apps, schema_editor):
    """What accounts were before there were roles: administrators by a mark, contributors else."""
    memberships = apps.get_model("accounts", "Membership").objects
    for user in apps.get_model("accounts", "User").objects.all():
        memberships.create(user=user, role="administrator" if user.is_superuser else "contributor")


class Migration(migrations.Migration):
    # Apart from the tables: PostgreSQL does not change a table that rows were just written to.
    dependencies = [("accounts", "0003_roles")]

    operations = [migrations.RunPython(roles_of_old, migrations.RunPython.noop)]
