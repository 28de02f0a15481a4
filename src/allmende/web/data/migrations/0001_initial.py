"""Storage's first layout."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE, TABLES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    for statement in SQLITE[1]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    for table in TABLES:
        schema_editor.execute(f"DROP TABLE {table}")


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunPython(create, drop)]
