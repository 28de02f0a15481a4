"""The board and the histories, computed from the store: change-only streams read as step functions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from allmende.city.parking.board import Board, Bucket, Capacity, CarPark, History
from allmende.domain import steps, times
from allmende.domain.policy import Reader
from allmende.domain.profile import Fact, Profile, ThingProfile, as_list
from allmende.domain.query import Compare, Expand, Path, Query, Value
from allmende.domain.records import Json
from allmende.domain.store import Latest, Store

FREE = "free-parking-spaces"
"""Id of the ObservedProperty that makes a stream one of free spaces, whichever connector feeds it."""
_TREND = 30 * times.MINUTE


class _Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of free spaces, and the car park of the profile that it tells of."""

    id: str
    thing: str
    name: str
    place: ThingProfile
    source: str
    silence: steps.Silence
    simulated: bool
    capacity: int | None


class _Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What a source has reported lately."""

    latest: dict[str, Latest]
    last: int | None


def read_board(store: Store, profile: Profile, reader: Reader, now: datetime) -> Board:
    """Every car park at ``now`` (aware): measured where its feed answers, else simulated, else without data."""
    moment = times.from_datetime(now)
    feeds: dict[str, _Feed] = {}
    measured: list[CarPark] = []
    stand_ins: list[CarPark] = []
    streams = _streams(store, profile, reader)
    for place in _places(profile):
        candidates = [s for s in streams if s.place.id == place.id]
        parks = [_car_park(store, reader, s, _feed(store, reader, s.source, feeds), moment) for s in candidates]
        chosen = _choose(parks) or _unknown(place)
        (stand_ins if chosen.simulated else measured).append(chosen)
    # Where a live feed answers, its car parks stand first. One that has never answered leaves the stage to the demo.
    alive = [p for p in measured if p.status == "live"]
    silent = [p for p in measured if p.status != "live"]
    parks = [*alive, *stand_ins, *silent]
    return Board(car_parks=tuple(parks), simulated=bool(stand_ins), now=now)


def read_history(
    store: Store,
    profile: Profile,
    reader: Reader,
    thing_id: str,
    start: datetime,
    end: datetime,
    width: int,
    now: datetime,
) -> History | None:
    """Means over buckets of ``width`` seconds; None for a car park that is not known. The future has no data."""
    stream = next((s for s in _streams(store, profile, reader) if s.thing == thing_id), None)
    if stream is None:
        place = next((p for p in _places(profile) if p.id == thing_id), None)
        if place is None:
            return None
        return History(car_park=_unknown(place), start=start, end=end, width=width, buckets=())
    begin, stop, moment = (times.from_datetime(t) for t in (start, end, now))
    park = _car_park(store, reader, stream, _feed(store, reader, stream.source, {}), moment)
    segments = _segments(store, reader, stream, begin, min(stop, moment))
    pieces = steps.buckets(segments, start=begin, end=stop, width=width * times.SECOND)
    return History(car_park=park, start=start, end=end, width=width, buckets=tuple(map(_bucket, pieces)))


def _bucket(piece: steps.Bucket) -> Bucket:
    return Bucket(
        start=times.to_datetime(piece.start),
        mean=piece.mean,
        low=None if piece.low is None else int(piece.low),
        high=None if piece.high is None else int(piece.high),
        covered=piece.covered,
        implausible=piece.implausible > 0,
    )


def _places(profile: Profile) -> list[ThingProfile]:
    kind = str(profile.services.get("parking", {}).get("kind", "car-park"))
    return [thing for thing in profile.things if thing.kind == kind]


def _streams(store: Store, profile: Profile, reader: Reader) -> list[_Stream]:
    """All streams of free spaces that tell of a car park of the profile."""
    places = {p.id: p for p in _places(profile)}
    query = Query(
        entity="Datastream",
        reader=reader,
        filter=Compare("eq", Path(("ObservedProperty", "id")), Value(FREE, "string")),
        select=("properties",),
        top=10_000,
        expand=(Expand(relation="Thing", query=Query(entity="Thing", reader=reader, select=("name",))),),
    )
    page = store.find(query)
    found: list[_Stream] = []
    for pk, stream, properties in (row[:3] for row in page.rows):
        things = page.expanded["Thing"][pk].rows
        if not things:
            continue
        thing = things[0][1]
        said = _decode(properties)
        place = places.get(str(said.get("simulates", thing)))
        if place is not None:
            found.append(_stream(profile, str(stream), str(thing), place, said))
    return found


def _stream(profile: Profile, stream: str, thing: str, place: ThingProfile, said: dict[str, Any]) -> _Stream:
    source = str(said.get("source", ""))
    simulated = bool(said.get("simulated"))
    capacity = said.get("capacity")
    return _Stream(
        id=stream,
        thing=thing,
        name=place.name,
        place=place,
        source=source,
        silence=steps.Silence.read(said.get("silence", {}), profile.time_zone),
        simulated=simulated,
        capacity=capacity if isinstance(capacity, int) else None,
    )


def _decode(properties: str | None) -> dict[str, Any]:
    return msgspec.json.decode(properties, type=dict[str, Any]) if properties else {}


def _feed(store: Store, reader: Reader, source: str, known: dict[str, _Feed]) -> _Feed:
    if source not in known:
        latest = {entry.stream: entry for entry in store.latest(reader, origin=source)}
        known[source] = _Feed(latest=latest, last=max((e.start for e in latest.values()), default=None))
    return known[source]


def _car_park(store: Store, reader: Reader, stream: _Stream, feed: _Feed, now: int) -> CarPark:
    latest = feed.latest.get(stream.id)
    free = _number(latest.result) if latest else None
    reason = _reason(latest, feed, stream.silence, now)
    live = not reason and free is not None
    # A feed that tells the capacity of the moment tells the one that belongs to its own count.
    own = feed.latest.get(f"{stream.thing}~capacity")
    capacities = _capacities(stream.place)
    capacity = (_number(own.result) if own else None) or stream.capacity or _first(capacities)
    return CarPark(
        id=stream.thing,
        stream=stream.id,
        name=stream.name,
        lon=stream.place.position.lon if stream.place.position else None,
        lat=stream.place.position.lat if stream.place.position else None,
        kind=_kind(stream.place),
        zone=_text(stream.place, "tariff_zone"),
        capacity=capacity,
        capacities=capacities,
        free=free if live else None,
        status="live" if live else "no-data",
        reason="" if live else (reason or "never"),
        trend=_trend(store, reader, stream, free or 0, capacity, now) if live else "unknown",
        observed_at=times.to_datetime(latest.start) if latest else None,
        confirmed_at=times.to_datetime(feed.last) if feed.last is not None and latest else None,
        simulated=stream.simulated,
        flags=tuple(_flags(latest.quality)) if latest and live else (),
    )


def _reason(
    latest: Latest | None, feed: _Feed, silence: steps.Silence, now: int
) -> Literal["", "never", "feed-silent", "silent"]:
    if latest is None or feed.last is None:
        return "never"
    if feed.last < now and silence.silent_from(feed.last, now) is not None:
        return "feed-silent"
    if latest.start + silence.rewrite + silence.slack < now:
        return "silent"
    return ""


def _trend(
    store: Store, reader: Reader, stream: _Stream, free: int, capacity: int | None, now: int
) -> Literal["rising", "falling", "steady", "unknown"]:
    """Against the value of half an hour ago; a change of less than 2 % of the capacity (at least 2) is none."""
    points = store.points(reader, stream.id, now - _TREND, now - _TREND + 1, before=True)
    earlier = _number(points.results[-1]) if points.results else None
    if earlier is None or now - _TREND - points.times[-1] > stream.silence.rewrite + stream.silence.slack:
        return "unknown"
    step = max(2, (capacity or 0) // 50)
    if abs(free - earlier) < step:
        return "steady"
    return "rising" if free > earlier else "falling"


def _segments(store: Store, reader: Reader, stream: _Stream, start: int, end: int) -> list[steps.Segment]:
    """The step function, with enough of what was before to know what held at the start."""
    points = store.points(reader, stream.id, start, end, before=True)
    reach = stream.silence.rewrite + stream.silence.night + stream.silence.slack
    reports = store.reports(reader, stream.source, start - reach, end)
    return steps.read_steps(
        points.times,
        [_number(result) for result in points.results],
        points.flags,
        reports=reports,
        silence=stream.silence,
        start=start,
        end=end,
    )


def _choose(parks: Sequence[CarPark]) -> CarPark | None:
    """The measured one where its feed answers; else the simulated one; else whichever there is."""
    live = [p for p in parks if p.status == "live" and not p.simulated]
    simulated = [p for p in parks if p.simulated]
    return next(iter([*live, *simulated, *parks]), None)


def _unknown(place: ThingProfile) -> CarPark:
    """A car park that nobody has told of yet."""
    capacities = _capacities(place)
    return CarPark(
        id=place.id,
        stream=f"{place.id}~free",
        name=place.name,
        lon=place.position.lon if place.position else None,
        lat=place.position.lat if place.position else None,
        kind=_kind(place),
        zone=_text(place, "tariff_zone"),
        capacity=_first(capacities),
        capacities=capacities,
        free=None,
        status="no-data",
        reason="never",
        observed_at=None,
        confirmed_at=None,
    )


def _capacities(place: ThingProfile) -> tuple[Capacity, ...]:
    return tuple(
        Capacity(value=fact.value, source=fact.source, date=fact.date)
        for fact in _facts(place, "capacity")
        if isinstance(fact.value, int)
    )


def _facts(place: ThingProfile, name: str) -> Iterable[Fact]:
    entry = place.facts.get(name)
    return [] if entry is None else as_list(entry)


def _kind(place: ThingProfile) -> str | None:
    """The type as the first source has it."""
    return _text(place, "type")


def _text(place: ThingProfile, name: str) -> str | None:
    return next((str(fact.value) for fact in _facts(place, name)), None)


def _first(capacities: Sequence[Capacity]) -> int | None:
    return capacities[0].value if capacities else None


def _number(value: Json) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _flags(quality: Json) -> list[str]:
    said = quality.get("flags") if isinstance(quality, dict) and quality.get("plausible") is False else None
    return [str(flag) for flag in said] if isinstance(said, list) else []
