"""How PostgreSQL keeps observations: the three layouts, in SQL. See docs/architecture.md, "Storage".

All have the same columns in the same order, the same key and the same indexes, so that the Store asks each alike; they
are taken from the table that there is.
"""

import re
from typing import Literal, get_args

from allmende.storage.schema import TABLES
from allmende.storage.schema_postgres import year_start

Layout = Literal["plain", "citus", "timescale"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
EXTENSIONS: dict[Layout, str] = {"citus": "citus", "timescale": "timescaledb"}
NEXT, TOUCHED, WORK = "observation_next", "observation_touched", "layout_work"
KEY = "datastream, phenomenon_start, disc"
_YEAR = 31_557_600_000_000
"""Microseconds of a hypertable's chunk."""
SPREAD = ("observation", "stream_state")
"""What Citus spreads over the nodes by datastream. All else is small, is asked with each of them, and has ids that are
unique over all: reference tables, which every node has (streams too: writers lock them in the order of their keys)."""


def table(name: str, *, partitioned: bool) -> str:
    """The statement that makes a table with the columns and the key of the one that there is."""
    parts = " PARTITION BY RANGE (phenomenon_start)" if partitioned else ""
    return f"CREATE TABLE {name} (LIKE observation INCLUDING DEFAULTS, PRIMARY KEY ({KEY})){parts}"


def index(definition: str) -> str:
    """The statement for the same index on the next table, from what the server says of one."""
    return re.sub(
        r"INDEX observation(\w*) ON (?:ONLY )?\S+ ", rf"INDEX IF NOT EXISTS {NEXT}\1 ON {NEXT} ", definition, count=1
    )


def years_of(name: str, first: int, last: int) -> list[str]:
    """The statements that make a partitioned table's parts: one a year, and the DEFAULT one."""
    made = [
        f"CREATE TABLE {name}_{year} PARTITION OF {name}"
        f" FOR VALUES FROM ({year_start(year)}) TO ({year_start(year + 1)})"
        for year in range(first, last + 1)
    ]
    return [*made, f"CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT"]


def made(layout: Layout, first: int, last: int) -> list[str]:
    """The statements that make the next table, without its secondary indexes."""
    if layout == "timescale":
        return [
            table(NEXT, partitioned=False),
            (
                f"SELECT create_hypertable('{NEXT}', by_range('phenomenon_start', BIGINT '{_YEAR}'),"
                " create_default_indexes => false)"
            ),
        ]
    plain = [table(NEXT, partitioned=True), *years_of(NEXT, first, last)]
    if layout == "plain":
        return plain
    return [
        *plain,
        # Parents first: a reference table refers to other reference tables alone.
        *(f"SELECT create_reference_table('{name}')" for name in reversed(TABLES) if name not in SPREAD),
        f"SELECT create_distributed_table('{NEXT}', 'datastream', colocate_with => 'none')",
        f"SELECT create_distributed_table('stream_state', 'datastream', colocate_with => '{NEXT}')",
    ]


FOLLOW = (
    f"CREATE TABLE {TOUCHED} (datastream bigint NOT NULL, phenomenon_start bigint NOT NULL, disc bigint NOT NULL)",
    f"""CREATE OR REPLACE FUNCTION allmende_touched() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            INSERT INTO {TOUCHED} VALUES (OLD.datastream, OLD.phenomenon_start, OLD.disc);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO {TOUCHED} VALUES (NEW.datastream, NEW.phenomenon_start, NEW.disc);
        END IF;
        RETURN NULL;
    END $$""",
    # Waits for those who are writing: what comes later is noted.
    (
        "CREATE TRIGGER observation_touched AFTER INSERT OR UPDATE OR DELETE ON observation"
        " FOR EACH ROW EXECUTE FUNCTION allmende_touched()"
    ),
)
"""What notes the keys of rows that are written while others are copied."""

BEGIN = f"""CREATE TABLE {WORK} (layout text NOT NULL, first_year int NOT NULL, last_year int NOT NULL,
    phase text NOT NULL, datastream bigint, phenomenon_start bigint, disc bigint, copied bigint NOT NULL)"""
"""How far a copy has come: one row."""


def renamed(name: str) -> str:
    """A part or index of the next table, as it is called afterwards."""
    return re.sub(rf"^{NEXT}", "observation", name)
