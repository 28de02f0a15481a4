"""Spatial indexes of SQLite. PostgreSQL's need PostGIS, which may come later: allmende.web.parts.prepare_places."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES
from allmende.storage.schema_spatial import BOXES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[4]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    if schema_editor.connection.vendor == "postgresql":
        return
    for box in sorted({*BOXES.values()}):
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {box}_{event}")
        schema_editor.execute(f"DROP TABLE {box}")


class Migration(migrations.Migration):
    dependencies = [("measured", "0003_entity_log")]
    operations = [migrations.RunPython(create, drop)]
