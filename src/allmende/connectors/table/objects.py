"""Rows of a table as objects: a tree, a car park, a stop; one feature a row."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import msgspec
import shapely
from shapely.errors import ShapelyError

from allmende.connectors.columns import Line, as_said, header_of, lines_of, number_of, require
from allmende.connectors.geodesy import epsg, in_degrees, to_degrees
from allmende.connectors.objects import Gathered, collection_of, nothing
from allmende.connectors.table.layout import head_lines, thousands_of
from allmende.connectors.table.sheets import as_csv, is_document
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Feature, Parsed

TITLE = {"de": "Objekte", "en": "Objects"}
_EWKT = re.compile(r"SRID=\d+;", re.IGNORECASE | re.ASCII)


class _Rules(NamedTuple):
    id: str
    form: re.Pattern[str]
    place: tuple[str, str] | None
    shape: str
    crs: int
    attributes: Mapping[str, str]
    """Name of the property by the column's; empty: all columns under their names."""
    missing: frozenset[str]
    decimal: str
    thousands: str
    separator: str
    encoding: str
    head: int

    def name_of(self, said: str) -> str:
        """The id that a cell says, or nothing."""
        return said if said not in self.missing and self.form.match(said) else ""


def read_objects(payload: Payload, source: Source) -> Parsed:
    """One feature a row. A row whose id is known and that cannot be read stays as it was."""
    try:
        rules = _rules(source.settings)
        if is_document(payload.body):
            payload = msgspec.structs.replace(payload, body=as_csv(payload.body, source.settings))
            rules = rules._replace(separator=";", encoding="utf-8")
        names, sign = header_of(payload, rules.separator, rules.encoding, rules.head)
        require(names, [rules.id, *(rules.place or ()), *filter(None, [rules.shape]), *rules.attributes])
    except InvalidInput as error:
        return nothing(payload, str(error), "bad-header")
    gathered = Gathered(collection_of(source, title=TITLE, fields=source.settings.get("fields")))
    lines = lines_of(payload, names, sign, rules.encoding, rules.head)
    gathered.take_rows(lines, rules.name_of, lambda line, name: _feature(line, name, rules), rules.id)
    return gathered.parsed()


def _rules(said: Mapping[str, Any]) -> _Rules:
    try:
        form = re.compile(f"(?:{said.get('id_form') or '.{1,255}'})\\Z")
    except re.error as error:
        raise InvalidInput(f"settings.id_form is no pattern: {error}") from None
    x, y, shape = (str(said.get(name) or "") for name in ("x", "y", "wkt"))
    if bool(x) != bool(y) or (x and shape):
        raise InvalidInput("a place is settings.x and settings.y, or settings.wkt")
    attributes = said.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise InvalidInput("settings.attributes is a table")
    missing = said.get("missing") or ()
    return _Rules(
        id=str(said.get("id")),
        form=form,
        place=(x, y) if x else None,
        shape=shape,
        crs=epsg(said.get("crs") or 4326),
        attributes={str(column): str(name) for column, name in attributes.items()},
        missing=frozenset(["", *map(str, [missing] if isinstance(missing, str) else missing)]),
        decimal="," if said.get("decimal") == "," else ".",
        thousands=thousands_of(said),
        separator=str(said.get("separator") or ""),
        encoding=str(said.get("encoding") or "utf-8"),
        head=head_lines(said),
    )


def _feature(line: Line, name: str, rules: _Rules) -> Feature:
    if line.problem:
        raise InvalidInput(line.problem)
    if not name:
        raise InvalidInput(f"its {rules.id} {line.cells[rules.id][:60]!r} is no id")
    used = {rules.id, rules.shape, *(rules.place or ())}
    chosen = rules.attributes or {column: column for column in line.cells if column and column not in used}
    said = {prop: line.cells[column] for column, prop in chosen.items()}
    return Feature(
        id=name,
        geometry=_geometry(line, rules),
        properties={prop: as_said(text, rules.decimal) for prop, text in said.items() if text not in rules.missing},
    )


def _geometry(line: Line, rules: _Rules) -> dict[str, Any] | None:
    if rules.shape:
        return _written(line.cells[rules.shape], rules)
    if rules.place is None:
        return None
    x, y = (line.cells[column] for column in rules.place)
    if x in rules.missing and y in rules.missing:
        return None
    sign = rules.thousands
    place = [number_of(text.replace(sign, "") if sign else text, rules.decimal) for text in (x, y)]
    if place[0] is None or place[1] is None:
        raise InvalidInput(f"{x[:40]!r} and {y[:40]!r} are no position")
    lon, lat = to_degrees(rules.crs)([(float(place[0]), float(place[1]))])[0]
    if not (isfinite(lon) and isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidInput(f"{x[:40]}, {y[:40]} is no position in EPSG:{rules.crs}")
    return {"type": "Point", "coordinates": [lon, lat]}


def _written(text: str, rules: _Rules) -> dict[str, Any] | None:
    """Well-known text (OGC 06-103r4, 7) as GeoJSON."""
    if text in rules.missing:
        return None
    try:
        shape = shapely.from_wkt(_EWKT.sub("", text))
        geometry: dict[str, Any] = msgspec.json.decode(shapely.to_geojson(shape))
    except (ShapelyError, ValueError, TypeError, msgspec.DecodeError) as error:
        raise InvalidInput(f"{text[:60]!r} is no well-known text: {str(error)[:100]}") from None
    return in_degrees(geometry, rules.crs)
