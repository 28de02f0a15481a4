"""What was taken of a broker's messages."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[11]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    schema_editor.execute("DROP TABLE mark")


class Migration(migrations.Migration):
    dependencies = [("measured", "0010_rejection_bytes")]
    operations = [migrations.RunPython(create, drop)]
