from django.db import migrations


def scopes_of_old(apps, schema_editor):
    """What tokens might before their writing had a scope of its own: write where they read, and publish."""
    tokens = apps.get_model("accounts", "Token").objects
    for token in tokens.filter(may_write=True):
        tokens.filter(pk=token.pk).update(writes=token.datasets, publishes=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_identity")]

    operations = [migrations.RunPython(scopes_of_old, migrations.RunPython.noop)]
