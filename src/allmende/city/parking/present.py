"""From a car park's values to what a person reads: words, shares, symbols. No reading of stores here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

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
    estimate: str = ""
    """That the number is an estimate and how good; "" where it is counted."""
    spaces: tuple[str, ...] = ()
    """Spaces of single kinds, and how many of them are free."""

    @property
    def topic(self) -> str:
        """MQTT topic on which new readings of the free spaces arrive (SensorThings 1.1, 14.2); empty where something
        else than the reading is shown."""
        # a bay tells whether it is taken; what is worked out is not read alone
        told = self.park.as_counted and self.park.place in ("car-park", "parking-area") and not self.park.estimated
        return "" if not told else f"v1.1/Datastreams('{self.park.stream}')/Observations"

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
_PLACES = {
    "parking-area": gettext_noop("Parking area"),
    "parking-zone": gettext_noop("Zone with several areas"),
    "parking-bay": gettext_noop("Single bay"),
}
_ONLY = {
    "disabled": gettext_noop("only for people with a disability"),
    "woman": gettext_noop("only for women"),
    "family": gettext_noop("only for families"),
    "bus": gettext_noop("only for coaches"),
    "truck": gettext_noop("only for lorries"),
    "caravan": gettext_noop("only for motorhomes"),
    "motorcycle": gettext_noop("only for motorcycles"),
    "bike": gettext_noop("only for bicycles"),
    "carsharing": gettext_noop("only for car sharing"),
    "leased": gettext_noop("only for tenants"),
    "resident": gettext_noop("only for residents"),
    "customer": gettext_noop("only for customers"),
    "taxi": gettext_noop("only for taxis"),
    "delivery": gettext_noop("only for deliveries"),
}
_SPACES = {
    "disabled": gettext_noop("bay for people with a disability"),
    "woman": gettext_noop("bay for women"),
    "family": gettext_noop("bay for families"),
    "charging": gettext_noop("charging point"),
    "bus": gettext_noop("bay for coaches"),
    "bike": gettext_noop("stand for bicycles"),
    "truck": gettext_noop("bay for lorries"),
    "caravan": gettext_noop("bay for motorhomes"),
    "motorcycle": gettext_noop("bay for motorcycles"),
    "carsharing": gettext_noop("bay for car sharing"),
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
    "says-nothing": gettext_noop("The car park does not say at the moment how many spaces are free."),
    "ahead": gettext_noop("The time of what it reported lies ahead: a clock is wrong."),
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
    "unreadable": gettext_noop("What the car park reported is no number."),
    "no-number": gettext_noop("The car park reported no number."),
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


def _say_now(park: CarPark, level: Level) -> str:
    """The level; of a bay whether it is taken, and of what nobody counts how many spaces there are."""
    if level == "none" and not park.counted:
        if not park.capacity:
            return _("Not counted")
        return ngettext("%(n)d space, not counted", "%(n)d spaces, not counted", park.capacity) % {"n": park.capacity}
    if park.place == "parking-bay" and level in ("full", "free", "few"):
        return _("Taken") if level == "full" else _("Free")
    return say_level(level)


def say_kind(kind: str | None) -> str:
    """The type of car park in words, empty where no source says it."""
    said = _TYPES.get(kind or "")
    return _(said) if said else ""


def say_place(park: CarPark) -> str:
    """What kind of place it is, and for whom alone: "Parking at the street, only for people with a disability"."""
    place = _PLACES.get(park.place)
    kind = say_kind(park.kind) if park.place in ("car-park", "parking-area") else ""
    only = _ONLY.get(park.only)
    return ", ".join(words for words in (kind or (_(place) if place else ""), _(only) if only else "") if words)


def say_space(kind: str) -> str:
    """A space of one kind; "" for one that drivers are told nothing of."""
    said = _SPACES.get(kind)
    return _(said) if said else ""


def say_spaces(park: CarPark) -> tuple[str, ...]:
    """How many spaces of each kind there are, and how many of them are free."""
    told = []
    for each in park.spaces:
        words = say_space(each.kind)
        if not words or each.kind == park.only or not each.capacity:
            continue
        if each.free is None:
            told.append(_("%(kind)s: %(count)d") % {"kind": words, "count": each.capacity})
        else:
            told.append(_("%(kind)s: %(free)d of %(count)d free") % {
                "kind": words, "free": each.free, "count": each.capacity})  # fmt: skip
    return tuple(told)


def say_estimate(*, estimated: bool, error: float | None) -> str:
    """That a number is worked out and not counted; "" for one that is counted."""
    if not estimated:
        return ""
    return _("estimated") if error is None else _("estimated, may be off by %(n)d") % {"n": round(error)}


def say_trend(trend: str) -> str:
    """Direction of the last half hour as seen by somebody who looks for a space."""
    said = _TRENDS.get(trend)
    return _(said) if said else ""


def say_reason(reason: str) -> str:
    """Why there is no value."""
    said = _REASONS.get(reason)
    return _(said) if said else ""


def _say_why(park: CarPark) -> str:
    return say_reason(park.reason) if park.counted else ""


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
        level_words=_say_now(park, level),
        kind=say_place(park),
        estimate=say_estimate(estimated=park.estimated, error=park.error),
        spaces=say_spaces(park),
        trend=say_trend(park.trend) if park.free is not None else "",
        reason="" if park.decided and park.reason in ("override", "closure") else _say_why(park),
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
        "kind": park.place,
        "only": park.only,
        "spaces": {each.kind: {"capacity": each.capacity, "free": each.free} for each in park.spaces},
        "estimated": park.estimated,
        "error": park.error,
        "observedAt": park.observed_at.isoformat() if park.observed_at else None,
        "confirmedAt": park.confirmed_at.isoformat() if park.confirmed_at else None,
    }


def as_geojson(rows: Iterable[tuple[Row, str]]) -> dict[str, Any]:
    """The car parks with a known position as a GeoJSON collection; ``outlines`` are those of areas, by the same ids.

    ``label`` is what a map writes where that is not the bare number, ``words`` what it says.
    """
    placed = [(row, address) for row, address in rows if row.park.lon is not None and row.park.lat is not None]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": row.park.id,
                "geometry": {"type": "Point", "coordinates": [row.park.lon, row.park.lat]},
                "properties": {**as_json(row, address), "label": _label(row), "words": _words(row)},
            }
            for row, address in placed
        ],
        "outlines": [
            {"type": "Feature", "id": row.park.id, "geometry": row.park.outline, "properties": {"level": row.level}}
            for row, _address in placed
            if row.park.outline is not None
        ],
    }


def _label(row: Row) -> str:
    if row.park.place == "parking-bay" and row.park.free is not None:
        return "✓" if row.park.free else "✗"
    if not row.park.counted:
        return "P"
    return f"~{row.park.free}" if row.park.estimated and row.park.free is not None else ""


def _words(row: Row) -> str:
    known = row.park.place == "parking-bay" or row.park.free is None
    words = row.level_words if known else _("%(count)d free") % {"count": row.park.free}
    return f"{words}, {row.estimate}" if row.estimate else words


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
