"""MultiDatastreams: streams that observe several properties at once."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[5]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    schema_editor.execute("DROP TABLE stream_property")
    for table, column in (("gone_stream", "width"), ("datastream", "data_types"), ("datastream", "width")):
        schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


class Migration(migrations.Migration):
    dependencies = [("measured", "0004_boxes")]
    operations = [migrations.RunPython(create, drop)]
