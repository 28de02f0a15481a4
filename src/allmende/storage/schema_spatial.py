"""Where things are, for indexes: kept true by the database itself, whoever writes.

SQLite: an R*Tree of boxes for each of three tables, kept by triggers. A box is of all positions in the GeoJSON, so that
it may be too large (a Feature's properties hold numbers in pairs, too) but never too small.
PostgreSQL with PostGIS: a generated column with a GiST index; for streams an index over the envelope of their area.
Both only narrow down what is then compared exactly.
"""

from collections.abc import Mapping
from types import MappingProxyType

from allmende.domain.creation import GEOJSON
from allmende.storage.connections import Connection

BOXES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("Location", "location"): "location_box",
        ("FeatureOfInterest", "feature"): "feature_box",
        ("Datastream", "observedArea"): "stream_box",
        ("MultiDatastream", "observedArea"): "stream_box",
    }
)
"""SQLite's R*Trees, by entity and attribute."""
PLACES: Mapping[tuple[str, str], str] = MappingProxyType(
    {("Location", "location"): "geometry", ("FeatureOfInterest", "feature"): "geometry"}
)
"""PostGIS's columns: null for what is not compared, see geometry.py."""

_ENCODINGS = ", ".join(f"'{name}'" for name in sorted(GEOJSON))


def _positions(row: str, column: str) -> str:
    """One row with the box of a GeoJSON text; none where there is no position in it."""
    text = f"{row}.{column}"
    numbers = "json_type(t.value, '$[{}]') IN ('integer', 'real')"
    return (
        f"SELECT {row}.pk, min(json_extract(t.value, '$[0]')), max(json_extract(t.value, '$[0]')),"
        " min(json_extract(t.value, '$[1]')), max(json_extract(t.value, '$[1]'))"
        f" FROM json_tree(CASE WHEN json_valid({text}) THEN {text} END) t"
        f" WHERE t.type = 'array' AND {numbers.format(0)} AND {numbers.format(1)} GROUP BY {row}.pk"
    )


def _kept(table: str, column: str) -> tuple[str, ...]:
    box = f"{table}_box"
    fresh = f"INSERT INTO {box} {_positions('NEW', column)};"
    gone = f"DELETE FROM {box} WHERE pk = OLD.pk;"
    filled = _positions("f", column).replace(" FROM json_tree", f" FROM {table} f JOIN json_tree")
    return (
        f"CREATE VIRTUAL TABLE {box} USING rtree(pk, west, east, south, north)",
        f"CREATE TRIGGER {box}_insert AFTER INSERT ON {table} BEGIN {fresh} END",
        f"CREATE TRIGGER {box}_update AFTER UPDATE OF pk, {column} ON {table} BEGIN {gone} {fresh} END",
        f"CREATE TRIGGER {box}_delete AFTER DELETE ON {table} BEGIN {gone} END",
        f"INSERT INTO {box} {filled}",
    )


_SIDES = ("west", "east", "south", "north")
_NEW = ", ".join(f"NEW.{side}" for side in _SIDES)
_CHANGED = " OR ".join(f"OLD.{side} IS NOT NEW.{side}" for side in _SIDES)
_FRESH = f"INSERT INTO stream_box SELECT NEW.datastream, {_NEW} WHERE NEW.west IS NOT NULL;"
_GONE = "DELETE FROM stream_box WHERE pk = OLD.datastream;"

SQLITE_BOXES = (
    *_kept("location", "location"),
    *_kept("feature", "feature"),
    "CREATE VIRTUAL TABLE stream_box USING rtree(pk, west, east, south, north)",
    f"CREATE TRIGGER stream_box_insert AFTER INSERT ON stream_state BEGIN {_FRESH} END",
    # Written with every reading, changed hardly ever.
    (
        f"CREATE TRIGGER stream_box_update AFTER UPDATE ON stream_state WHEN {_CHANGED}"
        f" OR OLD.datastream <> NEW.datastream BEGIN {_GONE} {_FRESH} END"
    ),
    f"CREATE TRIGGER stream_box_delete AFTER DELETE ON stream_state BEGIN {_GONE} END",
    f"INSERT INTO stream_box SELECT datastream, {', '.join(_SIDES)} FROM stream_state WHERE west IS NOT NULL",
)
"""Statements that make the boxes and fill them."""

_GEOMETRY = f"""CREATE OR REPLACE FUNCTION allmende_geometry(encoding text, geojson text) RETURNS geometry
    LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
    DECLARE said jsonb; made geometry;
    BEGIN
        IF encoding NOT IN ({_ENCODINGS}) THEN RETURN NULL; END IF;
        said := CAST(geojson AS jsonb);
        IF said ->> 'type' = 'Feature' THEN said := said -> 'geometry'; END IF;
        made := ST_SetSRID(ST_Force2D(ST_GeomFromGeoJSON(said)), 4326);
        IF ST_GeometryType(made) = 'ST_GeometryCollection' OR NOT ST_IsValid(made) THEN RETURN NULL; END IF;
        RETURN made;
    EXCEPTION WHEN OTHERS THEN RETURN NULL;
    END $$"""

POSTGIS = (
    _GEOMETRY,
    *(
        statement
        for table in ("location", "feature")
        for statement in (
            (
                f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS geometry geometry(Geometry, 4326)"
                f" GENERATED ALWAYS AS (allmende_geometry(encoding_type, {table})) STORED"
            ),
            f"CREATE INDEX IF NOT EXISTS {table}_geometry ON {table} USING gist (geometry)",
        )
    ),
    (
        "CREATE INDEX IF NOT EXISTS stream_state_area ON stream_state"
        " USING gist (ST_MakeEnvelope(west, south, east, north, 4326))"
    ),
)
"""Statements for a database that has PostGIS; they may be run again."""


def ensure_spatial(connection: Connection) -> bool:
    """Make PostGIS's columns and indexes where they are missing; whether the database can compare places.

    PostGIS may come after the house: this is done at every start, in a transaction of the caller.
    """
    if connection.dialect.name != "postgres":
        return True
    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone():
        return False
    there = connection.execute(
        "SELECT to_regclass('location_geometry') IS NOT NULL AND to_regclass('feature_geometry') IS NOT NULL"
        " AND to_regclass('stream_state_area') IS NOT NULL"
    ).fetchone()
    if there is None or not there[0]:
        for statement in POSTGIS:
            connection.execute(statement)
    return True


def has_column(connection: Connection, table: str) -> bool:
    """Whether PostGIS's column of a table of :data:`PLACES` is there."""
    sql = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = 'geometry' AND NOT attisdropped"
    return connection.execute(sql, (table,)).fetchone() is not None
