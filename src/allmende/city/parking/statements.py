"""What is said of a parking site, by whom: every statement is kept, one of each fact counts.

Facts have the names, types and units of ParkAPI version 3 (``parkapi-sources``), in snake_case: ``capacity`` and
``capacity_<kind of space>`` are whole numbers, ``max_height`` and ``max_width`` centimetres, ``max_stay`` seconds,
``opening_hours`` is in the syntax of OpenStreetMap, ``type``, ``purpose``, ``supervision_type`` and ``orientation`` are
words of its lists, ``park_and_ride_type`` is a list of such words. What a source writes otherwise is turned into that
where it is clear what is meant; what is not clear is kept as it was said, with a note, and does not count.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from allmende.city.parking.opening_jena import from_jena
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Facts, as_list
from allmende.domain.times import SECOND, parse_duration

SPACES_FOR = (
    "disabled", "woman", "family", "charging", "carsharing", "bus", "truck", "caravan", "motorcycle", "bike", "leased",
)  # fmt: skip
"""Kinds of spaces that are counted apart; ``leased`` is the house's own word for spaces that are not public."""

By = Literal["operator", "profile", "source"]
"""Who says it, the one who counts first: the city's operator, the city's profile, a source of the data."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement on one fact."""

    value: Any
    """In the types and units above; None where it cannot be read, and then it does not count."""
    source: str
    """An address, a short description of the origin, or the id of a source of the profile."""
    date: str
    """As in a profile: ``2025``, ``2025-02``, ``2025-02-01``, a span, or ``undated``."""
    by: By = "profile"
    said: Any = None
    """As it was written, where that is something else than ``value``."""
    note: str = ""
    """What is odd about it, as a word: ``not-a-number``, ``not-whole``, ``out-of-range``, ``unit-unclear``,
    ``metres-taken``, ``not-yes-or-no``, ``unknown-word``, ``not-a-duration``, ``not-a-text``,
    ``not-an-address``, ``not-a-list``, ``hours-unclear``."""


Statements = Mapping[str, tuple[Statement, ...]]
"""By the fact's name; the first one that has a value is the one that counts."""


class Unclear(Exception):
    """What was said cannot be read; the message is the note."""


_ALIASES = {
    "page": "public_url",
    "longest_stay": "max_stay",
    "openings": "opening_hours",
    "prices": "fee_description",
    "capacity_women": "capacity_woman",
    "capacity_handicapped": "capacity_disabled",
    "operator": "operator_name",
}
_AMOUNT = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,6}))?\s*([A-Za-z]*)\Z", re.ASCII)
_LENGTHS = {"m": 100.0, "cm": 1.0, "mm": 0.1}
_TIMES = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_SPACES_MOST = 1_000_000
_TRUTH = {
    **dict.fromkeys(("true", "yes", "ja", "j", "y", "1", "wahr"), True),
    **dict.fromkeys(("false", "no", "nein", "n", "0", "falsch"), False),
}
_TYPES = {
    "lot": "OFF_STREET_PARKING_GROUND",
    "parkplatz": "OFF_STREET_PARKING_GROUND",
    "parkfläche": "OFF_STREET_PARKING_GROUND",
    "openspace": "OFF_STREET_PARKING_GROUND",
    "garage": "CAR_PARK",
    "building": "CAR_PARK",
    "parkhaus": "CAR_PARK",
    "multistorey": "CAR_PARK",
    "tiefgarage": "UNDERGROUND",
    "street": "ON_STREET",
    "on-street": "ON_STREET",
    "onstreet": "ON_STREET",
}
_WORDS: Mapping[str, tuple[frozenset[str], Mapping[str, str]]] = {
    "type": (
        frozenset(
            (
                "ON_STREET", "OFF_STREET_PARKING_GROUND", "UNDERGROUND", "CAR_PARK", "WALL_LOOPS", "SAFE_WALL_LOOPS",
                "STANDS", "LOCKERS", "SHED", "TWO_TIER", "BUILDING", "FLOOR", "LOCKBOX", "OTHER",
            )
        ),
        _TYPES,
    ),
    "purpose": (frozenset(("CAR", "BIKE", "MOTORCYCLE", "ITEM")), {"bicycle": "BIKE"}),
    "supervision_type": (frozenset(("YES", "NO", "VIDEO", "ATTENDED")), {"ja": "YES", "nein": "NO"}),
    "orientation": (
        frozenset(("PARALLEL", "DIAGONAL", "PERPENDICULAR")),
        {"längs": "PARALLEL", "laengs": "PARALLEL", "schräg": "DIAGONAL", "quer": "PERPENDICULAR"},
    ),
    "side": (frozenset(("RIGHT", "LEFT")), {}),
    "parking_type": (frozenset(("LANE", "ON_KERB", "HALF_ON_KERB", "SHOULDER")), {}),
    "linear_parking_position": (frozenset(("ROAD_CENTER_LINE", "PARKING_CENTER_LINE")), {}),
    "park_and_ride_type": (
        frozenset(("CARPOOL", "TRAIN", "BUS", "TRAM", "YES", "NO")),
        {"true": "YES", "false": "NO", "ja": "YES", "nein": "NO"},
    ),
}  # fmt: skip


def read_value(name: str, said: Any, unit: str = "") -> tuple[Any, str]:
    """A fact's value in its type and unit, and a note where something had to be guessed; raises Unclear."""
    reader = _READERS.get(name)
    if reader is None and name.startswith("capacity_"):
        reader = _READERS["capacity"]
    return (said, "") if reader is None else reader(name, said, unit)


def state(name: str, said: Any, *, source: str, date: str, by: By, unit: str = "") -> Statement:
    """A statement on the fact ``name``, whatever was said: what cannot be read has no value and a note."""
    try:
        value, note = read_value(name, said, unit)
    except Unclear as unclear:
        value, note = None, str(unclear)
    same = type(value) is type(said) and value == said
    return Statement(value=value, source=source, date=date, by=by, said=None if same else said, note=note)


def from_profile(facts: Facts) -> dict[str, list[Statement]]:
    """What a profile says of a thing, in its order."""
    found: dict[str, list[Statement]] = {}
    for key, entry in facts.items():
        name = _ALIASES.get(key, key)
        for fact in as_list(entry):
            made = state(name, fact.value, source=fact.source, date=fact.date, by="profile", unit=fact.unit)
            found.setdefault(name, []).append(made)
    return found


def from_properties(said: Mapping[str, Any], source: str) -> dict[str, list[Statement]]:
    """What a thing's properties say in the agreed names: plain, or with a source and a date of their own."""
    found: dict[str, list[Statement]] = {}
    date = said.get("static_data_updated_at")
    plain_date = date[:10] if isinstance(date, str) and date else "undated"
    for key, entry in said.items():
        name = _ALIASES.get(key, key)
        if name not in _READERS and not name.startswith("capacity_"):
            continue
        for item in entry if isinstance(entry, list) and are_facts(entry) else [entry]:
            fact = item if isinstance(item, dict) and "value" in item else {"value": item}
            if fact["value"] in (None, "", []):
                continue
            made = state(
                name,
                fact["value"],
                source=str(fact.get("source") or source),
                date=str(fact.get("date") or plain_date),
                by="source",
                unit=str(fact.get("unit") or ""),
            )
            found.setdefault(name, []).append(made)
    return found


def are_facts(entry: Any) -> bool:
    """Whether a property holds facts with sources, as a profile's things have them, and not a plain value."""
    listed = entry if isinstance(entry, list) else [entry]
    return bool(listed) and all(isinstance(each, dict) and {"value", "source"} <= each.keys() for each in listed)


def merge(*said: Mapping[str, Iterable[Statement]]) -> Statements:
    """All statements by fact: of two with a value the one of the earlier mapping counts; those without come last."""
    merged: dict[str, list[Statement]] = {}
    for each in said:
        for name, statements in each.items():
            known = merged.setdefault(name, [])
            known.extend(statement for statement in statements if statement not in known)
    return {name: tuple(sorted(found, key=lambda each: each.value is None)) for name, found in merged.items()}


def chosen(statements: Statements, name: str) -> Statement | None:
    """The statement that counts; None where nobody says anything that can be read."""
    first: Sequence[Statement] = statements.get(name, ())
    return first[0] if first and first[0].value is not None else None


def _spaces(name: str, said: Any, unit: str) -> tuple[Any, str]:
    if isinstance(said, str) and re.fullmatch(r"[0-9]{1,9}(?:[.,]0+)?", said.strip(), re.ASCII):
        said = int(re.split("[.,]", said.strip())[0])
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise Unclear("not-a-number")
    if said != said or said != int(min(max(said, -1), _SPACES_MOST + 1)):
        raise Unclear("not-whole" if 0 <= said <= _SPACES_MOST else "out-of-range")
    if not 0 <= said <= _SPACES_MOST:
        raise Unclear("out-of-range")
    return int(said), ""


def _centimetres(name: str, said: Any, unit: str) -> tuple[Any, str]:
    amount, written = _amount(said)
    unit = (written or unit).lower()
    note = ""
    if not unit:
        # Nobody enters a garage of 10 cm, and none is 10 m high: between them lies what is not clear.
        if 0 < amount < 10:
            unit, note = "m", "metres-taken"
        elif amount >= 100:
            unit = "cm"
    if unit not in _LENGTHS:
        raise Unclear("unit-unclear")
    found = round(amount * _LENGTHS[unit])
    if not 100 <= found <= 2000:
        raise Unclear("out-of-range")
    return found, note


def _seconds(name: str, said: Any, unit: str) -> tuple[Any, str]:
    if isinstance(said, str) and said.strip().startswith("P"):
        try:
            found = parse_duration(said.strip()) // SECOND
        except InvalidInput:
            raise Unclear("not-a-duration") from None
    else:
        amount, written = _amount(said)
        factor = _TIMES.get((written or unit or "s").lower())
        if factor is None:
            raise Unclear("unit-unclear")
        found = round(amount * factor)
    if not 0 < found <= 366 * 86400:
        raise Unclear("out-of-range")
    return found, ""


def _amount(said: Any) -> tuple[float, str]:
    """A number from 0 on, and the unit that is written behind it; a comma is a point."""
    if isinstance(said, str) and (match := _AMOUNT.match(said.strip())):
        return float(f"{match.group(1)}.{match.group(2) or 0}"), match.group(3)
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 1e9:
        raise Unclear("not-a-number")
    return float(said), ""


def _truth(name: str, said: Any, unit: str) -> tuple[Any, str]:
    if isinstance(said, bool):
        return said, ""
    found = _TRUTH.get(str(said).strip().lower()) if isinstance(said, str | int) else None
    if found is None:
        raise Unclear("not-yes-or-no")
    return found, ""


def _word(name: str, said: Any, unit: str) -> tuple[Any, str]:
    words, others = _WORDS[name]
    if isinstance(said, bool):
        said = str(said)
    if not isinstance(said, str):
        raise Unclear("unknown-word")
    found = said.strip().upper().replace(" ", "_")
    if found not in words:
        found = others.get(said.strip().lower(), "")
    if not found:
        raise Unclear("unknown-word")
    return found, ""


def _words(name: str, said: Any, unit: str) -> tuple[Any, str]:
    listed = said if isinstance(said, list) else [said]
    return [_word(name, each, unit)[0] for each in listed], ""


def _text(name: str, said: Any, unit: str) -> tuple[Any, str]:
    if not isinstance(said, str) or not said.strip():
        raise Unclear("not-a-text")
    return said.strip(), ""


def _hours(name: str, said: Any, unit: str) -> tuple[Any, str]:
    """In OpenStreetMap's syntax; a table is one of Jena's description."""
    if not isinstance(said, dict):
        return _text(name, said, unit)
    found, notes = from_jena(said)
    if not found:
        raise Unclear("hours-unclear")
    return found, "hours-unclear" if notes else ""


def _address(name: str, said: Any, unit: str) -> tuple[Any, str]:
    found = _text(name, said, unit)[0]
    if not found.startswith(("https://", "http://")):
        raise Unclear("not-an-address")  # a page never links to what is no address of the web
    return found, ""


def _list(name: str, said: Any, unit: str) -> tuple[Any, str]:
    if not isinstance(said, list):
        raise Unclear("not-a-list")
    return said, ""


_Reader = Callable[[str, Any, str], tuple[Any, str]]
_READERS: Mapping[str, _Reader] = {
    **dict.fromkeys(("capacity", *(f"capacity_{each}" for each in (*SPACES_FOR, "min", "max"))), _spaces),
    **dict.fromkeys(("max_height", "max_width"), _centimetres),
    "max_stay": _seconds,
    "opening_hours": _hours,
    **dict.fromkeys(("has_fee", "has_lighting", "is_covered"), _truth),
    **dict.fromkeys(("type", "purpose", "supervision_type", "orientation"), _word),
    **dict.fromkeys(("side", "parking_type", "linear_parking_position"), _word),
    "park_and_ride_type": _words,
    **dict.fromkeys(
        ("fee_description", "operator_name", "address", "description", "related_location", "parent"),
        _text,
    ),
    **dict.fromkeys(("public_url", "photo_url"), _address),
    **dict.fromkeys(("restrictions", "external_identifiers", "tags"), _list),
}  # fmt: skip
NAMES = frozenset(_READERS)
"""The agreed names; others are kept as they are said."""
