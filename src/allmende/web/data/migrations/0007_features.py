"""Collections of features: objects of the city, with what they were before."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[7]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    if schema_editor.connection.vendor != "postgresql":
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP TRIGGER item_box_{event}")
        schema_editor.execute("DROP TABLE item_box")
    for table in ("item_history", "item", "collection"):
        schema_editor.execute(f"DROP TABLE {table}")


class Migration(migrations.Migration):
    dependencies = [("measured", "0006_tasking_and_staplus")]
    operations = [migrations.RunPython(create, drop)]
