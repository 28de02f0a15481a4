"""From a car park's values to what a person reads: words, shares, symbols. No reading of stores here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from allmende.city.parking.board import Board, CarPark, History
from allmende.city.words import say_age

FEW = 0.1
"""Below this share of free spaces a car park counts as almost full."""

Level = Literal["free", "few", "full", "closed", "none"]


@dataclass(frozen=True)
class Row:
    """One car park as the pages show it; ``park`` has the values, the rest are words in the active language."""

    park: CarPark
    level: Level
    level_words: str
    kind: str
    trend: str
    reason: str
    flags: tuple[str, ...]
    age: str
    stamp: datetime | None
    """The moment for which the value is known to hold."""
    share: float | None
    """Percent of the spaces that are free, 0 to 100."""

    @property
    def topic(self) -> str:
        """MQTT topic on which new readings of the free spaces arrive (SensorThings 1.1, 14.2); empty where something
        else than the reading is shown."""
        return "" if not self.park.as_counted else f"v1.1/Datastreams('{self.park.stream}')/Observations"

    @property
    def width(self) -> str:
        """The share as an SVG length; SVG wants a point in every language."""
        return f"{self.share or 0:.1f}%"


# Marked here, and translated one by one where they are said: a page of two hundred car parks says a few of them.
_LEVELS = {
    "free": gettext_noop("Spaces free"),
    "few": gettext_noop("Almost full"),
    "full": gettext_noop("Full"),
    "closed": gettext_noop("Closed"),
    "none": gettext_noop("No data"),
}
_TYPES = {
    "UNDERGROUND": gettext_noop("Underground car park"),
    "CAR_PARK": gettext_noop("Multi-storey car park"),
    "OFF_STREET_PARKING_GROUND": gettext_noop("Open car park"),
    "ON_STREET": gettext_noop("Parking at the street"),
}
_TRENDS = {
    "rising": gettext_noop("getting emptier"),
    "falling": gettext_noop("filling up"),
    "steady": gettext_noop("steady"),
}
_REASONS = {
    "never": gettext_noop("This car park has not reported anything yet."),
    "feed-silent": gettext_noop("The source is not sending data at the moment."),
    "silent": gettext_noop("This car park has not reported for a long time."),
    "says-closed": gettext_noop("The car park reports that it is closed."),
    "closure": gettext_noop("The car park is closed for a while."),
    "hours": gettext_noop("The car park is closed at this time of day."),
    "override": gettext_noop("The operator has entered this by hand."),
    "parts-silent": gettext_noop("None of its spaces reports at the moment."),
    "implausible": gettext_noop("What the car park reports cannot be right at the moment."),
}
_FLAGS = {
    "above-capacity": gettext_noop("The car park reports more free spaces than it has."),
    "above-maximum": gettext_noop("The car park reports more free spaces than it has."),
    "faulty": gettext_noop("The car park reports that its counting is out of order."),
    "full-with-free": gettext_noop("The car park reports “full” and free spaces at the same time."),
    "negative": gettext_noop("The car park reports fewer than no free spaces."),
    "frozen": gettext_noop("The number has not changed for longer than is usual here."),
    "full-but-empty": gettext_noop("The car park reports “full”, and probably is not."),
    "implausible": gettext_noop("Its source says that the number cannot be right."),
    "below-minimum": gettext_noop("The car park reports fewer than no free spaces."),
    "jump": gettext_noop("The number has changed by more at once than vehicles get in or out."),
}


def level_of(park: CarPark) -> Level:
    """How full: by the share of the capacity, or by the bare count where no capacity is known."""
    if park.status == "closed":
        return "closed"
    if park.free is None:
        return "none"
    if park.free <= 0:
        return "full"
    if park.capacity and park.free / park.capacity < FEW:
        return "few"
    return "free"


def say_level(level: Level) -> str:
    """The level in words; why there is no value, the reason says."""
    return _(_LEVELS[level])


def say_kind(kind: str | None) -> str:
    """The type of car park in words, empty where no source says it."""
    said = _TYPES.get(kind or "")
    return _(said) if said else ""


def say_trend(trend: str) -> str:
    """Direction of the last half hour as seen by somebody who looks for a space."""
    said = _TRENDS.get(trend)
    return _(said) if said else ""


def say_reason(reason: str) -> str:
    """Why there is no value."""
    said = _REASONS.get(reason)
    return _(said) if said else ""


def say_flag(flag: str) -> str:
    """Why a value is doubtful; a flag that is not known here is shown as it is rather than hidden."""
    said = _FLAGS.get(flag)
    return _(said) if said else flag


def present(park: CarPark, now: datetime) -> Row:
    """One row at ``now`` (aware)."""
    level = level_of(park)
    stamp = park.confirmed_at or park.observed_at
    share = None
    if park.free is not None and park.capacity:
        share = max(0.0, min(100.0, 100 * park.free / park.capacity))
    return Row(
        park=park,
        level=level,
        level_words=say_level(level),
        kind=say_kind(park.kind),
        trend=say_trend(park.trend) if park.free is not None else "",
        reason="" if park.decided and park.reason in ("override", "closure") else say_reason(park.reason),
        flags=tuple(say_flag(flag) for flag in park.flags),
        age=say_age(stamp, now) if stamp else "",
        stamp=stamp,
        share=share,
    )


def sum_up(board: Board) -> dict[str, int]:
    """Free spaces over the car parks that say something plausible now; simulated ones never add to measured ones."""
    known = [
        park
        for park in board.car_parks
        if park.free is not None and not park.flags and not (board.mixed and park.simulated)
    ]
    return {
        "free": sum(park.free or 0 for park in known),
        "known": len(known),
        "all": len(board.car_parks),
    }


def as_json(row: Row, address: str) -> dict[str, Any]:
    """A row for scripts; times in ISO 8601 UTC."""
    park = row.park
    return {
        "id": park.id,
        "name": park.name,
        "url": address,
        "topic": row.topic,
        "free": park.free,
        "capacity": park.capacity,
        "level": row.level,
        "trend": park.trend,
        "status": park.status,
        "reason": park.reason,
        "flags": list(park.flags),
        "decided": park.decided,
        "decidedUntil": park.decided_until.isoformat() if park.decided_until else None,
        "simulated": park.simulated,
        "observedAt": park.observed_at.isoformat() if park.observed_at else None,
        "confirmedAt": park.confirmed_at.isoformat() if park.confirmed_at else None,
    }


def as_geojson(rows: Iterable[tuple[Row, str]]) -> dict[str, Any]:
    """The car parks with a known position as a GeoJSON collection."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": row.park.id,
                "geometry": {"type": "Point", "coordinates": [row.park.lon, row.park.lat]},
                "properties": as_json(row, address),
            }
            for row, address in rows
            if row.park.lon is not None and row.park.lat is not None
        ],
    }


def as_columns(history: History) -> dict[str, Any]:
    """A history as columns for a chart: ``t`` in seconds since 1970 at the start of each bucket, None for no data."""
    buckets = history.buckets
    return {
        "id": history.car_park.id,
        "name": history.car_park.name,
        "capacity": history.car_park.capacity,
        "simulated": history.car_park.simulated,
        "start": history.start.isoformat(),
        "end": history.end.isoformat(),
        "width": history.width,
        "t": [int(bucket.start.timestamp()) for bucket in buckets],
        "mean": [None if bucket.mean is None else round(bucket.mean, 1) for bucket in buckets],
        "low": [bucket.low for bucket in buckets],
        "high": [bucket.high for bucket in buckets],
        "covered": [round(bucket.covered, 3) for bucket in buckets],
        "implausible": [bucket.implausible for bucket in buckets],
    }
