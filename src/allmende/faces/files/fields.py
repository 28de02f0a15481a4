"""Columns of files: their names, what they hold, and what they mean. The names are the same in every format."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.domain.errors import InvalidInput
from allmende.faces.tables import ColumnKind

GEOMETRY = "geometry"
"""Name of the column that holds GeoJSON (EPSG:4326) as text; each format writes it in its own way."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One column."""

    name: str
    kind: ColumnKind
    de: str = ""
    en: str = ""
    """What it means, for the description beside the data."""

    @property
    def is_geometry(self) -> bool:
        return self.name == GEOMETRY


class Batch(NamedTuple):
    """Some rows, as columns in the order of the fields: texts, numbers, booleans, microseconds, GeoJSON or None."""

    columns: Sequence[Sequence[Any]]
    rows: int


def _field(name: str, kind: ColumnKind, de: str, en: str) -> Field:
    return Field(name=name, kind=kind, de=de, en=en)


_PLACE = (
    _field("lon", ColumnKind.NUMBER, "Länge der Messreihe, Grad (EPSG:4326)", "longitude of the stream, degrees"),
    _field("lat", ColumnKind.NUMBER, "Breite der Messreihe, Grad (EPSG:4326)", "latitude of the stream, degrees"),
)
_STREAM = (
    _field("stream", ColumnKind.TEXT, "Id der Messreihe", "id of the stream"),
    _field("thing", ColumnKind.TEXT, "Name des Dings, an dem gemessen wird", "name of the thing that is observed"),
    _field("property", ColumnKind.TEXT, "was gemessen wird", "what is measured"),
    _field("unit", ColumnKind.TEXT, "Einheit (UCUM)", "unit (UCUM)"),
)
_SHAPE = (_field(GEOMETRY, ColumnKind.JSON, "Ort der Messreihe", "place of the stream"),)
_TIME = _field("time", ColumnKind.INSTANT, "Zeitpunkt oder Beginn, UTC", "time or begin, UTC")
_READING = (
    _field("time_end", ColumnKind.INSTANT, "Ende, wo eine Zeitspanne gemessen wurde", "end, where a span was measured"),
    _field("result", ColumnKind.NUMBER, "Messwert als Zahl", "result as a number"),
    _field(
        "result_text", ColumnKind.TEXT, "Messwert, der keine Zahl ist oder in doppelter Genauigkeit nicht genau ist",
        "result that is no number, or not exact in double precision",
    ),
    _field("flags", ColumnKind.TEXT, "Beanstandungen der Prüfungen; leer: keine", "what checks object to; empty: none"),
    _field(
        "result_time", ColumnKind.INSTANT, "wann der Wert bestimmt wurde, z. B. Lauf einer Vorhersage",
        "when the result was found, e.g. the run of a forecast",
    ),
)  # fmt: skip
READINGS = (*_STREAM, _TIME, *_READING, *_PLACE, *_SHAPE)
SUMS = (
    *_STREAM,
    _TIME,
    _field("count", ColumnKind.INTEGER, "Zahl der Messwerte im Zeitraum", "number of readings in the window"),
    _field("mean", ColumnKind.NUMBER, "Mittel der Messwerte, die Zahlen sind", "mean of the readings that are numbers"),
    _field("min", ColumnKind.NUMBER, "kleinster Messwert", "smallest reading"),
    _field("max", ColumnKind.NUMBER, "größter Messwert", "largest reading"),
    *_PLACE,
    *_SHAPE,
)
PLAIN = (_STREAM[0], _TIME, *_READING)
"""Of a dump: what is said of a stream lies in a file of its own."""
STREAMS = (
    *_STREAM,
    _field("thing_id", ColumnKind.TEXT, "Id des Dings", "id of the thing"),
    _field("property_id", ColumnKind.TEXT, "Id der Messgröße", "id of the observed property"),
    _field("name", ColumnKind.TEXT, "Name der Messreihe", "name of the stream"),
    _field("source", ColumnKind.TEXT, "Quelle", "source"),
    _field("first", ColumnKind.INSTANT, "ältester Messwert", "oldest reading"),
    _field("newest", ColumnKind.INSTANT, "neuester Messwert", "newest reading"),
    *_PLACE,
    *_SHAPE,
)
OBJECT = (
    _field("id", ColumnKind.TEXT, "Id des Objekts in seiner Sammlung", "id of the object in its collection"),
    _field("valid_from", ColumnKind.INSTANT, "gilt ab, nach der Quelle", "valid from, by the source"),
    _field("valid_to", ColumnKind.INSTANT, "gilt bis, nach der Quelle", "valid to, by the source"),
    _field("since", ColumnKind.INSTANT, "seit dieser Lieferung so", "as it is since this delivery"),
)
REST = _field("more", ColumnKind.JSON, "weitere Eigenschaften als JSON", "further properties as JSON")
OUTLINE = _field(GEOMETRY, ColumnKind.JSON, "Lage des Objekts", "where the object is")


def choose(fields: Sequence[Field], names: Iterable[str], *, geometry: bool) -> list[int]:
    """The places of the fields that are wanted, in the fields' own order; of none named, all. The geometry comes with
    a format that has one. Raises InvalidInput for a name that is none."""
    wanted = set(names)
    known = {field.name for field in fields}
    unknown = sorted(wanted - known)
    if unknown:
        raise InvalidInput(f"there is no column {unknown[0]!r}; there are {', '.join(sorted(known))}", where="columns")
    return [
        place
        for place, field in enumerate(fields)
        if (geometry if field.is_geometry else not wanted or field.name in wanted)
    ]
