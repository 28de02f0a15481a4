"""Keeps what each display shows, and tells the commons: as a job, and at once where an operator changed something.

What is kept, what is told and what an operator wrote stand in one transaction. The states of the sites are those that
everybody may see: what is closed to the public does not come out by a sign.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from django.db import transaction

from allmende.city.house import House
from allmende.city.parking.now import states_at
from allmende.city.parking.operating import paperwork
from allmende.city.parking.signs import feed
from allmende.city.parking.signs.announcing import of_events
from allmende.city.parking.signs.file import signs_of
from allmende.city.parking.signs.model import Display, Message, Rank, Shown, Signs
from allmende.city.parking.signs.models import SignKept, SignMessage
from allmende.city.parking.signs.rules import decide
from allmende.city.parking.standing import SiteState
from allmende.domain import times
from allmende.domain.records import (
    Declaration,
    Position,
    Property,
    Record,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)

KIND = "parking-sign"
"""What the Thing of a display says of itself under ``kind``."""


def run(house: House) -> None:
    """Decide for all displays of the city anew."""
    signs = signs_of(house.profile)
    if signs.displays or SignKept.objects.exists():
        refresh(house, signs)


def refresh(house: House, signs: Signs, only: Iterable[str] | None = None) -> dict[str, Shown]:
    """Decide for these displays, keep it, and tell what is another; gives what they show."""
    now = house.now()
    chosen = [signs.displays[name] for name in (signs.displays if only is None else only) if name in signs.displays]
    states = states_now(house, now)
    with transaction.atomic():
        rows = SignKept.objects.select_for_update().order_by("display")
        known = {row.display: row for row in rows}
        messages = messages_now(signs, now)
        found: dict[str, Shown] = {}
        write, tell = [], []
        for display in chosen:
            row = known.get(display.id)
            before = _read(row.shown) if row else None
            shown = found[display.id] = decide(display, before, states, messages, now)
            text = msgspec.json.encode(shown).decode()
            if row is None or row.shown != text:
                write.append(SignKept(display=display.id, shown=text))
            if before is None or feed.told(display, before) != feed.told(display, shown):
                tell.append((display, shown))
        _write(write)
        SignKept.objects.filter(display__in=set(known) - set(signs.displays)).delete()
        for dataset in sorted({display.dataset for display, _ in tell}):
            house.give("parking", dataset, records((d, s) for d, s in tell if d.dataset == dataset))
    return found


def states_now(house: House, now: datetime) -> tuple[SiteState, ...]:
    """How every site stands, as everybody may know it."""
    return states_at(house.for_anybody(), now, trends=False)


def kept(displays: Iterable[str]) -> dict[str, Shown]:
    """What is kept of these displays."""
    rows = SignKept.objects.filter(display__in=list(displays))
    return {row.display: shown for row in rows if (shown := _read(row.shown)) is not None}


def messages_now(signs: Signs, now: datetime) -> list[Message]:
    """Events of the city's file and of operators, and operators' messages, that are not over."""
    decided = [event for event in paperwork.papers(now).events if not event.over(now)]
    from_file = [event for event in signs.events if now < event.until]
    return [*from_file, *of_events(signs, decided), *written(now).values()]


def written(now: datetime) -> dict[int, Message]:
    """Operators' messages that are not over, by their key, those that begin first in front."""
    return {row.pk: as_message(row) for row in SignMessage.objects.filter(until__gt=now).order_by("start", "pk")}


def as_message(row: SignMessage) -> Message:
    """A kept message as the rules read it."""
    rank: Rank = "urgent" if row.rank == "urgent" else "event" if row.rank == "event" else "notice"
    return Message(
        id=f"message-{row.pk}",
        displays=frozenset(row.displays),
        start=row.start,
        until=row.until,
        reason=row.reason,
        rank=rank,
        pages={language: tuple(rows) for language, rows in row.pages.items()},
        beside=row.beside,
    )


def records(shown: Iterable[tuple[Display, Shown]]) -> list[Record]:
    """Tellings as readings of the commons: a Thing and a Datastream for each display."""
    found: list[Record] = []
    for display, each in shown:
        found.append(declaration(display))
        found.append(
            Series(
                stream=stream_of(display.id),
                times=[times.from_datetime(each.decided_at)],
                results=[feed.told(display, each)],
            )
        )
    return found


def stream_of(display: str) -> str:
    """The id of the Datastream of what a display shows."""
    return f"{thing_of(display)}~shown"


def thing_of(display: str) -> str:
    """The id of a display's Thing."""
    return f"parking-sign-{display}"


def declaration(display: Display) -> Declaration:
    """What the commons are told of a display."""
    said: Mapping[str, object] = {
        "kind": KIND,
        "mast": display.mast,
        "street": display.street,
        "direction": display.direction,
        "toward": display.toward,
        "shows": list(display.shows),
        "controller": display.controller,
    }
    return Declaration(
        stream=stream_of(display.id),
        name=f"{display.name}: shown",
        thing=ThingDeclaration(
            id=thing_of(display.id),
            name=display.name,
            description=f"{display.street}, {display.model.rows} × {display.model.columns}",
            properties={key: value for key, value in said.items() if value}
            | ({"simulated": True} if display.simulated else {}),
            position=Position(*display.position) if display.position else None,
        ),
        sensor=SensorDeclaration(id="parking-sign-rules", name="Rules of the parking guidance system"),
        observed_property=Property(
            id="sign-content",
            name="Content of a sign",
            definition="https://www.datex2.eu/datex2/vms",
            description="State, number and rows of a display, and until when a controller may show them.",
        ),
        unit=Unit("1", "1"),
        observation_type="complex",
        properties={"simulated": True} if display.simulated else {},
    )


def _read(text: str) -> Shown | None:
    """What another version kept and this one cannot read is not known."""
    try:
        return msgspec.json.decode(text, type=Shown)
    except msgspec.MsgspecError:
        return None


def _write(rows: Sequence[SignKept]) -> None:
    if rows:
        SignKept.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["display"], update_fields=["shown"], batch_size=500
        )
