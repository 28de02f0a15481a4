"""Bytes of which many readings were rejected, once."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements. What was kept before stays where it is, and goes by its age."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[10]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back, with the bytes of each at each again."""
    schema_editor.execute(
        "UPDATE rejection SET body = (SELECT b.body FROM rejection_body b WHERE b.digest = rejection.body_digest)"
        " WHERE body_digest IS NOT NULL"
    )
    schema_editor.execute("DROP INDEX rejection_body_digest")
    schema_editor.execute("ALTER TABLE rejection DROP COLUMN body_digest")
    schema_editor.execute("DROP TABLE rejection_body")


class Migration(migrations.Migration):
    dependencies = [("measured", "0009_retention")]
    operations = [migrations.RunPython(create, drop)]
