"""What the displays really show, as their controllers tell it: streams beside those of what they should show.

Three for each display: all that was told, whether that is other than it should be, and how many faults there are. What
is told again unchanged is a reading once in ``REPEAT``, so that a silent controller is seen, and 94 of them that report
each half a minute are not a quarter of a million readings a day.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from allmende.city.house import House
from allmende.city.parking.signs import feed
from allmende.city.parking.signs.keeping import declaration, thing_of
from allmende.city.parking.signs.model import Display, Shown, Signs
from allmende.domain import times
from allmende.domain.policy import house_reader
from allmende.domain.records import Declaration, Property, Record, SensorDeclaration, Series, Unit
from allmende.domain.store import Store

REPEAT = timedelta(minutes=10)
_EYES = house_reader("parking/signs")
"""What a device told is read back for operators and for itself, also where a city keeps its signs' dataset closed."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller told last."""

    at: datetime
    """When it was told; unchanged since."""
    rows: tuple[str, ...] | None = None
    faults: tuple[str, ...] = ()
    differs_since: datetime | None = None
    """Since when it shows something other than it should; None where it does not, or nobody knows."""


def take_report(house: House, display: Display, body: bytes, shown: Shown | None, signs: Signs) -> Reported:
    """Give the commons what a controller tells. Raises InvalidInput."""
    now = house.now()
    report = feed.read_report(display, body)
    agreed = feed.agrees(display, report, shown, now, signs.poll)
    before = read_reports(house.store, [display.id], now).get(display.id)
    differs = before.differs_since if before else None
    if agreed is not None:
        differs = None if agreed else differs or now
    found = Reported(at=now, rows=report.rows, faults=report.faults, differs_since=differs)
    same = before is not None and found == msgspec.structs.replace(before, at=now)
    if before is None or not same or now - before.at >= REPEAT:
        house.give("parking", display.dataset, records(display, found))
    return found


def read_reports(store: Store, displays: Iterable[str], now: datetime) -> dict[str, Reported]:
    """What was told last of these displays."""
    streams = {f"{thing_of(display)}~reported": display for display in displays}
    found = {}
    for held in store.held(_EYES, list(streams), times.from_datetime(now)):
        if isinstance(held.result, dict):
            found[streams[held.stream]] = _read(held.start, held.result)
    return found


def records(display: Display, report: Reported) -> list[Record]:
    """A report as readings; the sensor is the controller."""
    at = [times.from_datetime(report.at)]
    since = report.differs_since
    told: Any = {
        "rows": None if report.rows is None else list(report.rows),
        "faults": list(report.faults),
        "differsSince": None if since is None else times.format_instant(times.from_datetime(since)),
    }
    return [
        _declare(display, "reported", "complex"),
        Series(stream=f"{thing_of(display.id)}~reported", times=at, results=[told]),
        _declare(display, "differs", "truth"),
        Series(stream=f"{thing_of(display.id)}~differs", times=at, results=[since is not None]),
        _declare(display, "faults", "count"),
        Series(stream=f"{thing_of(display.id)}~faults", times=at, results=[len(report.faults)]),
    ]


_MEANS = {
    "reported": ("sign-content-reported", "Content of a sign as its controller reports it"),
    "differs": ("sign-differs", "Whether a sign shows other than it should"),
    "faults": ("sign-faults", "Faults that a sign's controller reports"),
}


def _declare(display: Display, what: str, kind: Any) -> Declaration:
    observed, name = _MEANS[what]
    base = declaration(display)
    return Declaration(
        stream=f"{thing_of(display.id)}~{what}",
        name=f"{display.name}: {what}",
        thing=base.thing,
        sensor=SensorDeclaration(
            id=f"parking-sign-controller-{display.id}",
            name=display.controller or f"Controller of {display.id}",
            description="The device that drives the display, by its own reports.",
        ),
        observed_property=Property(id=observed, name=name, definition=f"urn:x-allmende:{observed}", description=name),
        unit=Unit("1", "1"),
        observation_type=kind,
        properties=base.properties,
    )


def _read(start: int, told: dict[str, Any]) -> Reported:
    rows, since = told.get("rows"), told.get("differsSince")
    return Reported(
        at=times.to_datetime(start),
        rows=tuple(rows) if isinstance(rows, list) else None,
        faults=tuple(told.get("faults") or ()),
        differs_since=times.to_datetime(times.parse_instant(since)) if isinstance(since, str) else None,
    )
