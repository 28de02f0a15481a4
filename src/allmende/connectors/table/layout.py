"""What the settings of a source say of its table: which column is what, and what its readings are of."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from allmende.connectors.geodesy import epsg
from allmende.domain.connector import Source
from allmende.domain.errors import InvalidInput
from allmende.domain.framing import HEAD_LINES
from allmende.domain.records import Declaration, Position, Property, SensorDeclaration, ThingDeclaration, Unit

_TYPES = frozenset({"measurement", "count", "category"})
_THOUSANDS = frozenset({"", ".", ",", " ", "'"})


class Quantity(NamedTuple):
    """A property of the settings."""

    property: Property
    unit: Unit
    type: Literal["measurement", "count", "category"]
    low: float | None
    high: float | None


class Layout(NamedTuple):
    """The settings, checked."""

    times: Sequence[str]
    forms: Sequence[str]
    zone: str
    separator: str
    encoding: str
    decimal: str
    missing: frozenset[str]
    thing: str
    thing_column: str
    thing_form: re.Pattern[str]
    name_column: str
    thing_name: str
    place: tuple[str, str] | None
    crs: int
    wide: str
    columns: Sequence[str]
    head: int
    thousands: str
    values: Mapping[str, str]
    quantities: Mapping[str, Quantity]


def layout_of(source: Source) -> Layout:
    """The layout. Raises InvalidInput that names the setting."""
    said = source.settings
    times = said.get("time") or "time"
    quantities = {str(name): _quantity(str(name), body) for name, body in _table(said, "properties").items()}
    values = {str(column): str(name) for column, name in _table(said, "values").items()}
    wide = str(said.get("wide") or "")
    for name in [*values.values(), *([wide] if wide else [])]:
        if name not in quantities:
            raise InvalidInput(f"settings.properties does not say what {name!r} is")
    if not values and not wide:
        raise InvalidInput("settings.values names the columns of readings, or settings.wide their property")
    thing, column = str(said.get("thing") or ""), str(said.get("thing_column") or "")
    if not wide and bool(thing) == bool(column):
        raise InvalidInput("either settings.thing or settings.thing_column says what the readings are of")
    try:
        form = re.compile(f"(?:{said.get('thing_form') or '.{1,150}'})\\Z", re.ASCII)
    except re.error as error:
        raise InvalidInput(f"settings.thing_form is no pattern: {error}") from None
    x, y = str(said.get("x") or ""), str(said.get("y") or "")
    return Layout(
        times=[str(name) for name in ([times] if isinstance(times, str) else times)],
        forms=_texts(said, "time_forms"),
        zone=str(said.get("zone") or source.time_zone),
        separator=str(said.get("separator") or ""),
        encoding=str(said.get("encoding") or "utf-8"),
        decimal="," if said.get("decimal") == "," else ".",
        missing=frozenset(["", *_texts(said, "missing")]),
        thing=thing,
        thing_column=column,
        thing_form=form,
        name_column=str(said.get("name_column") or ""),
        thing_name="" if column else str(said.get("thing_name") or ""),
        place=(x, y) if x and y else None,
        crs=epsg(said.get("crs") or 4326),
        wide=wide,
        columns=_texts(said, "columns"),
        head=head_lines(said),
        thousands=thousands_of(said),
        values=values,
        quantities=quantities,
    )


def head_lines(said: Mapping[str, Any]) -> int:
    """How many lines stand before the first row. Raises InvalidInput."""
    head = said.get("head", 1)
    if isinstance(head, bool) or not isinstance(head, int) or not 0 <= head <= HEAD_LINES:
        raise InvalidInput(f"settings.head is a number of lines, 0 to {HEAD_LINES}, not {str(head)[:40]!r}")
    return head


def thousands_of(said: Mapping[str, Any]) -> str:
    """The sign between thousands. Raises InvalidInput for what is none, or is the decimal sign."""
    sign = str(said.get("thousands") or "")
    if sign not in _THOUSANDS or (sign and sign == (said.get("decimal") or ".")):
        raise InvalidInput(f"settings.thousands is a sign other than settings.decimal: . , ' or a blank, not {sign!r}")
    return sign


def declaration(source: Source, thing: ThingDeclaration, name: str, quantity: Quantity) -> Declaration:
    """What is declared of one thing's readings of one property."""
    return Declaration(
        stream=f"{thing.id}~{name}",
        name=f"{quantity.property.name} {thing.name}",
        thing=thing,
        sensor=SensorDeclaration(id=f"{source.id}-table", name=str(source.settings.get("sensor") or source.id)),
        observed_property=quantity.property,
        unit=quantity.unit,
        observation_type=quantity.type,
        low=quantity.low,
        high=quantity.high,
        properties={"source": source.id},
    )


def thing_of(source: Source, key: str, name: str, position: Position | None) -> ThingDeclaration:
    """The thing that a table calls ``key``."""
    return ThingDeclaration(id=f"{source.id}-{key}", name=name or key, position=position)


def _quantity(name: str, body: Any) -> Quantity:
    if not isinstance(body, Mapping):
        raise InvalidInput(f"settings.properties.{name} is a table")
    kind = str(body.get("type") or "measurement")
    if kind not in _TYPES:
        raise InvalidInput(f"settings.properties.{name}.type is measurement, count or category, not {kind[:40]!r}")
    symbol = str(body.get("unit") or "1")
    return Quantity(
        property=Property(
            id=name, name=str(body.get("name") or name), definition=str(body.get("definition") or f"urn:x-city:{name}")
        ),
        unit=Unit(str(body.get("unit_name") or symbol), symbol, "https://ucum.org/ucum"),
        type=cast(Literal["measurement"], kind),
        low=body.get("low"),
        high=body.get("high"),
    )


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name) or {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"settings.{name} is a table")
    return value


def _texts(said: Mapping[str, Any], name: str) -> list[str]:
    value = said.get(name) or ()
    return [str(text) for text in ([value] if isinstance(value, str) else value)]
