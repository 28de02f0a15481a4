"""The tables of the measured world, in SQL for SQLite. Web's migrations run it; each version is a list of statements.

Layout (measured reasons stand in docs/architecture.md, "Storage"):

- ``pk`` is the engine's own key, ``id`` the public one (text; a number is its canonical digits).
- Every entity belongs to a dataset; the reader's predicate hangs there.
- Observations are clustered by (datastream, phenomenon_start, disc) and have no foreign keys: the engine locks parents.
- Times are microseconds. JSON is text, so that it goes from row to response untouched.
"""

from collections.abc import Mapping
from types import MappingProxyType

from allmende.storage.schema_spatial import SQLITE_BOXES

_NAMED = "pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dataset INTEGER NOT NULL REFERENCES dataset(pk)"

_VERSION_1 = (
    """CREATE TABLE dataset (
        pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, access TEXT NOT NULL DEFAULT 'open',
        simulated INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL DEFAULT '{}')""",
    """CREATE TABLE origin (
        pk INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE (name, version))""",
    "CREATE TABLE sequence (entity TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
    f"""CREATE TABLE thing ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL, properties TEXT)""",
    f"""CREATE TABLE location ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL,
        encoding_type TEXT NOT NULL, location TEXT NOT NULL, properties TEXT)""",
    """CREATE TABLE thing_location (
        thing INTEGER NOT NULL REFERENCES thing(pk) ON DELETE CASCADE,
        location INTEGER NOT NULL REFERENCES location(pk) ON DELETE CASCADE,
        PRIMARY KEY (thing, location)) WITHOUT ROWID""",
    "CREATE INDEX thing_location_location ON thing_location (location)",
    f"""CREATE TABLE historical_location ({_NAMED},
        thing INTEGER NOT NULL REFERENCES thing(pk) ON DELETE CASCADE, time INTEGER NOT NULL)""",
    "CREATE INDEX historical_location_thing ON historical_location (thing, time)",
    """CREATE TABLE historical_location_location (
        historical_location INTEGER NOT NULL REFERENCES historical_location(pk) ON DELETE CASCADE,
        location INTEGER NOT NULL REFERENCES location(pk) ON DELETE CASCADE,
        PRIMARY KEY (historical_location, location)) WITHOUT ROWID""",
    "CREATE INDEX historical_location_location_location ON historical_location_location (location)",
    f"""CREATE TABLE sensor ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL,
        encoding_type TEXT NOT NULL, metadata TEXT, properties TEXT)""",
    f"""CREATE TABLE observed_property ({_NAMED}, name TEXT NOT NULL, definition TEXT NOT NULL,
        description TEXT NOT NULL, properties TEXT)""",
    f"""CREATE TABLE feature ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL,
        encoding_type TEXT NOT NULL, feature TEXT NOT NULL, properties TEXT)""",
    f"""CREATE TABLE datastream ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL,
        observation_type TEXT NOT NULL, unit TEXT NOT NULL, properties TEXT,
        thing INTEGER NOT NULL REFERENCES thing(pk) ON DELETE CASCADE,
        sensor INTEGER NOT NULL REFERENCES sensor(pk) ON DELETE CASCADE,
        observed_property INTEGER NOT NULL REFERENCES observed_property(pk) ON DELETE CASCADE,
        feature INTEGER REFERENCES feature(pk) ON DELETE SET NULL,
        source TEXT, declared BLOB)""",
    "CREATE INDEX datastream_thing ON datastream (thing)",
    "CREATE INDEX datastream_sensor ON datastream (sensor)",
    "CREATE INDEX datastream_observed_property ON datastream (observed_property)",
    "CREATE INDEX datastream_source ON datastream (source)",
    # `result` has no declared type: SQLite keeps integers, decimals and text apart in one column.
    """CREATE TABLE observation (
        datastream INTEGER NOT NULL, phenomenon_start INTEGER NOT NULL, disc INTEGER NOT NULL,
        id INTEGER NOT NULL, phenomenon_end INTEGER, result_time INTEGER, received_at INTEGER NOT NULL,
        result_kind INTEGER NOT NULL, result, quality TEXT, valid_start INTEGER, valid_end INTEGER,
        parameters TEXT, feature INTEGER, origin INTEGER NOT NULL, change INTEGER NOT NULL,
        PRIMARY KEY (datastream, phenomenon_start, disc)) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX observation_id ON observation (id)",
    "CREATE INDEX observation_time ON observation (phenomenon_start)",
    # A large JSON result would blow up the clustered pages that every walk over the stream reads.
    "CREATE TABLE observation_document (id INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    # A client may name an observation; such a one has a negative number inside.
    "CREATE TABLE observation_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE observation_history (
        pk INTEGER PRIMARY KEY, datastream INTEGER NOT NULL, phenomenon_start INTEGER NOT NULL, disc INTEGER NOT NULL,
        id INTEGER NOT NULL, result_kind INTEGER NOT NULL, result, quality TEXT, received_at INTEGER NOT NULL,
        origin INTEGER NOT NULL, change INTEGER NOT NULL,
        replaced_at INTEGER NOT NULL, replaced_by INTEGER NOT NULL)""",
    "CREATE INDEX observation_history_key ON observation_history (datastream, phenomenon_start, disc)",
    # Which streams observed a feature: spares observations an index of their own for it.
    """CREATE TABLE feature_datastream (
        feature INTEGER NOT NULL, datastream INTEGER NOT NULL, PRIMARY KEY (feature, datastream)) WITHOUT ROWID""",
    """CREATE TABLE stream_state (
        datastream INTEGER PRIMARY KEY, count INTEGER NOT NULL, first_start INTEGER NOT NULL, last_end INTEGER NOT NULL,
        result_time_first INTEGER, result_time_last INTEGER,
        latest_start INTEGER NOT NULL, latest_disc INTEGER NOT NULL, latest_kind INTEGER NOT NULL, latest_result,
        latest_quality TEXT, west REAL, south REAL, east REAL, north REAL, observed_area TEXT)""",
    """CREATE TABLE change_log (
        number INTEGER PRIMARY KEY AUTOINCREMENT, datastream INTEGER NOT NULL, kind TEXT NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL, origin INTEGER NOT NULL,
        received_at INTEGER NOT NULL)""",
    "CREATE TABLE follower (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE source_state (
        id TEXT PRIMARY KEY, last_received INTEGER, last_success INTEGER, last_error TEXT NOT NULL DEFAULT '',
        last_error_at INTEGER, newest INTEGER, accepted INTEGER NOT NULL DEFAULT 0,
        repeated INTEGER NOT NULL DEFAULT 0, corrected INTEGER NOT NULL DEFAULT 0,
        rejected INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    """CREATE TABLE rejection (
        number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        code TEXT NOT NULL, place TEXT NOT NULL, received_at INTEGER NOT NULL, body BLOB NOT NULL,
        digest BLOB NOT NULL UNIQUE, seen INTEGER NOT NULL DEFAULT 1, replayed_at INTEGER)""",
    "CREATE INDEX rejection_source ON rejection (source, number)",
)

_VERSION_2 = (
    # The names of deleted streams, which the change log still speaks of; their keys are never given again.
    "CREATE TABLE gone_stream (datastream INTEGER PRIMARY KEY, id TEXT NOT NULL)",
    # A reading that was moved to another time is found by its number alone.
    "CREATE INDEX observation_history_id ON observation_history (id)",
)

NOW = "(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))"
"""The engine's clock, in microseconds."""
_VERSION_3 = (
    # What is said of entities other than observations, for those who follow; `fields` are names between commas.
    f"""CREATE TABLE entity_log (
        number INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
        fields TEXT NOT NULL, logged_at INTEGER NOT NULL DEFAULT {NOW})""",
)

SQLITE: Mapping[int, tuple[str, ...]] = MappingProxyType({1: _VERSION_1, 2: _VERSION_2, 3: _VERSION_3, 4: SQLITE_BOXES})
"""Statements by version of the layout; a version, once released, is not changed."""

TABLES = (
    "rejection", "source_state", "follower", "entity_log", "change_log", "gone_stream", "stream_state",
    "feature_datastream",
    "observation_history", "observation_name", "observation_document", "observation", "datastream", "feature",
    "observed_property", "sensor", "historical_location_location", "historical_location", "thing_location", "location",
    "thing", "sequence", "origin", "dataset",
)  # fmt: skip
"""All tables, children first: the order in which they can be emptied."""

RESULTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"stream_state": ("latest_kind", "latest_result"), "observation_history": ("result_kind", "result")}
)
"""Columns that hold a result of any kind, by table: the kind's and the value's. PostgreSQL keeps the value as text."""

CHANGE_NUMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "change_log": ("number",),
        "entity_log": ("number",),
        "follower": ("number",),
        "observation": ("change",),
        "observation_history": ("change", "replaced_by"),
    }
)
"""Columns that hold a number of one of the two logs, by table."""

COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Thing": {"name": "name", "description": "description", "properties": "properties"},
        "Location": {
            "name": "name",
            "description": "description",
            "encodingType": "encoding_type",
            "location": "location",
            "properties": "properties",
        },
        "HistoricalLocation": {"time": "time"},
        "Datastream": {
            "name": "name",
            "description": "description",
            "observationType": "observation_type",
            "unitOfMeasurement": "unit",
            "properties": "properties",
        },
        "Sensor": {
            "name": "name",
            "description": "description",
            "encodingType": "encoding_type",
            "metadata": "metadata",
            "properties": "properties",
        },
        "ObservedProperty": {
            "name": "name",
            "definition": "definition",
            "description": "description",
            "properties": "properties",
        },
        "FeatureOfInterest": {
            "name": "name",
            "description": "description",
            "encodingType": "encoding_type",
            "feature": "feature",
            "properties": "properties",
        },
        "Observation": {
            "phenomenonTime": "phenomenon_start",
            "resultTime": "result_time",
            "result": "result",
            "resultQuality": "quality",
            "validTime": "valid_start",
            "parameters": "parameters",
        },
    }
)
"""Columns that hold attributes. Computed attributes have expressions instead, see compile.py."""

TABLE_OF: Mapping[str, str] = MappingProxyType(
    {
        "Thing": "thing",
        "Location": "location",
        "HistoricalLocation": "historical_location",
        "Datastream": "datastream",
        "Sensor": "sensor",
        "ObservedProperty": "observed_property",
        "Observation": "observation",
        "FeatureOfInterest": "feature",
    }
)
