"""All parking sites that the commons know of, each with its facts and its streams.

    sites = read_sites(store, profile, reader)
    sites[0].fact("capacity"), sites[0].said("capacity")

A site is a Thing whose ``properties.kind`` is one of KINDS, whichever connector, client or profile made it, or a thing
of the profile that no source has told of yet. ``properties.parent`` is the id of the thing above: bay → area → zone.
A simulated thing is a site of its own; ``stands_for`` names the real one whose facts it shows. What the reader may not
see is not there. Read in three statements, however many sites there are.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, cast
from weakref import WeakKeyDictionary

import msgspec
from shapely.errors import ShapelyError
from shapely.geometry import shape

from allmende.city.keeping import is_anybody
from allmende.city.parking.statements import (
    Statement,
    Statements,
    are_facts,
    chosen,
    from_profile,
    from_properties,
    merge,
)
from allmende.domain import steps
from allmende.domain.errors import InvalidInput
from allmende.domain.logs import Stamp
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile, ThingProfile
from allmende.domain.query import Expand, Expression, In, Logic, Path, Query, Value
from allmende.domain.store import Store

Kind = Literal["car-park", "parking-area", "parking-bay", "parking-zone"]
KINDS: tuple[Kind, ...] = ("car-park", "parking-area", "parking-bay", "parking-zone")
Quantity = Literal["free", "occupied", "capacity", "bay"]
OBSERVED: Mapping[str, Quantity] = {
    "free-parking-spaces": "free",
    "occupied-parking-spaces": "occupied",
    "parking-capacity": "capacity",
    "bay-occupied": "bay",
}
"""Ids of the ObservedProperties that make a stream one of parking, whichever connector feeds it."""
Choices = Mapping[str, Mapping[str, Statement]]
"""By site and fact: what the operator has decided, a statement ``by="operator"``."""
NOBODY = "properties"
"""The source of what is said by a thing that no source of the profile feeds."""
_PAGE = 5_000
_STREAMS_EACH = 40


class SiteStream(msgspec.Struct, frozen=True, kw_only=True):
    """A Datastream that counts a site's spaces."""

    id: str
    quantity: Quantity
    spaces_for: str
    """The kind of spaces (:data:`allmende.city.parking.statements.SPACES_FOR`); "" for all of them."""
    source: str
    """The source of the profile that feeds it, whose reports say whether the feed lives; "" where it is a client's."""
    dataset: str
    silence: steps.Silence
    capacity: int | None = None
    """What its counts are a part of, where the feed says so itself."""
    estimated: bool = False
    """Not counted, but worked out: from scan vehicles, from counts at the ends of a street."""
    error: float | None = None
    """How far off an estimate is, in spaces, as its source says."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A place where vehicles are parked. Coordinates are degrees in EPSG:4326."""

    id: str
    """Of the Thing: stable, and part of addresses."""
    name: str
    kind: Kind
    description: str = ""
    parent: str | None = None
    lon: float | None = None
    lat: float | None = None
    geometry: Mapping[str, Any] | None = None
    """GeoJSON, where it is more than a point."""
    statements: Statements = {}
    streams: tuple[SiteStream, ...] = ()
    simulated: bool = False
    stands_for: str
    """The real site's id; its own id for one that is real."""
    in_profile: bool = False
    reference: str = ""
    """What its source calls it."""

    def fact(self, name: str) -> Any:
        """The value that counts, in the type and unit of its name; None where it is not known."""
        found = chosen(self.statements, name)
        return None if found is None else found.value

    def said(self, name: str) -> tuple[Statement, ...]:
        """Every statement on the fact, the one that counts first."""
        return self.statements.get(name, ())

    @property
    def notes(self) -> tuple[tuple[str, Statement], ...]:
        """Statements that could not be read or had to be guessed at, with the fact's name."""
        return tuple((name, each) for name, said in self.statements.items() for each in said if each.note)

    @property
    def dataset(self) -> str:
        """The dataset of its streams, "" where none is known."""
        return self.streams[0].dataset if self.streams else ""

    @property
    def source(self) -> str:
        """The source of its streams, "" where none is known."""
        return self.streams[0].source if self.streams else ""


def read_sites(
    store: Store,
    profile: Profile,
    reader: Reader,
    *,
    kinds: Iterable[str] = KINDS,
    choices: Choices | None = None,
    stamp: Stamp | None = None,
) -> tuple[Site, ...]:
    """All sites of these kinds: those of the profile first, in its order, then the others by their names and ids.

    What everybody may see is read once, and again when a thing, a stream, a choice or the profile is another; what was
    deleted, of which no log tells, at the latest after LONGEST. ``stamp``: where the store's has been read already.
    """
    wanted = tuple(kinds)
    if not is_anybody(reader):
        return _read_sites(store, profile, reader, wanted, choices or {})
    stamp, now = stamp or store.stamp(), time.monotonic()
    kept = _kept.setdefault(store, {})
    known = kept.get(wanted)
    mark = (stamp.entities, stamp.open, choices or {})
    if known is None or known.profile is not profile or known.mark != mark or now - known.read > LONGEST:
        sites = _read_sites(store, profile, reader, wanted, choices or {})
        known = kept[wanted] = _Kept(profile, mark, now, sites)
    return known.sites


def forget(store: Store) -> None:
    """Read them anew: something has gone."""
    _kept.pop(store, None)


class _Kept(NamedTuple):
    profile: Profile
    mark: tuple[Any, ...]
    read: float
    sites: tuple[Site, ...]


LONGEST = 10.0
"""Seconds."""
_kept: WeakKeyDictionary[Store, dict[tuple[str, ...], _Kept]] = WeakKeyDictionary()
"""By store and kinds. In a transaction nothing is kept: what was read there may never have been."""


def _read_sites(
    store: Store, profile: Profile, reader: Reader, wanted: tuple[Kind, ...], choices: Choices
) -> tuple[Site, ...]:
    places = {thing.id: thing for thing in profile.things if thing.kind in wanted}
    found = [_site(entry, places, profile, choices) for entry in _things(store, reader, wanted, places)]
    told = {site.id for site in found}
    found += [_untold(place, choices) for place in places.values() if place.id not in told]
    order = {identifier: number for number, identifier in enumerate(places)}
    return tuple(sorted(found, key=lambda site: (order.get(site.stands_for, len(order)), site.name, site.id)))


class _Entry(msgspec.Struct, frozen=True):
    """A Thing as it is kept."""

    id: str
    name: str
    description: str
    said: dict[str, Any]
    location: dict[str, Any] | None
    streams: list[tuple[str, str, dict[str, Any]]]


def _things(store: Store, reader: Reader, kinds: tuple[str, ...], places: Iterable[str]) -> list[_Entry]:
    wanted: Expression = In(Path(("properties", "kind")), tuple(Value(kind, "string") for kind in kinds))
    if known := tuple(Value(place, "string") for place in places):
        wanted = Logic("or", (wanted, In(Path(("id",)), known)))
    observed = Query(entity="ObservedProperty", reader=reader, select=("name",))
    counted = In(Path(("ObservedProperty", "id")), tuple(Value(name, "string") for name in OBSERVED))
    streams = Query(
        entity="Datastream",
        reader=reader,
        filter=counted,
        select=("properties",),
        top=_STREAMS_EACH,
        expand=(Expand(relation="ObservedProperty", query=observed),),
    )
    standing = Query(entity="Location", reader=reader, select=("location",), top=1)
    after: tuple[Any, ...] | None = None
    found: list[_Entry] = []
    while True:
        query = Query(
            entity="Thing",
            reader=reader,
            filter=wanted,
            select=("name", "description", "properties"),
            top=_PAGE,
            after=after,
            expand=(Expand(relation="Locations", query=standing), Expand(relation="Datastreams", query=streams)),
            expand_rows=2 * _PAGE * _STREAMS_EACH,
        )
        page = store.find(query)
        for pk, identifier, name, description, said in page.rows:
            spots = page.expanded["Locations"].get(pk)
            of_thing = page.expanded["Datastreams"].get(pk)
            kept = []
            for row in of_thing.rows if of_thing else ():
                of_stream = of_thing.expanded["ObservedProperty"].get(row[0]) if of_thing else None
                if of_stream and of_stream.rows:
                    kept.append((str(row[1]), str(of_stream.rows[0][1]), _decode(row[2])))
            place = _decode(spots.rows[0][2]) if spots and spots.rows else None
            found.append(_Entry(str(identifier), name or "", description or "", _decode(said), place, sorted(kept)))
        if page.next is None:
            return found
        after = page.next


def _decode(text: str | None) -> dict[str, Any]:
    found = msgspec.json.decode(text) if text else {}
    return found if isinstance(found, dict) else {}


def _site(entry: _Entry, places: Mapping[str, ThingProfile], profile: Profile, choices: Choices) -> Site:
    said = entry.said
    stands_for = str(said.get("simulates") or entry.id)
    place = places.get(stands_for)
    streams = tuple(_streams(entry, profile))
    simulated = bool(said.get("simulated")) or any(stream[2].get("simulated") for stream in entry.streams)
    source = next((stream.source for stream in streams if stream.source), "") or NOBODY
    stated = {key: value for key, value in said.items() if not (place and are_facts(value))}
    described = said.get("described")
    statements = merge(
        {name: [statement] for name, statement in choices.get(stands_for, {}).items()},
        from_profile(place.facts) if place else {},
        from_properties(stated, source),
        from_properties(described, source) if isinstance(described, dict) else {},
    )
    outline = said.get("outline")
    lon, lat, geometry = _standing(place, entry.location)
    parent = chosen(statements, "parent")
    return Site(
        id=entry.id,
        # a stand-in goes by the name of what it stands for: that it is simulated is said beside it
        name=place.name if place else entry.name or entry.id,
        kind=cast(Kind, place.kind if place and place.id == entry.id else said["kind"]),
        description=entry.description,
        parent=parent.value if parent else None,
        lon=lon,
        lat=lat,
        geometry=geometry or _standing(None, outline if isinstance(outline, dict) else None)[2],
        statements=statements,
        streams=streams,
        simulated=simulated,
        stands_for=stands_for,
        in_profile=place is not None,
        reference=str(said.get("reference") or ""),
    )


def _untold(place: ThingProfile, choices: Choices) -> Site:
    """A site of the profile that no source has told of yet."""
    statements = merge(
        {name: [statement] for name, statement in choices.get(place.id, {}).items()}, from_profile(place.facts)
    )
    parent = chosen(statements, "parent")
    return Site(
        id=place.id,
        name=place.name,
        kind=cast(Kind, place.kind),
        parent=parent.value if parent else None,
        lon=place.position.lon if place.position else None,
        lat=place.position.lat if place.position else None,
        statements=statements,
        stands_for=place.id,
        in_profile=True,
    )


def _standing(
    place: ThingProfile | None, location: dict[str, Any] | None
) -> tuple[float | None, float | None, dict[str, Any] | None]:
    """Longitude, latitude and the geometry if it is more than a point. What the profile says of the place counts."""
    lon = lat = None
    geometry = None
    if location:
        try:
            drawn = shape(location)
            middle = drawn.representative_point()
            lon, lat = round(middle.x, 7), round(middle.y, 7)
            geometry = None if drawn.geom_type == "Point" else location
        except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
            lon = lat = None  # a client may have created a location that is no geometry
    if place is not None and place.position is not None:
        lon, lat = place.position.lon, place.position.lat
    return lon, lat, geometry


def _streams(entry: _Entry, profile: Profile) -> Iterable[SiteStream]:
    """One stream for each quantity and kind of spaces. A forecast counts nothing; a rule's stream stands in."""
    taken: set[tuple[str, str]] = set()
    for identifier, observed, said in sorted(entry.streams, key=lambda stream: ("rule" in stream[2], stream[0])):
        quantity = OBSERVED[observed]
        spaces_for = said.get("spaces_for")
        key = (quantity, spaces_for if isinstance(spaces_for, str) else "")
        if said.get("forecast") or key in taken:
            continue
        taken.add(key)
        capacity, error = said.get("capacity"), said.get("error")
        yield SiteStream(
            id=identifier,
            quantity=quantity,
            spaces_for=key[1],
            source=str(said.get("source") or ""),
            dataset=str(said.get("dataset") or ""),
            silence=_silence(said.get("silence"), profile.time_zone),
            capacity=capacity if isinstance(capacity, int) and not isinstance(capacity, bool) else None,
            estimated=bool(said.get("estimated")),
            error=float(error) if isinstance(error, int | float) and not isinstance(error, bool) else None,
        )


def _silence(said: Any, zone: str) -> steps.Silence:
    """When silence means that nothing is known; the house's defaults where what is said cannot be read."""
    try:
        return steps.Silence.read(said if isinstance(said, dict) else {}, zone)
    except (InvalidInput, TypeError, ValueError):
        return steps.Silence(zone=zone)
