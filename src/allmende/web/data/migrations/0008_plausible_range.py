"""The range in which a stream's source declares its results to be plausible."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements. What was declared before is filled in by its source's next declaration."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[8]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    for column in ("high", "low"):
        schema_editor.execute(f"ALTER TABLE datastream DROP COLUMN {column}")


class Migration(migrations.Migration):
    dependencies = [("measured", "0007_features")]
    operations = [migrations.RunPython(create, drop)]
