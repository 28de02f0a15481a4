"""Streams as tiles need them: named, with their unit and newest value, all of a page's in two questions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.http import HttpRequest
from django.utils.formats import number_format

from allmende.domain.policy import Reader
from allmende.domain.query import Expand, Expression, In, Order, Path, Query, Value
from allmende.domain.store import Store
from allmende.domain.times import to_datetime
from allmende.storage.values import decode_result

_MOST = 500
"""Streams of one question."""
_CACHE = "_boards_streams"


class Stream(NamedTuple):
    """What is known of a stream. ``at`` is None where it has no value."""

    id: str
    name: str
    thing: str
    property: str
    unit: str
    """As people write it."""
    symbol: str
    """As it is kept."""
    simulated: bool
    value: Any = None
    at: datetime | None = None

    @property
    def label(self) -> str:
        """What it is called among others: the thing, and what is measured there."""
        if self.thing and self.thing in self.name:
            return self.name
        return " – ".join(dict.fromkeys(part for part in (self.thing, self.name) if part))

    @property
    def said(self) -> str:
        """The value in words of the active language, without its unit; "" where there is none."""
        return say_value(self.value)


def say_value(value: Any) -> str:
    """A result in words: numbers with the language's signs and no more digits than are of use."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value) if isinstance(value, str | bool) else ""
    if isinstance(value, int) or value == int(value):
        return str(number_format(int(value), force_grouping=True))
    digits = 1 if abs(value) >= 10 else 2
    return str(number_format(round(value, digits), digits, force_grouping=True))


_UNITS = {
    "1": "",
    "Cel": "°C",
    "K": "°C",
    "deg": "°",
    "ug/m3": "µg/m³",
    "m3/s": "m³/s",
    "[ppm]": "ppm",
    "[pH]": "",
    "uS/cm": "µS/cm",
}


_KELVIN = 273.15


def as_shown(value: Any, symbol: str) -> Any:
    """A number in the unit that pages show: nobody reads a temperature in kelvin."""
    if symbol == "K" and isinstance(value, int | float) and not isinstance(value, bool):
        return value - _KELVIN
    return value


def say_unit(symbol: str) -> str:
    """A unit as people write it; what only counts (``{vehicle}``) has none."""
    if symbol.startswith("{") and symbol.endswith("}"):
        return ""
    return _UNITS.get(symbol, symbol)


def of(request: HttpRequest, ids: Iterable[str]) -> dict[str, Stream]:
    """Those of the ids that the request's reader may see, by id. What was asked for before is not asked again."""
    known: dict[str, Stream | None] = request.__dict__.setdefault(_CACHE, {})
    wanted = list(dict.fromkeys(ids))
    missing = [id_ for id_ in wanted if id_ not in known]
    for place in range(0, len(missing), _MOST):
        part = missing[place : place + _MOST]
        house = request.house  # type: ignore[attr-defined]
        known.update(dict.fromkeys(part))
        known.update(read(house.store, house.reader, part))
    found = ((id_, known[id_]) for id_ in wanted)
    return {id_: stream for id_, stream in found if stream is not None}


def read(store: Store, reader: Reader, ids: Sequence[str]) -> dict[str, Stream]:
    """The same without a request; at most _MOST ids."""
    if not ids:
        return {}
    chosen = In(Path(("id",)), tuple(Value(id_, "string") for id_ in ids))
    return {stream.id: stream for stream in _find(store, reader, chosen, len(ids))}


def _find(store: Store, reader: Reader, chosen: Expression, top: int) -> list[Stream]:
    query = Query(
        entity="Datastream",
        reader=reader,
        filter=chosen,
        select=("name", "unitOfMeasurement", "properties"),
        order=(Order(Path(("id",))),),
        top=top,
        expand=tuple(
            Expand(relation=name, query=Query(entity=name, reader=reader, select=("name",)))
            for name in ("Thing", "ObservedProperty")
        ),
    )
    page = store.find(query)
    newest = _newest(store, msgspec.structs.replace(query, expand=(), select=None))
    found = []
    for row in page.rows:
        pk, id_, name, unit, properties = row[:5]
        value, at = newest.get(str(id_), (None, None))
        said, symbol = _decode(properties), str(_decode(unit).get("symbol") or "")
        found.append(
            Stream(
                id=str(id_), name=str(name), thing=_name(page, "Thing", pk),
                property=_name(page, "ObservedProperty", pk), unit=say_unit(symbol),
                symbol=symbol,
                simulated=bool(said.get("simulated")), value=as_shown(value, symbol), at=at,
            )
        )  # fmt: skip
    return found


def _newest(store: Store, query: Query) -> dict[str, tuple[Any, datetime]]:
    return {str(row[0]): (decode_result(*row[3]), to_datetime(row[2])) for row in store.newest(query).rows}


def _name(page: Any, relation: str, pk: Any) -> str:
    inner = page.expanded[relation].get(pk)
    return str(inner.rows[0][2]) if inner is not None and inner.rows else ""


def _decode(text: Any) -> dict[str, Any]:
    value = msgspec.json.decode(text) if text else {}
    return value if isinstance(value, dict) else {}
