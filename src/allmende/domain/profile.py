"""A city's profile: what one city is, where it lies, what it offers and where its data comes from.

:mod:`allmende.domain.profile_files` reads and checks it. Coordinates are lon, lat in EPSG:4326. Every fact carries its
source and its date; where sources disagree, all of their figures are kept, as a list.
"""

from typing import Any

import msgspec

from allmende.domain.alerts import AlertProfile, ChannelProfile
from allmende.domain.boards import BoardProfile
from allmende.domain.dataset import (
    CatalogueProfile,
    DatasetProfile,
    Organisation,
)
from allmende.domain.forecasts import CalendarProfile, ForecastProfile
from allmende.domain.harvest import HarvestProfile
from allmende.domain.licensing import PolicyProfile
from allmende.domain.retention import RetentionProfile
from allmende.domain.rules import GroupsProfile, RuleProfile
from allmende.domain.stories import StoryProfile
from allmende.domain.times import SECOND, parse_duration
from allmende.domain.wording import (
    PropertyWords,
    SameWords,
)


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure or statement, with where it is from. ``value`` is plain JSON."""

    value: Any
    source: str
    """An address or a short description of the origin."""
    date: str
    """``2025``, ``2025-02`` or ``2025-02-01``, two of them with a slash for a span, or ``undated``."""
    note: str = ""
    unit: str = ""
    """UCUM."""


Facts = dict[str, Fact | list[Fact]]


def as_list(entry: Fact | list[Fact] | None) -> list[Fact]:
    """The facts of one entry; the first is the one to show where only one can be shown."""
    if entry is None:
        return []
    return [entry] if isinstance(entry, Fact) else entry


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a thing stands, and who says so."""

    lon: float
    lat: float
    source: str
    date: str


class Geography(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the city lies. The three outlines are GeoJSON FeatureCollections."""

    center: tuple[float, float]
    """lon, lat."""
    zoom: float
    boundary: dict[str, Any]
    districts: dict[str, Any]
    waters: dict[str, Any]
    attribution: str
    base_map: str = ""
    """Address of a map style of others; empty: districts and waters are the base, and nothing leaves the house."""


class ThingProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A thing that the city has before any reading comes, e.g. a car park."""

    id: str
    name: str
    kind: str
    description: dict[str, str]
    position: Position | None = None
    facts: Facts = {}


class SourceProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One use of a connector in this city."""

    id: str
    connector: str
    title: dict[str, str]
    enabled: bool
    dataset: str
    address: str = ""
    interval: str = ""
    """ISO 8601 duration between two pulls; empty where data is sent to us or comes as files."""
    topic: str = ""
    """MQTT filter."""
    headers: dict[str, str] = {}
    """Of requests; ``${SOURCE_…}`` stands for an environment variable."""
    secrets: dict[str, str] = {}
    """Name in the connector's manifest -> environment variable (``SOURCE_…``) that holds it."""
    contract: dict[str, Any] = {}
    """What of the connector's contract is different here (see :class:`allmende.domain.contract.Contract`)."""
    responsible: str = ""
    """Whom to tell of trouble: an e-mail address; empty: whom the house's settings name."""
    settings: dict[str, Any] = {}
    tables: dict[str, bytes] = {}
    """Files beside the profile that ``settings.table`` or ``settings.tables`` name, by name."""

    @property
    def interval_seconds(self) -> float | None:
        """Seconds between two pulls, None where there are none."""
        return parse_duration(self.interval) / SECOND if self.interval else None


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A city."""

    id: str
    name: str
    country: str
    """ISO 3166-1, two letters."""
    time_zone: str
    """Name in the tz database: the zone in which times are shown and days begin."""
    languages: list[str]
    """The first is the one a newcomer meets."""
    geography: Geography
    facts: Facts = {}
    catalogue: CatalogueProfile = CatalogueProfile()
    organisations: dict[str, Organisation] = {}
    """Publishers and makers, as far as more is known of them than a name."""
    datasets: dict[str, DatasetProfile] = {}
    things: tuple[ThingProfile, ...] = ()
    sources: dict[str, SourceProfile] = {}
    services: dict[str, dict[str, Any]] = {}
    groups: dict[str, GroupsProfile] = {}
    rules: dict[str, RuleProfile] = {}
    properties: dict[str, PropertyWords] = {}
    """What the city says of observed properties, by their ids."""
    synonyms: dict[str, SameWords] = {}
    """Words that mean the same to whoever searches."""
    retention: dict[str, RetentionProfile] = {}
    """How long readings are kept; the first that fits a stream holds."""
    harvests: dict[str, HarvestProfile] = {}
    """Catalogues of others that are taken over; of two that hold one dataset, the first is shown."""
    policies: dict[str, PolicyProfile] = {}
    """Terms of use of the city's own, which datasets name as their licence."""
    alerts: dict[str, AlertProfile] = {}
    """What the city watches for."""
    channels: dict[str, ChannelProfile] = {}
    """Ways on which alerts are told."""
    boards: dict[str, BoardProfile] = {}
    """Dashboards that the city has for all."""
    stories: dict[str, StoryProfile] = {}
    """The newest first."""

    calendar: CalendarProfile = CalendarProfile()
    forecasts: dict[str, ForecastProfile] = {}

    def thing(self, thing_id: str) -> ThingProfile | None:
        """The thing of that id, or None."""
        return next((thing for thing in self.things if thing.id == thing_id), None)
