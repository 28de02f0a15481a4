"""The tables of the measured world, in SQL for SQLite. Web's migrations run it; each version is a list of statements.

Layout (measured reasons stand in docs/architecture.md, "Storage"):

- ``pk`` is the engine's own key, ``id`` the public one (text; a number is its canonical digits).
- Every entity belongs to a dataset; the reader's predicate hangs there.
- Observations are clustered by (datastream, phenomenon_start, disc) and have no foreign keys: the engine locks parents.
- Times are microseconds. JSON is text, so that it goes from row to response untouched.
"""

from collections.abc import Mapping
from types import MappingProxyType

from allmende.storage.schema_features import SQLITE_FEATURES
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

_VERSION_5 = (
    # How many properties a stream observes at once: 0 for a Datastream, which has its one in `observed_property`. For
    # a MultiDatastream that column holds the first of them.
    "ALTER TABLE datastream ADD COLUMN width INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE datastream ADD COLUMN data_types TEXT",
    """CREATE TABLE stream_property (
        datastream INTEGER NOT NULL REFERENCES datastream(pk) ON DELETE CASCADE,
        observed_property INTEGER NOT NULL REFERENCES observed_property(pk) ON DELETE CASCADE,
        place INTEGER NOT NULL, PRIMARY KEY (datastream, observed_property)) WITHOUT ROWID""",
    "CREATE INDEX stream_property_back ON stream_property (observed_property)",
    "ALTER TABLE gone_stream ADD COLUMN width INTEGER NOT NULL DEFAULT 0",
)

_BEARER = "party INTEGER REFERENCES party(pk) ON DELETE SET NULL"
_TERMS = f"license INTEGER REFERENCES license(pk) ON DELETE SET NULL, {_BEARER}"
_UNDERTAKING = f"""{_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL, classification TEXT,
    terms_of_use TEXT NOT NULL, privacy_policy TEXT, creation_time INTEGER NOT NULL, start_time INTEGER,
    end_time INTEGER, url TEXT, properties TEXT, {_TERMS}"""
_LINKS = {
    "campaign_datastream": ("campaign", "datastream"),
    "campaign_multi_datastream": ("campaign", "datastream"),
    "campaign_group": ("campaign", "observation_group"),
    "project_datastream": ("project", "datastream"),
    "project_multi_datastream": ("project", "datastream"),
    "project_group": ("project", "observation_group"),
    "group_relation": ("observation_group", "relation"),
}

_VERSION_6 = (
    # Tasking (17-079r1).
    f"""CREATE TABLE actuator ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL,
        encoding_type TEXT NOT NULL, metadata TEXT, properties TEXT)""",
    f"""CREATE TABLE tasking_capability ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL,
        parameters TEXT NOT NULL, properties TEXT, thing INTEGER NOT NULL REFERENCES thing(pk) ON DELETE CASCADE,
        actuator INTEGER NOT NULL REFERENCES actuator(pk) ON DELETE CASCADE)""",
    "CREATE INDEX tasking_capability_thing ON tasking_capability (thing)",
    "CREATE INDEX tasking_capability_actuator ON tasking_capability (actuator)",
    f"""CREATE TABLE task ({_NAMED}, parameters TEXT NOT NULL, creation_time INTEGER NOT NULL,
        tasking_capability INTEGER NOT NULL REFERENCES tasking_capability(pk) ON DELETE CASCADE)""",
    "CREATE INDEX task_tasking_capability ON task (tasking_capability)",
    # STAplus (22-022r1).
    f"""CREATE TABLE party ({_NAMED}, description TEXT, auth_id TEXT, display_name TEXT, role TEXT NOT NULL)""",
    f"""CREATE TABLE license ({_NAMED}, name TEXT NOT NULL, description TEXT, definition TEXT NOT NULL, logo TEXT,
        attribution_text TEXT)""",
    f"CREATE TABLE campaign ({_UNDERTAKING})",
    f"CREATE TABLE project ({_UNDERTAKING})",
    f"""CREATE TABLE observation_group ({_NAMED}, name TEXT NOT NULL, description TEXT NOT NULL, purpose TEXT,
        creation_time INTEGER NOT NULL, end_time INTEGER, terms_of_use TEXT, privacy_policy TEXT, data_quality TEXT,
        properties TEXT, {_TERMS})""",
    # Observations have no foreign keys to them: the engine looks after what hangs on them.
    f"""CREATE TABLE relation ({_NAMED}, role TEXT NOT NULL, description TEXT, external_resource TEXT,
        properties TEXT, subject INTEGER NOT NULL, object INTEGER)""",
    "CREATE INDEX relation_subject ON relation (subject)",
    "CREATE INDEX relation_object ON relation (object)",
    """CREATE TABLE group_observation (
        observation_group INTEGER NOT NULL REFERENCES observation_group(pk) ON DELETE CASCADE,
        observation INTEGER NOT NULL, PRIMARY KEY (observation_group, observation)) WITHOUT ROWID""",
    "CREATE INDEX group_observation_back ON group_observation (observation)",
    *(
        f"""CREATE TABLE {table} ({one} INTEGER NOT NULL REFERENCES {one}(pk) ON DELETE CASCADE,
        {other} INTEGER NOT NULL REFERENCES {other}(pk) ON DELETE CASCADE,
        PRIMARY KEY ({one}, {other})) WITHOUT ROWID"""
        for table, (one, other) in _LINKS.items()
    ),
    *(f"CREATE INDEX {table}_back ON {table} ({other})" for table, (_, other) in _LINKS.items()),
    f"ALTER TABLE thing ADD COLUMN {_BEARER}",
    f"ALTER TABLE datastream ADD COLUMN {_BEARER}",
    "ALTER TABLE datastream ADD COLUMN license INTEGER REFERENCES license(pk) ON DELETE SET NULL",
    *(
        f"CREATE INDEX {table}_{column} ON {table} ({column})"
        for table, columns in (
            ("thing", ("party",)), ("datastream", ("party", "license")), ("campaign", ("party", "license")),
            ("project", ("party", "license")), ("observation_group", ("party", "license")),
        )
        for column in columns
    ),
)  # fmt: skip

_VERSION_8 = (
    # The range in which a stream's source declares its results to be plausible; null: no bound on that side.
    "ALTER TABLE datastream ADD COLUMN low REAL",
    "ALTER TABLE datastream ADD COLUMN high REAL",
)

_VERSION_9 = (
    # How far a stream was thinned by a step of its rule: nothing before `upto` is left to do.
    """CREATE TABLE retention_state (
        datastream INTEGER NOT NULL, step INTEGER NOT NULL, edition TEXT NOT NULL, upto INTEGER NOT NULL,
        PRIMARY KEY (datastream, step)) WITHOUT ROWID""",
)

_VERSION_10 = (
    # Of a message of which many readings are rejected, the bytes are kept once.
    "CREATE TABLE rejection_body (digest BLOB PRIMARY KEY, body BLOB NOT NULL, seen INTEGER NOT NULL DEFAULT 1)",
    "ALTER TABLE rejection ADD COLUMN body_digest BLOB",
    "CREATE INDEX rejection_body_digest ON rejection (body_digest)",
)

_VERSION_11 = (
    # What was taken of those who may send it again: see domain/marks.py.
    "CREATE TABLE mark (name TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (name, number))",
)

SQLITE: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        1: _VERSION_1, 2: _VERSION_2, 3: _VERSION_3, 4: SQLITE_BOXES, 5: _VERSION_5, 6: _VERSION_6,
        7: SQLITE_FEATURES, 8: _VERSION_8, 9: _VERSION_9, 10: _VERSION_10, 11: _VERSION_11,
    }
)  # fmt: skip
"""Statements by version of the layout; a version, once released, is not changed."""

TABLES = (
    "rejection", "rejection_body",
    "source_state", "follower", "entity_log", "change_log", "gone_stream", "stream_state",
    "retention_state", "mark",
    "feature_datastream",
    "observation_history", "observation_name", "observation_document", "observation", "stream_property",
    "group_observation", *_LINKS, "relation", "datastream", "feature",
    "observed_property", "sensor", "historical_location_location", "historical_location", "thing_location", "location",
    "item_history", "item", "collection",
    "task", "tasking_capability", "actuator", "thing", "observation_group", "campaign", "project", "license", "party",
    "sequence", "origin", "dataset",
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

_UNDERTAKING_COLUMNS = {
    "name": "name",
    "description": "description",
    "classification": "classification",
    "termsOfUse": "terms_of_use",
    "privacyPolicy": "privacy_policy",
    "creationTime": "creation_time",
    "startTime": "start_time",
    "endTime": "end_time",
    "url": "url",
    "properties": "properties",
}
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
        "MultiDatastream": {
            "name": "name",
            "description": "description",
            "observationType": "observation_type",
            "multiObservationDataTypes": "data_types",
            "unitOfMeasurements": "unit",
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
        "TaskingCapability": {
            "name": "name",
            "description": "description",
            "taskingParameters": "parameters",
            "properties": "properties",
        },
        "Task": {"taskingParameters": "parameters", "creationTime": "creation_time"},
        "Actuator": {
            "name": "name",
            "description": "description",
            "encodingType": "encoding_type",
            "metadata": "metadata",
            "properties": "properties",
        },
        "Party": {
            "description": "description",
            "authId": "auth_id",
            "displayName": "display_name",
            "role": "role",
        },
        "License": {
            "name": "name",
            "description": "description",
            "definition": "definition",
            "logo": "logo",
            "attributionText": "attribution_text",
        },
        "Campaign": _UNDERTAKING_COLUMNS,
        "Project": _UNDERTAKING_COLUMNS,
        "ObservationGroup": {
            "name": "name",
            "description": "description",
            "purpose": "purpose",
            "creationTime": "creation_time",
            "endTime": "end_time",
            "termsOfUse": "terms_of_use",
            "privacyPolicy": "privacy_policy",
            "dataQuality": "data_quality",
            "properties": "properties",
        },
        "Relation": {
            "role": "role",
            "description": "description",
            "externalResource": "external_resource",
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
        "MultiDatastream": "datastream",
        "Sensor": "sensor",
        "ObservedProperty": "observed_property",
        "TaskingCapability": "tasking_capability",
        "Task": "task",
        "Actuator": "actuator",
        "Party": "party",
        "License": "license",
        "Campaign": "campaign",
        "Project": "project",
        "ObservationGroup": "observation_group",
        "Relation": "relation",
        "Observation": "observation",
        "FeatureOfInterest": "feature",
    }
)

KINDS: Mapping[str, str] = MappingProxyType({"Datastream": "width = 0", "MultiDatastream": "width > 0"})
"""What tells apart entities that share a table."""
