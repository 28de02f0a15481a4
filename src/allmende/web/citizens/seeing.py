"""An own sensor as pages show it: its values, its place, what was wrong with what it sent."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.domain.coarsening import cell_of
from allmende.domain.policy import Reader
from allmende.domain.store import Latest
from allmende.domain.times import DAY, to_datetime
from allmende.web.citizens.chart import HEIGHT, WIDTH, Chart, draw
from allmende.web.citizens.models import BLOCKED, OPEN, RETURNED, OwnSensor
from allmende.web.citizens.source import measure_of
from allmende.web.citizens.texts import example, say_problem, title_of
from allmende.web.house import open_store

DAYS = 7
ROWS = 50
PROBLEMS = 10
_BYTES = 300


@dataclass(frozen=True)
class Value:
    """One thing that a sensor measures, and its newest value."""

    title: str
    stream: str
    unit: str
    value: Any
    at: datetime | None
    doubtful: bool
    count: int

    @property
    def has_value(self) -> bool:
        """Whether there is one."""
        return self.at is not None


@dataclass(frozen=True)
class Course:
    """The values of the last days, as a chart and as rows."""

    value: Value
    chart: Chart | None
    start: datetime | None
    end: datetime | None
    rows: tuple[tuple[datetime, Any, bool], ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Problem:
    """Something that was not taken."""

    words: str
    reason: str
    body: str
    at: datetime


def german() -> bool:
    """Whether the page speaks German."""
    return (get_language() or "de").startswith("de")


def say_place(sensor: OwnSensor) -> str:
    """Where it is shown, in words."""
    said = {
        "exact": _("exact place"),
        "100m": _("somewhere in a square of about 100 metres"),
        "1km": _("somewhere in a square of about 1 kilometre"),
        "district": _("somewhere in the district %(name)s") % {"name": sensor.district},
        "none": _("no place is shown"),
    }
    return said[sensor.precision]


def say_state(sensor: OwnSensor) -> tuple[str, str]:
    """The state in words, and KERN's name for its colour."""
    if sensor.state == BLOCKED:
        return _("Blocked by the city"), "danger"
    if sensor.state == RETURNED:
        return _("Please change something"), "warning"
    if sensor.paused:
        return _("Paused"), "info"
    return (_("Public"), "success") if sensor.state == OPEN else (_("Being looked at"), "info")


def values_of(sensor: OwnSensor, reader: Reader) -> list[Value]:
    """The newest value of each thing that it measures."""
    latest = {each.stream: each for each in open_store().latest(reader, origin=sensor.id_)}
    return [_value(sensor, name, said, latest) for name, said in sensor.measures.items()]


def _value(sensor: OwnSensor, name: str, said: dict[str, Any], latest: dict[str, Latest]) -> Value:
    stream = f"{sensor.id_}~{name}"
    found = latest.get(stream)
    return Value(
        title=title_of(name, said, german()),
        stream=stream,
        unit=str(measure_of(name, said, "de")["shown"] or ""),
        value=found.result if found else None,
        at=to_datetime(found.start) if found else None,
        doubtful=bool(found and found.quality is not None),
        count=found.count if found else 0,
    )


def courses_of(sensor: OwnSensor, reader: Reader) -> list[Course]:
    """The last days of each."""
    end = time.time_ns() // 1000 + DAY
    found = []
    for value in values_of(sensor, reader):
        points = open_store().points(reader, value.stream, end - (DAYS + 1) * DAY, end)
        chart = draw(points)
        rows = [
            (to_datetime(at), result, bool(flag))
            for at, result, flag in zip(points.times, points.results, points.flags, strict=True)
        ]
        found.append(
            Course(
                value=value,
                chart=chart,
                start=to_datetime(chart.start) if chart else None,
                end=to_datetime(chart.end) if chart else None,
                rows=tuple(reversed(rows[-ROWS:])),
            )
        )
    return found


def problems_of(sensor: OwnSensor) -> list[Problem]:
    """What was not taken lately, the newest first."""
    store = open_store()
    return [
        Problem(
            words=say_problem(kept.code, example(sensor)),
            reason=kept.reason,
            body=store.rejection(kept.number).body[:_BYTES].decode(errors="replace"),
            at=to_datetime(kept.received_at),
        )
        for kept in store.rejections(source=sensor.id_, limit=PROBLEMS)
    ]


def feature_of(sensor: OwnSensor, **said: Any) -> dict[str, Any] | None:
    """The sensor for a map: its square where its place is one, else a point; None without a place."""
    place = sensor.place
    if place.position is None:
        return None
    cell = cell_of(place)
    geometry: dict[str, Any] = {"type": "Point", "coordinates": [place.position.lon, place.position.lat]}
    if cell is not None:
        west, south, east, north = cell
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
    point = [place.position.lon, place.position.lat]
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"id": sensor.id_, "name": sensor.name, "point": point, **said},
    }
