"""The tables that a question sees: views over the files of open data, each with a name that SQL takes without quotes.

Of each dataset one with its readings and what is said of their streams; of each collection one with its objects; and
over all of them ``observations``, ``streams``, ``things``, ``features`` and ``datasets``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

OBSERVATIONS, STREAMS, THINGS, FEATURES, DATASETS = "observations", "streams", "things", "features", "datasets"
COMMON = (OBSERVATIONS, STREAMS, THINGS, FEATURES, DATASETS)


class OpenData(msgspec.Struct, frozen=True, kw_only=True):
    """An open dataset and its files."""

    id: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    as_of: int | None
    """When the oldest of its files was made, in microseconds."""
    months: Sequence[str] = ()
    """Paths of the files of readings, in the order of time."""
    streams: str = ""
    """Path of the file on its streams; readings are told without it, too."""
    objects: Mapping[str, str] = {}
    """Paths by the ids of collections."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A table."""

    name: str
    kind: str
    """readings, objects, or the name itself of one over all."""
    datasets: frozenset[str]
    """Whose data are in it."""
    statement: str
    collection: str = ""


# What is written into the files has these columns (allmende.faces.files.fields); here they are in the order in which
# somebody reads them.
_READING = "r.stream, s.thing, s.property, s.unit, r.time, r.time_end, r.result, r.result_text, r.flags, r.result_time"
_STREAM = "s.name, s.thing_id, s.property_id, s.source, s.lon, s.lat"
_OF_STREAM = "stream, name, thing, property, unit, thing_id, property_id, source, first, newest, lon, lat, geometry"
_OF_OBJECT = "id, valid_from, valid_to, since"
_NO_STREAMS = (
    "SELECT ''::VARCHAR AS stream, ''::VARCHAR AS name, ''::VARCHAR AS thing, ''::VARCHAR AS property, "
    "''::VARCHAR AS unit, ''::VARCHAR AS thing_id, ''::VARCHAR AS property_id, ''::VARCHAR AS source, "
    "NULL::TIMESTAMPTZ AS first, NULL::TIMESTAMPTZ AS newest, NULL::DOUBLE AS lon, NULL::DOUBLE AS lat, "
    "NULL::GEOMETRY AS geometry WHERE false"
)
_NO_READINGS = (
    "SELECT NULL::TIMESTAMPTZ AS time, NULL::TIMESTAMPTZ AS time_end, ''::VARCHAR AS stream, NULL::DOUBLE AS result, "
    "''::VARCHAR AS result_text, ''::VARCHAR AS flags, NULL::TIMESTAMPTZ AS result_time WHERE false"
)
_NO_OBJECTS = (
    "SELECT ''::VARCHAR AS dataset, ''::VARCHAR AS collection, ''::VARCHAR AS id, NULL::TIMESTAMPTZ AS valid_from, "
    "NULL::TIMESTAMPTZ AS valid_to, NULL::TIMESTAMPTZ AS since, NULL::JSON AS properties, NULL::DOUBLE AS lon, "
    "NULL::DOUBLE AS lat, NULL::GEOMETRY AS geometry WHERE false"
)
_LON, _LAT = (
    f"CASE WHEN ST_AsText(geometry) LIKE 'POINT%' THEN CAST(ST_AsGeoJSON(geometry)->'$.coordinates[{place}]' AS DOUBLE)"
    f" END AS {name}"
    for place, name in enumerate(("lon", "lat"))
)


def files_of(data: Iterable[OpenData]) -> list[str]:
    """All paths that the views read."""
    return [
        path for each in data for path in (*each.months, *filter(None, [each.streams]), *each.objects.values())
    ]  # fmt: skip


def views(data: Sequence[OpenData]) -> list[View]:
    """The tables, those over all first. A collection whose name a dataset has is called ``objects_`` and its name."""
    measured = frozenset(each.id for each in data if each.months or each.streams)
    placed = frozenset(each.id for each in data if each.objects)
    found = [
        View(name=STREAMS, kind=STREAMS, datasets=measured, statement=_view(STREAMS, _streams(data))),
        View(name=OBSERVATIONS, kind=OBSERVATIONS, datasets=measured, statement=_view(OBSERVATIONS, _all(data))),
        View(name=THINGS, kind=THINGS, datasets=measured, statement=_view(THINGS, _things())),
        View(name=FEATURES, kind=FEATURES, datasets=placed, statement=_view(FEATURES, _features(data))),
        View(name=DATASETS, kind=DATASETS, datasets=frozenset(), statement=_view(DATASETS, _datasets(data))),
    ]
    taken = set(COMMON)
    for each in data:
        if each.months:
            name = _free(plain_name(each.id), taken, "readings_")
            found.append(
                View(name=name, kind="readings", datasets=frozenset({each.id}), statement=_view(name, _readings(each)))
            )
    for each in data:
        for collection, path in each.objects.items():
            name = _free(plain_name(collection), taken, "objects_")
            found.append(
                View(
                    name=name, kind="objects", datasets=frozenset({each.id}), collection=collection,
                    statement=_view(name, f"SELECT * EXCLUDE (geometry), {_LON}, {_LAT}, geometry FROM {_file(path)}"),
                )
            )  # fmt: skip
    return found


def used(listed: Iterable[View], query: str, tables: Sequence[str] | None) -> frozenset[str]:
    """Ids of the datasets that a question may have taken its answer from. ``tables``: the names in it, where they are
    known; else each word of it counts."""
    names = set(re.findall(r"\w+", query.lower())) if tables is None else {name.lower().strip('"') for name in tables}
    found: set[str] = set()
    for view in listed:
        if view.name in names:
            found |= view.datasets
    return frozenset(found)


def plain_name(id_: str) -> str:
    """An id as a name of SQL: ``weather-forecast`` is ``weather_forecast``."""
    name = re.sub(r"[^a-z0-9]+", "_", id_.lower()).strip("_") or "data"
    return f"d_{name}" if name[0].isdigit() else name


def _free(name: str, taken: set[str], before: str) -> str:
    while name in taken:
        name = before + name
    taken.add(name)
    return name


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _file(*paths: str) -> str:
    return f"read_parquet([{', '.join(map(_text, paths))}])"


def _view(name: str, body: str) -> str:
    return f'CREATE VIEW "{name}" AS {body}'


def _streams(data: Sequence[OpenData]) -> str:
    parts = [
        f"SELECT {_text(each.id)} AS dataset, {_OF_STREAM} FROM {_file(each.streams)}" for each in data if each.streams
    ]
    return " UNION ALL ".join(parts) or f"SELECT ''::VARCHAR AS dataset, * FROM ({_NO_STREAMS})"


def _readings(each: OpenData) -> str:
    streams = _file(each.streams) if each.streams else f"({_NO_STREAMS})"
    return f"SELECT {_READING}, {_STREAM} FROM {_file(*each.months)} r LEFT JOIN {streams} s ON r.stream = s.stream"


def _all(data: Sequence[OpenData]) -> str:
    parts = [f"SELECT {_text(each.id)} AS dataset, * FROM ({_readings(each)})" for each in data if each.months]
    nothing = (
        f"SELECT ''::VARCHAR AS dataset, {_READING}, {_STREAM} FROM ({_NO_READINGS}) r JOIN ({_NO_STREAMS}) s ON false"
    )
    return " UNION ALL ".join(parts) or nothing


def _things() -> str:
    return (
        "SELECT dataset, thing_id, any_value(thing) AS thing, count(*) AS streams, min(first) AS first, "
        "max(newest) AS newest, any_value(lon) AS lon, any_value(lat) AS lat FROM streams GROUP BY dataset, thing_id"
    )


def _features(data: Sequence[OpenData]) -> str:
    properties = "to_json(struct_pack(*COLUMNS(* EXCLUDE (id, valid_from, valid_to, since, geometry)))) AS properties"
    parts = [
        f"SELECT {_text(each.id)} AS dataset, {_text(collection)} AS collection, {_OF_OBJECT}, {properties}, "
        f"{_LON}, {_LAT}, geometry FROM {_file(path)}"
        for each in data
        for collection, path in each.objects.items()
    ]
    return " UNION ALL ".join(parts) or _NO_OBJECTS


def _datasets(data: Sequence[OpenData]) -> str:
    rows = [
        "("
        + ", ".join(map(_text, (each.id, each.title, each.publisher, each.licence, each.licence_url, each.attribution)))
        + f", {'NULL' if each.as_of is None else f'make_timestamptz({each.as_of:d})'})"
        for each in data
    ]
    nothing = "('', '', '', '', '', '', NULL)"
    names = "dataset, title, publisher, licence, licence_url, attribution, as_of"
    body = (
        f"SELECT * REPLACE (CAST(as_of AS TIMESTAMPTZ) AS as_of) FROM (VALUES {', '.join(rows) or nothing}) t({names})"
    )
    return body if rows else f"{body} WHERE false"
