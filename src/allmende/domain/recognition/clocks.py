"""How a column writes its times."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allmende.domain.errors import InvalidInput
from allmende.domain.recognition.model import Words
from allmende.domain.times import parse_instant

_LIKE = re.compile(r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}|[0-9]{1,2}:[0-9]{2}|[0-9]{8,14}\Z", re.ASCII)
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%H")
_FORMS = (
    *(f"{date}{gap}{clock}" for date in _DATES[:-1] for gap in (" ", "T", ", ") for clock in _CLOCKS[:3]),
    "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%dT%H%M%S", "%Y%m%d%H",
)  # fmt: skip
_LENGTHS = {"%Y%m%d": 8, "%Y%m%d%H": 10, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
"""Forms without signs between: ``strptime`` would take other lengths too."""
_NAMED = re.compile(
    r"zeit|time|stamp|dat(?:e|um|umzeit)?\b|updated|epoch|\bts\b|uhr|stand|aktual|changed|modified", re.IGNORECASE
)
_MOST, _ENOUGH = 200, 0.95


class Times(NamedTuple):
    """What was found of a column."""

    form: str
    """"" for ISO 8601 with an offset."""
    day_only: bool
    clock_only: bool
    reason: Words
    sure: bool = True


def times_of(cells: Sequence[str], name: str) -> Times | None:
    """How the times of a column are written; None where they are none."""
    said = list(dict.fromkeys(cell for cell in cells if cell))[:_MOST]
    if not said:
        return None
    hinted = bool(_NAMED.search(name.replace("_", " ")))
    if sum(1 for cell in said if _LIKE.match(cell)) < _ENOUGH * len(said):
        return None
    if _fits(said, _is_instant):
        return Times("", False, False, Words("Times with their offset, as in %(example)s.", {"example": said[0]}))
    if hinted and _fits(said, _is_epoch(1_000_000_000, 4_000_000_000)):
        return Times("epoch", False, False, Words("Seconds since 1970, as in %(example)s.", {"example": said[0]}))
    if hinted and _fits(said, _is_epoch(1_000_000_000_000, 4_000_000_000_000)):
        return Times(
            "epoch-ms", False, False, Words("Milliseconds since 1970, as in %(example)s.", {"example": said[0]})
        )
    # a bare number of eight or more digits is a time only where its column says so
    forms = [form for form in (*_FORMS, *_DATES) if hinted or form not in _LENGTHS]
    fitting = [form for form in forms if _fits(said, _is_form(form))]
    if fitting:
        return _chosen(fitting, said)
    for form in _CLOCKS[:3]:
        if _fits(said, _is_form(form)):
            return Times(form, False, True, Words("Times of day, as in %(example)s.", {"example": said[0]}))
    return None


def _chosen(fitting: list[str], said: list[str]) -> Times:
    form = fitting[0]
    day = not any(sign in form for sign in ("%H", "%M"))
    if any(other.startswith("%m/%d") for other in fitting) and form.startswith("%d/%m"):
        text = "Times as in %(example)s; day and month might be the other way round."
        return Times(form, day, False, Words(text, {"example": said[0]}), False)
    text = "Days, as in %(example)s." if day else "Times without an offset, as in %(example)s."
    return Times(form, day, False, Words(text, {"example": said[0]}))


def _fits(said: Sequence[str], test: Callable[[str], bool]) -> bool:
    return sum(map(test, said)) >= _ENOUGH * len(said)


def _is_form(form: str) -> Callable[[str], bool]:
    length = _LENGTHS.get(form)

    def test(cell: str) -> bool:
        if length is not None and len(cell) != length:
            return False
        try:
            return 1800 <= datetime.strptime(cell, form).year <= 2200  # noqa: DTZ007  only looked at
        except ValueError:
            return False

    return test


def _is_epoch(low: int, high: int) -> Callable[[str], bool]:
    return lambda cell: cell.isascii() and cell.isdigit() and len(cell) < 15 and low <= int(cell) < high


def _is_instant(cell: str) -> bool:
    try:
        parse_instant(cell)
    except InvalidInput:
        return False
    return True


_UTC = re.compile(r"(?:\b|_)(?:utc|gmt|zulu)(?:\b|_|$)", re.IGNORECASE)
_WINTER = re.compile(r"\b(?:mez|cet)\b", re.IGNORECASE)
_SUMMER = re.compile(r"\b(?:mesz|cest)\b", re.IGNORECASE)


def zone_of(name: str, cells: Sequence[str], form: str, zone: str) -> tuple[str, Words]:
    """The clock of times without an offset: ``zone`` unless the column or the times themselves say otherwise.

    ``zone`` is the city's. A time that its clock never shows (the hour left out in spring) cannot be on it.
    """
    spaced = name.replace("_", " ")
    if _UTC.search(spaced):
        return "UTC", Words("The column's name says UTC.")
    if _WINTER.search(spaced) and not _SUMMER.search(spaced):
        return "Etc/GMT-1", Words("The column's name says MEZ (CET): the clock of winter all year.")
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return zone, Words("")
    for cell in cells:
        never = _never_shown(cell, form, clock)
        if never:
            text = "%(example)s does not exist on the city's clock (the hour is left out in spring): taken for UTC."
            return "UTC", Words(text, {"example": cell})
    return zone, Words("No offset is written: taken for the clock of %(zone)s.", {"zone": zone})


def _never_shown(cell: str, form: str, clock: ZoneInfo) -> bool:
    try:
        naive = datetime.strptime(cell, form)  # noqa: DTZ007  its zone comes below
    except ValueError:
        return False
    if naive.month not in (3, 4, 9, 10):  # when clocks are set, in either half of the world
        return False
    return naive.replace(tzinfo=clock).astimezone(UTC).astimezone(clock).replace(tzinfo=None) != naive
