"""The tables of collections and their features (``item``: the name ``feature`` is taken by what is observed).

The four sides of a feature's box are written by the store. SQLite keeps them in an R*Tree by triggers; PostgreSQL has
a GiST index over its own type ``box``, so that no PostGIS is asked for. What an index finds is compared exactly by
``domain.features.meets``, on both engines alike.
"""

_SIDES = ("west", "east", "south", "north")
_NEW = ", ".join(f"NEW.{side}" for side in _SIDES)
_CHANGED = " OR ".join(f"OLD.{side} IS NOT NEW.{side}" for side in _SIDES)
_FRESH = f"INSERT INTO item_box SELECT NEW.pk, {_NEW} WHERE NEW.west IS NOT NULL;"
_GONE = "DELETE FROM item_box WHERE pk = OLD.pk;"

_TABLES = (
    # count and extents are those of what has not gone.
    """CREATE TABLE collection (
        pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dataset INTEGER NOT NULL REFERENCES dataset(pk),
        title TEXT NOT NULL, description TEXT NOT NULL, snapshot INTEGER NOT NULL, fields TEXT NOT NULL,
        source TEXT NOT NULL, declared BLOB NOT NULL, count INTEGER NOT NULL DEFAULT 0,
        west REAL, south REAL, east REAL, north REAL, first INTEGER, last INTEGER, changed_at INTEGER)""",
    "CREATE INDEX collection_dataset ON collection (dataset)",
    """CREATE TABLE item (
        pk INTEGER PRIMARY KEY, collection INTEGER NOT NULL REFERENCES collection(pk) ON DELETE CASCADE,
        id TEXT NOT NULL, geometry TEXT, west REAL, south REAL, east REAL, north REAL, properties TEXT NOT NULL,
        valid_from INTEGER, valid_to INTEGER, first_seen INTEGER NOT NULL, since INTEGER NOT NULL,
        seen INTEGER NOT NULL, gone_at INTEGER, digest BLOB NOT NULL, origin INTEGER NOT NULL,
        UNIQUE (collection, id))""",
    # What was said in deliveries from `since` on, before `until`.
    """CREATE TABLE item_history (
        pk INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item(pk) ON DELETE CASCADE,
        since INTEGER NOT NULL, until INTEGER NOT NULL, geometry TEXT, properties TEXT NOT NULL,
        valid_from INTEGER, valid_to INTEGER, origin INTEGER NOT NULL)""",
    "CREATE INDEX item_history_item ON item_history (item, since)",
)

SQLITE_FEATURES = (
    *_TABLES,
    "CREATE VIRTUAL TABLE item_box USING rtree(pk, west, east, south, north)",
    f"CREATE TRIGGER item_box_insert AFTER INSERT ON item BEGIN {_FRESH} END",
    (
        "CREATE TRIGGER item_box_update AFTER UPDATE OF west, south, east, north ON item"
        f" WHEN {_CHANGED} BEGIN {_GONE} {_FRESH} END"
    ),
    f"CREATE TRIGGER item_box_delete AFTER DELETE ON item BEGIN {_GONE} END",
)
POSTGRES_FEATURES = (
    *_TABLES,
    "CREATE INDEX item_box ON item USING gist (box(point(west, south), point(east, north)))",
)
