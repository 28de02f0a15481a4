"""What deletion needs: the names of streams that are gone, and a way from a number to what it replaced."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[2]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    schema_editor.execute("DROP TABLE gone_stream")
    schema_editor.execute("DROP INDEX observation_history_id")


class Migration(migrations.Migration):
    dependencies = [("measured", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
