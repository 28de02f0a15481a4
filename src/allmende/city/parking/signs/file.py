"""Reads ``signs.toml`` of a city's profile. What is wrong is told with its place, and nothing is read of such a file.

Lengths of time are ISO 8601 durations. Displays hang at masts: ``[masts.NAME]`` with its street and ``displays``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from allmende.city.parking.signs.model import Arrow, Direction, Display, Message, Model, Rank, Rows, Rules, Signs
from allmende.city.parking.signs.writing import characters_of, check_rows, fill
from allmende.city.parking.sites import KINDS
from allmende.city.parking.statements import SPACES_FOR
from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Position, Profile
from allmende.domain.profile_checks import ProfileError, check_id, check_origin, check_position
from allmende.domain.tables import convert, mapping, tables

TABLE = "signs"
"""Its name among the tables of ``[services.parking]``."""
WORDS = ("free", "full", "closed", "unknown")
_DAY = timedelta(days=1)


class _Raw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of the file."""

    dataset: str = ""
    simulated: bool = False
    open_feeds: bool = True
    poll: str = "PT30S"
    ring: list[str] = []
    outside: list[str] = []
    facts: list[Any] = []
    rules: dict[str, Any] = {}
    models: dict[str, Any] = {}
    masts: dict[str, Any] = {}
    events: list[Any] = []


class _RawFact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: dict[str, str]
    source: str
    date: str


class _RawModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rows: int
    columns: int
    characters: str
    words: dict[str, dict[str, str]]
    alternate: str = "PT4S"
    upper: bool = False
    colour: Literal["amber", "white", "green", "red"] = "amber"


class _RawRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    step: int = 1
    full_at: int = 0
    free_at: int = 1
    hold: str = "PT1M"
    stale: str = "PT30M"
    valid: str = "PT20M"
    share: float = 1.0
    number: bool = True


class _RawMast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    street: str
    name: str = ""
    position: Position | None = None
    displays: list[Any]


class _RawDisplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    model: str
    shows: list[str]
    name: str = ""
    spaces_for: str = ""
    direction: Direction = ""
    toward: str = ""
    arrow: Arrow = ""
    controller: str = ""
    lines: tuple[str, ...] = ("{state}",)
    rules: dict[str, Any] = {}


class _RawEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    start: datetime
    until: datetime
    reason: str
    pages: dict[str, list[str]]
    displays: list[str] = []
    streets: list[str] = []
    direction: Direction = ""
    rank: Rank = "event"
    beside: bool = False


def signs_of(profile: Profile) -> Signs:
    """The signs of a city; none where its profile names no file of them. Raises ProfileError."""
    return _read(_Same(profile))


class _Same:
    """A profile that is one with itself alone, so that what was read of it is found again."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __hash__(self) -> int:
        return id(self.profile)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.profile is self.profile


@lru_cache(maxsize=4)
def _read(same: _Same) -> Signs:
    said = same.profile.services.get("parking", {}).get("tables", {})
    body = said.get(TABLE, {}) if isinstance(said, Mapping) else {}
    return read_signs(body, same.profile, place=TABLE) if body else Signs()


def read_signs(body: Mapping[str, Any], profile: Profile, *, place: str) -> Signs:
    """Signs of plain data; ``place`` stands before the keys that errors name."""
    raw = convert(dict(body), _Raw, place)
    dataset = profile.datasets.get(raw.dataset)
    if dataset is None:
        raise ProfileError(f"{place}.dataset", 'there is no dataset "%(dataset)s"', dataset=raw.dataset)
    if dataset.simulated != raw.simulated:
        raise ProfileError(
            f"{place}.simulated", 'does not go with the dataset "%(dataset)s": both are simulated, or neither',
            dataset=raw.dataset,
        )  # fmt: skip
    models = {
        key: _model(key, each, f"{place}.models.{key}") for key, each in tables(raw.models, f"{place}.models").items()
    }
    known = {thing.id for thing in profile.things if thing.kind in KINDS} | set(raw.outside)
    displays: dict[str, Display] = {}
    for key, each in tables(raw.masts, f"{place}.masts").items():
        for display in _displays(key, each, raw, models, known, f"{place}.masts.{key}"):
            displays[display.id] = display
    events = [_event(each, displays, raw, profile, f"{place}.events[{n}]") for n, each in enumerate(raw.events)]
    return Signs(
        displays=displays,
        events=tuple(events),
        ring=tuple(raw.ring),
        facts=tuple(_fact(each, f"{place}.facts[{n}]") for n, each in enumerate(raw.facts)),
        open_feeds=raw.open_feeds,
        poll=_length(raw.poll, f"{place}.poll"),
    )


def _fact(value: object, place: str) -> dict[str, str]:
    raw = convert(mapping(value, place), _RawFact, place)
    _named(raw.words, f"{place}.words")
    check_origin(raw.source, raw.date, place)
    return {**raw.words, "source": raw.source, "date": raw.date}


def _model(key: str, body: dict[str, Any], place: str) -> Model:
    raw = convert(body, _RawModel, place)
    for name, value, most in (("rows", raw.rows, 12), ("columns", raw.columns, 40)):
        if not 1 <= value <= most:
            raise ProfileError(f"{place}.{name}", "is a number from 1 to %(most)s", most=most)
    if not raw.words:
        raise ProfileError(f"{place}.words", "has the words of one language at least")
    for language, words in raw.words.items():
        for name in WORDS:
            if name not in words:
                raise ProfileError(f"{place}.words.{language}.{name}", "is missing")
        if extra := sorted(set(words) - set(WORDS)):
            raise ProfileError(f"{place}.words.{language}.{extra[0]}", "is no known key")
    return Model(
        id=key,
        rows=raw.rows,
        columns=raw.columns,
        characters=characters_of(raw.characters),
        words=raw.words,
        alternate=_length(raw.alternate, f"{place}.alternate"),
        upper=raw.upper,
        colour=raw.colour,
    )


def _rules(body: Mapping[str, Any], place: str) -> Rules:
    raw = convert(dict(body), _RawRules, place)
    for name, value, least in (("step", raw.step, 1), ("full_at", raw.full_at, 0)):
        if value < least:
            raise ProfileError(f"{place}.{name}", "is %(least)s at the least", least=least)
    if raw.free_at <= raw.full_at:
        raise ProfileError(f"{place}.free_at", "is greater than full_at, or the display flickers between the two")
    if not 0 < raw.share <= 1:
        raise ProfileError(f"{place}.share", "is a share greater than 0, 1 at the most")
    hold = _length(raw.hold, f"{place}.hold") if raw.hold != "PT0S" else timedelta()
    stale, valid = _length(raw.stale, f"{place}.stale"), _length(raw.valid, f"{place}.valid")
    if hold >= stale:
        raise ProfileError(f"{place}.hold", "is shorter than stale, or a number is held that is too old to be shown")
    return Rules(
        step=raw.step, full_at=raw.full_at, free_at=raw.free_at, hold=hold, stale=stale, valid=valid, share=raw.share,
        number=raw.number,
    )  # fmt: skip


def _displays(
    mast: str, body: dict[str, Any], whole: _Raw, models: Mapping[str, Model], known: set[str], place: str
) -> list[Display]:
    raw = convert(body, _RawMast, place)
    if raw.position is not None:
        check_position(raw.position.lon, raw.position.lat, f"{place}.position")
        check_origin(raw.position.source, raw.position.date, f"{place}.position")
    found: dict[str, Display] = {}
    for number, value in enumerate(raw.displays):
        where = f"{place}.displays[{number}]"
        each = convert(mapping(value, where), _RawDisplay, where)
        check_id(each.id, f"{where}.id")
        if each.id in found:
            raise ProfileError(f"{where}.id", '"%(id)s" is there twice', id=each.id)
        if each.model not in models:
            raise ProfileError(f"{where}.model", 'there is no model "%(model)s"', model=each.model)
        if not each.shows or len(set(each.shows)) != len(each.shows):
            raise ProfileError(f"{where}.shows", "names each site once, and one at the least")
        for name in each.shows:
            if name not in known:
                raise ProfileError(
                    f"{where}.shows", 'there is no parking site "%(name)s"; name in outside what a source brings',
                    name=name,
                )  # fmt: skip
        if each.spaces_for and each.spaces_for not in SPACES_FOR:
            raise ProfileError(f"{where}.spaces_for", '"%(value)s" is no kind of spaces', value=each.spaces_for)
        display = Display(
            id=f"{mast}-{each.id}",
            mast=mast,
            name=each.name or f"{raw.name or mast} {each.id}",
            street=raw.street,
            shows=tuple(each.shows),
            spaces_for=each.spaces_for,
            direction=each.direction,
            toward=each.toward,
            arrow=each.arrow,
            controller=each.controller,
            model=models[each.model],
            rules=_rules({**whole.rules, **each.rules}, f"{where}.rules"),
            lines=each.lines,
            simulated=whole.simulated,
            dataset=whole.dataset,
            position=(raw.position.lon, raw.position.lat) if raw.position else None,
        )
        _check_words(display, where)
        found[each.id] = display
    return list(found.values())


def _check_words(display: Display, place: str) -> None:
    """Every word fits where it is to stand."""
    for language, words in display.model.words.items():
        for name in WORDS:
            try:
                check_rows(display.model, fill(display, words[name]), display.id)
            except InvalidInput as error:
                where = f"{place}: {display.model.id}.words.{language}.{name}"
                raise ProfileError(where, error.template, **error.arguments) from None


def _event(value: object, displays: Mapping[str, Display], whole: _Raw, profile: Profile, place: str) -> Message:
    raw = convert(mapping(value, place), _RawEvent, place)
    check_id(raw.id, f"{place}.id")
    zone = ZoneInfo(profile.time_zone)
    start, until = (each if each.tzinfo else each.replace(tzinfo=zone) for each in (raw.start, raw.until))
    if until <= start:
        raise ProfileError(f"{place}.until", "ends before it begins")
    for name in raw.displays:
        if name not in displays:
            raise ProfileError(f"{place}.displays", 'there is no display "%(name)s"', name=name)
    named = bool(raw.displays or raw.streets or raw.direction)
    chosen = [
        each
        for each in displays.values()
        if not named
        or each.id in raw.displays
        or ((raw.streets or raw.direction) and (not raw.streets or each.street in raw.streets)
            and (not raw.direction or each.direction == raw.direction))
    ]  # fmt: skip
    if not chosen:
        raise ProfileError(place, "chooses no display")
    try:
        pages = fitting(chosen, {language: tuple(rows) for language, rows in raw.pages.items()})
    except InvalidInput as error:
        raise ProfileError(f"{place}.pages", error.template, **error.arguments) from None
    return Message(
        id=f"event-{raw.id}",
        displays=frozenset(each.id for each in chosen),
        start=start,
        until=until,
        reason=raw.reason,
        rank=raw.rank,
        pages=pages,
        beside=raw.beside,
    )


def fitting(displays: list[Display], pages: Mapping[str, Rows]) -> dict[str, Rows]:
    """The pages, without empty ones, where they fit on each of the displays. Raises InvalidInput."""
    found = {language: rows for language, rows in pages.items() if any(row.strip() for row in rows)}
    for display in displays:
        for rows in found.values():
            check_rows(display.model, rows, display.id)
    return found


def _length(value: str, place: str) -> timedelta:
    try:
        length = timedelta(microseconds=times.parse_duration(value))
    except InvalidInput:
        length = timedelta()
    if not timedelta() < length <= _DAY:
        raise ProfileError(place, '"%(value)s" is no duration of a day at most, e.g. PT30S', value=value)
    return length


def _named(words: Mapping[str, str], place: str) -> None:
    if not words.get("de") or not words.get("en"):
        raise ProfileError(place, "is there in German (de) and English (en)")
