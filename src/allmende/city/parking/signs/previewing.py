"""What signs would show, before anything is written down: one of each kind of sign for all that look alike."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from allmende.city.house import House
from allmende.city.parking.operating.models import Event
from allmende.city.parking.signs import keeping
from allmende.city.parking.signs.announcing import announce
from allmende.city.parking.signs.drawing import Face, faces
from allmende.city.parking.signs.file import signs_of
from allmende.city.parking.signs.model import Display, Message, Signs
from allmende.city.parking.signs.rules import decide


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Signs that would look alike."""

    faces: list[Face]
    names: list[str]
    hidden: bool
    """Whether something of a higher rank would stand in its place."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, and those that have no room for it."""

    looks: list[Look]
    too_small: list[str]

    @property
    def count(self) -> int:
        """How many signs would show it."""
        return sum(len(look.names) for look in self.looks)


def of_event(house: House, event: Event, now: datetime) -> Preview:
    """Of an event that is not written down yet, at its beginning."""
    signs = signs_of(house.profile)
    found = announce(signs, event)
    named = {name for message in found.messages for name in message.displays}
    displays = [display for display in signs.displays.values() if display.id in named]
    preview = of_messages(house, signs, found.messages, displays, now)
    return msgspec.structs.replace(preview, too_small=[display.name for display in found.too_small])


def of_messages(
    house: House, signs: Signs, messages: Sequence[Message], displays: Iterable[Display], now: datetime
) -> Preview:
    """Of messages on these displays, at their beginning, beside what else is on them then. The numbers are today's."""
    start = max(now, min((message.start for message in messages), default=now))
    others = keeping.messages_now(signs, now)
    states = [msgspec.structs.replace(state, confirmed_at=start) if state.confirmed_at else state
              for state in keeping.states_now(house, now)]  # fmt: skip
    ours = {message.id for message in messages}
    looks: dict[tuple[object, bool], tuple[list[Face], list[str]]] = {}
    for display in displays:
        shown = decide(display, None, states, [*others, *messages], start)
        key = (display.model.id, shown.pages), shown.message not in ours
        looks.setdefault(key, (faces(display, shown), []))[1].append(display.name)
    return Preview(
        looks=[Look(faces=drawn, names=names, hidden=key[1]) for key, (drawn, names) in looks.items()], too_small=[]
    )
