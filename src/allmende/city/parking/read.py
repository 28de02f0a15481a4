"""The board and the histories of car parks: states of sites for a page, change-only streams read as step functions."""

from collections.abc import Iterable
from datetime import datetime

from allmende.city.parking.board import Board, Bucket, Capacity, CarPark, History, Special
from allmende.city.parking.drivers.places import is_counted, only_for
from allmende.city.parking.operating.words import said_publicly
from allmende.city.parking.state import NOTHING_DECIDED, Decisions, SiteState, read_states
from allmende.city.parking.told import Pasts, nothing_decided, told_of
from allmende.domain import steps, times
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store


def read_board(
    store: Store, profile: Profile, reader: Reader, now: datetime, *, decisions: Decisions = NOTHING_DECIDED
) -> Board:
    """Every car park at ``now`` (aware): measured where its feed answers, else simulated, else without data."""
    return board_of(read_states(store, profile, reader, now, decisions=decisions, kinds=[shown_kind(profile)]), now)


def board_of(states: Iterable[SiteState], now: datetime) -> Board:
    """The board that these states make."""
    parks = [car_park(state) for state in states]
    # Where a live feed answers, its car parks stand first. One that has never answered leaves the stage to the demo.
    alive = [park for park in parks if not park.simulated and park.status != "no-data"]
    stand_ins = [park for park in parks if park.simulated]
    silent = [park for park in parks if not park.simulated and park.status == "no-data"]
    return Board(car_parks=(*alive, *stand_ins, *silent), simulated=bool(stand_ins), now=now)


def shown_kind(profile: Profile) -> str:
    """Which kind of sites the board shows: ``kind`` of ``[services.parking]``."""
    return str(profile.services.get("parking", {}).get("kind", "car-park"))


def car_park(state: SiteState) -> CarPark:
    """A state as the pages show it."""
    site = state.site
    return CarPark(
        id=site.id,
        stream=state.stream or f"{site.id}~free",
        name=site.name,
        lon=site.lon,
        lat=site.lat,
        kind=site.fact("type"),
        zone=site.fact("tariff_zone"),
        capacity=state.capacity,
        capacities=tuple(
            Capacity(value=said.value, source=said.source, date=said.date)
            for said in site.said("capacity")
            if said.value is not None
        ),
        free=state.free,
        status=state.status,
        reason=state.reason,
        trend=state.trend,
        observed_at=state.observed_at,
        confirmed_at=state.confirmed_at,
        simulated=state.simulated,
        place=site.kind,
        counted=is_counted(state),
        only=only_for(state),
        spaces=tuple(
            Special(kind, each.capacity, each.free if state.status == "live" and not state.flags else None)
            for kind, each in state.spaces.items()
            if kind and each.capacity
        ),
        estimated=state.estimated and state.status == "live",
        error=state.error,
        outline=site.geometry,
        flags=state.flags,
        decided=said_publicly(state),
        as_counted=state.counted is None and state.override is None,
        decided_until=(state.override.until if state.override else state.closure.until if state.closure else None),
    )


def read_history(
    store: Store,
    profile: Profile,
    reader: Reader,
    thing_id: str,
    start: datetime,
    end: datetime,
    width: int,
    now: datetime,
    *,
    decisions: Decisions = NOTHING_DECIDED,
    pasts: Pasts = nothing_decided,
) -> History | None:
    """Means over buckets of ``width`` seconds; None for a site that is not known. The future has no data, and what was
    decided counts where it held."""
    states = read_states(
        store, profile, reader, now, decisions=decisions, simulated="beside", trends=False, only=thing_id
    )
    state = next((state for state in states if state.site.id == thing_id), None)
    if state is None:
        return None
    stream = next((stream for stream in state.site.streams if stream.id == state.stream), None)
    pieces: list[steps.Bucket] = []
    if stream is not None:
        begin, stop, moment = (times.from_datetime(t) for t in (start, end, now))
        segments, _ = told_of(profile, state.site, stream, pasts).read(store, reader, begin, min(stop, moment))
        pieces = steps.buckets(segments, start=begin, end=stop, width=width * times.SECOND)
    buckets = tuple(map(_bucket, pieces))
    return History(car_park=car_park(state), site=state.site, start=start, end=end, width=width, buckets=buckets)


def _bucket(piece: steps.Bucket) -> Bucket:
    return Bucket(
        start=times.to_datetime(piece.start),
        mean=piece.mean,
        low=None if piece.low is None else int(piece.low),
        high=None if piece.high is None else int(piece.high),
        covered=piece.covered,
        implausible=piece.implausible > 0,
    )
