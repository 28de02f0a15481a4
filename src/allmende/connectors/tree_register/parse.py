"""Rows of a table as features: which column is what, the settings say. The manifest's are those of Jena's trees."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from allmende.connectors.columns import Line, as_said, header_of, lines_of, number_of, require
from allmende.connectors.geodesy import epsg, to_degrees
from allmende.connectors.objects import Gathered, collection_of, nothing
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Feature, Parsed

TITLE = {"de": "Bäume", "en": "Trees"}


class _Rules(NamedTuple):
    id: str
    form: re.Pattern[str]
    x: str
    y: str
    crs: int
    properties: Mapping[str, str]
    """Name of the property by the column's; empty: all columns under their names."""
    drop: frozenset[str]
    decimal: str

    def name_of(self, said: str) -> str:
        """The id that a cell says, or nothing."""
        return said if self.form.match(said) else ""


def parse(payload: Payload, source: Source) -> Parsed:
    """One feature a row. A row whose id is known and that cannot be read stays as it was."""
    encoding = str(source.settings.get("encoding") or "utf-8")
    try:
        rules = _rules(source.settings)
        names, sign = header_of(payload, str(source.settings.get("separator") or ""), encoding)
        require(names, [rules.id, rules.x, rules.y, *rules.properties])
    except InvalidInput as error:
        return nothing(payload, str(error), "bad-header")
    gathered = Gathered(collection_of(source, title=TITLE, fields=source.settings.get("fields")))
    lines = lines_of(payload, names, sign, encoding)
    gathered.take_rows(lines, rules.name_of, lambda line, name: _feature(line, name, rules), rules.id)
    return gathered.parsed()


def _rules(settings: Mapping[str, Any]) -> _Rules:
    try:
        form = re.compile(f"(?:{settings.get('id_form') or '.+'})\\Z", re.ASCII)
    except re.error as error:
        raise InvalidInput(f"settings.id_form is no pattern: {error}") from None
    properties = settings.get("columns")
    return _Rules(
        id=str(settings.get("id") or "id"),
        form=form,
        x=str(settings.get("x") or "lon"),
        y=str(settings.get("y") or "lat"),
        crs=epsg(settings.get("crs") or 4326),
        properties=dict(properties) if isinstance(properties, Mapping) else {},
        drop=frozenset(map(str, settings.get("drop") or ())),
        decimal=str(settings.get("decimal") or "."),
    )


def _feature(line: Line, name: str, rules: _Rules) -> Feature:
    if line.problem:
        raise InvalidInput(line.problem)
    if not name:
        raise InvalidInput(f"its {rules.id} {line.cells[rules.id][:60]!r} is no id")
    chosen = rules.properties or {column: column for column in line.cells if column not in (rules.id, rules.x, rules.y)}
    said = {prop: line.cells[column] for column, prop in chosen.items() if column not in rules.drop}
    return Feature(
        id=name,
        geometry=_point(line.cells[rules.x], line.cells[rules.y], rules),
        properties={prop: as_said(text, rules.decimal) for prop, text in said.items() if text},
    )


def _point(x: str, y: str, rules: _Rules) -> dict[str, Any] | None:
    if not x and not y:
        return None
    place = number_of(x, rules.decimal), number_of(y, rules.decimal)
    if place[0] is None or place[1] is None:
        raise InvalidInput(f"{rules.x} {x[:40]!r} and {rules.y} {y[:40]!r} are no position")
    lon, lat = to_degrees(rules.crs)([(float(place[0]), float(place[1]))])[0]
    if not (isfinite(lon) and isfinite(lat)):
        raise InvalidInput(f"{x}, {y} lies outside of EPSG:{rules.crs}")
    return {"type": "Point", "coordinates": [lon, lat]}
