"""Events of operators as texts on the signs that show the car parks they name."""

import textwrap
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from allmende.city.parking.operating.models import Event
from allmende.city.parking.signs.model import Display, Message, Model, Rows, Signs
from allmende.city.parking.signs.writing import fits

_NO_END = datetime(9999, 1, 1, tzinfo=UTC)


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of an event on signs."""

    messages: tuple[Message, ...] = ()
    """In turns with what each sign shows by itself: the free spaces are asked for most on such days."""
    too_small: tuple[Display, ...] = ()
    """Signs that have no room for any of its texts, or cannot write them."""


def announce(signs: Signs, event: Event) -> Announced:
    """The texts of an event, for each kind of display that shows one of its sites."""
    if not event.on_signs:
        return Announced()
    texts = event.sign_text or {"de": event.name}
    by_model: dict[str, list[Display]] = {}
    for display in signs.displays.values():
        if set(display.shows) & set(event.sites):
            by_model.setdefault(display.model.id, []).append(display)
    messages: list[Message] = []
    too_small: list[Display] = []
    for number, displays in enumerate(by_model.values()):
        pages = pages_on(displays[0].model, texts)
        if not pages:
            too_small += displays
            continue
        messages.append(
            Message(
                id=f"event-{event.pk or 0}-{number}",
                displays=frozenset(display.id for display in displays),
                start=event.start,
                until=event.until or _NO_END,
                reason=event.name[:200],
                rank="event",
                pages=pages,
                beside=True,
            )
        )
    return Announced(messages=tuple(messages), too_small=tuple(too_small))


def of_events(signs: Signs, events: Iterable[Event]) -> list[Message]:
    """All of them."""
    return [message for event in events for message in announce(signs, event).messages]


def pages_on(model: Model, texts: Mapping[str, str]) -> dict[str, Rows]:
    """The texts as a model writes them, by language; one that does not fit is left out."""
    found = {language: wrapped(model, text) for language, text in texts.items() if text.strip()}
    return {language: rows for language, rows in found.items() if rows is not None}


def wrapped(model: Model, text: str) -> Rows | None:
    """A text in rows, broken between words, or None where a display has no room for it. Never cut off: half of a text
    may say the contrary."""
    rows: list[str] = []
    for line in text.splitlines():
        rows += textwrap.wrap(line, model.columns, break_long_words=False, break_on_hyphens=False)
    written = tuple(row.upper() if model.upper else row for row in rows)
    return written if 0 < len(written) <= model.rows and all(fits(model, row) for row in written) else None
