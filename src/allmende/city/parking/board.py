"""The live board: every car park of the city with what is known of it now.

Made by :mod:`allmende.city.parking.read` of the states of the sites; views and templates only show them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from allmende.city.parking.sites import Kind, Site
from allmende.city.parking.standing import Reason, Status, Trend


class Capacity(msgspec.Struct, frozen=True):
    """One statement about how many spaces there are; statements may disagree, all are kept."""

    value: int
    source: str
    date: str


class Special(msgspec.Struct, frozen=True):
    """The spaces of one kind at a site; None is not known."""

    kind: str
    capacity: int | None
    free: int | None


class CarPark(msgspec.Struct, frozen=True, kw_only=True):
    """A car park, an area, a zone or a bay, and its reading now.

    ``free`` is None exactly when ``status`` is not "live"; ``reason`` then says why. Times are aware, in UTC.
    """

    id: str
    """Id of the Thing, e.g. ``parking-goethe-galerie`` or ``demo-parking-goethe-galerie``."""
    stream: str
    """Id of the Datastream with the free spaces, e.g. ``parking-goethe-galerie~free``."""
    name: str
    lon: float | None
    lat: float | None
    kind: str | None
    """ParkAPI's word (``UNDERGROUND``, ``CAR_PARK``, ``OFF_STREET_PARKING_GROUND``…), None where no source says it."""
    zone: str | None
    """Id of the tariff zone."""
    capacity: int | None
    capacities: tuple[Capacity, ...] = ()
    free: int | None
    status: Status
    reason: Reason = ""
    trend: Trend = "unknown"
    """Direction of ``free`` over the last 30 minutes."""
    observed_at: datetime | None
    """When the value last changed or was rewritten (phenomenonTime)."""
    confirmed_at: datetime | None
    """When its feed last reported anything: for change-only feeds the value is known to hold until then."""
    simulated: bool = False
    place: Kind = "car-park"
    counted: bool = True
    """Whether anybody ever said how many of its spaces are free."""
    only: str = ""
    """The kind of spaces that all of its spaces are of; "" where there are others too, or nobody says so."""
    spaces: tuple[Special, ...] = ()
    """Spaces of single kinds, as far as they are known."""
    estimated: bool = False
    error: float | None = None
    """How far off an estimate is, in spaces, as its source says."""
    outline: Mapping[str, Any] | None = None
    """GeoJSON of an area or a bay, where it is known to be more than a point."""
    decided: str = ""
    """What everybody reads of an operator's decision that holds."""
    decided_until: datetime | None = None
    as_counted: bool = True
    """Whether ``free`` is what is counted: then each new reading may take its place."""
    flags: tuple[str, ...] = ()
    """Why the reading is implausible, e.g. ``above-capacity``; empty if it is not."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """All car parks to show: measured ones that answer, then simulated ones, then those without data."""

    car_parks: tuple[CarPark, ...]
    simulated: bool
    """True if any shown value is simulated: the page must then carry the banner."""
    now: datetime

    @property
    def mixed(self) -> bool:
        """Whether measured car parks stand beside simulated ones."""
        return self.simulated and not all(park.simulated for park in self.car_parks)


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a chart: ``start`` inclusive, ``width`` seconds. The values are None where there is no data."""

    start: datetime
    mean: float | None
    low: int | None
    high: int | None
    covered: float
    """Share of the bucket for which a value is known, 0 to 1."""
    implausible: bool = False


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Time-weighted means of the free spaces, read as a step function."""

    car_park: CarPark
    site: Site
    start: datetime
    end: datetime
    width: int
    """Seconds per bucket: 900 for a day, 3600 for a week."""
    buckets: tuple[Bucket, ...]
