"""Tasking (17-079r1) and STAplus (22-022r1): their entities, and what leads to them."""

from typing import Any

from django.db import migrations

from allmende.storage.schema import SQLITE
from allmende.storage.schema_postgres import POSTGRES


def create(apps: Any, schema_editor: Any) -> None:
    """Run storage's statements."""
    layout = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in layout[6]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them back."""
    for table, column in (("thing", "party"), ("datastream", "party"), ("datastream", "license")):
        schema_editor.execute(f"DROP INDEX {table}_{column}")
        schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    links = [
        f"{one}_{other}" for one in ("campaign", "project") for other in ("datastream", "multi_datastream", "group")
    ]
    for table in (
        *links, "group_observation", "group_relation", "relation", "observation_group", "campaign", "project",
        "license", "party", "task", "tasking_capability", "actuator",
    ):  # fmt: skip
        schema_editor.execute(f"DROP TABLE {table}")


class Migration(migrations.Migration):
    dependencies = [("measured", "0005_multi_datastream")]
    operations = [migrations.RunPython(create, drop)]
