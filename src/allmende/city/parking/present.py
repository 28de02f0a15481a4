"""From a car park's values to what a person reads: words, shares, symbols. No reading of stores here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext as _

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
    return {
        "free": _("Spaces free"),
        "few": _("Almost full"),
        "full": _("Full"),
        "closed": _("Closed"),
        "none": _("No data"),
    }[level]


def say_kind(kind: str | None) -> str:
    """The type of car park in words, empty where no source says it."""
    return {
        "UNDERGROUND": _("Underground car park"),
        "CAR_PARK": _("Multi-storey car park"),
        "OFF_STREET_PARKING_GROUND": _("Open car park"),
        "ON_STREET": _("Parking at the street"),
    }.get(kind or "", "")


def say_trend(trend: str) -> str:
    """Direction of the last half hour as seen by somebody who looks for a space."""
    return {"rising": _("getting emptier"), "falling": _("filling up"), "steady": _("steady")}.get(trend, "")


def say_reason(reason: str) -> str:
    """Why there is no value."""
    return {
        "never": _("This car park has not reported anything yet."),
        "feed-silent": _("The source is not sending data at the moment."),
        "silent": _("This car park has not reported for a long time."),
        "says-closed": _("The car park reports that it is closed."),
        "closure": _("The car park is closed for a while."),
        "hours": _("The car park is closed at this time of day."),
        "override": _("The operator has entered this by hand."),
        "parts-silent": _("None of its spaces reports at the moment."),
        "implausible": _("What the car park reports cannot be right at the moment."),
    }.get(reason, "")


def say_flag(flag: str) -> str:
    """Why a value is doubtful; a flag that is not known here is shown as it is rather than hidden."""
    return {
        "above-capacity": _("The car park reports more free spaces than it has."),
        "above-maximum": _("The car park reports more free spaces than it has."),
        "faulty": _("The car park reports that its counting is out of order."),
        "full-with-free": _("The car park reports “full” and free spaces at the same time."),
        "negative": _("The car park reports fewer than no free spaces."),
        "frozen": _("The number has not changed for longer than is usual here."),
        "full-but-empty": _("The car park reports “full”, and probably is not."),
        "jump": _("The number has changed by more at once than vehicles get in or out."),
    }.get(flag, flag)


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
