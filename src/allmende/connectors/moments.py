"""Times as sources write them: ISO 8601, or a form of their own on the clock of a zone.

A time without an offset is read only where a setting says in which form it comes: on a zone's clock an hour is missing
in spring and one is double in autumn. A time within the missing hour is refused. In the double hour the first of the
two is taken for a beginning, the second for an end, so that a span is never too short.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allmende.domain.errors import InvalidInput
from allmende.domain.times import EARLIEST, LATEST, SECOND, from_datetime, parse_instant

_DAY_ONLY = frozenset("HIMSfXzj")
EPOCHS = {"epoch": SECOND, "epoch-ms": SECOND // 1000}
"""Forms besides those of ``strptime``: seconds or milliseconds since 1970."""
_WHOLE = re.compile(r"-?[0-9]{1,15}\Z", re.ASCII)
_LAST = time(23, 59, 59, 999_999)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """A zone by its name. Raises InvalidInput for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"{name[:60]!r} is no time zone, e.g. Europe/Berlin") from None


def moment(text: str, *, zone: str, forms: Sequence[str] = (), end: bool = False, second: bool | None = None) -> int:
    """Microseconds of a text. ``forms`` are those of ``strptime``, or of EPOCHS, that may come besides ISO 8601
    with an offset.

    A day without a time is its first moment, or with ``end`` its last. ``second`` asks for the second of a double
    hour; not said: for an end. Raises InvalidInput.
    """
    text = text.strip()
    for form in forms:
        if not text.isascii():
            break
        if form in EPOCHS:
            if _WHOLE.match(text):
                return _within(int(text) * EPOCHS[form])
            continue
        try:
            naive = datetime.strptime(text, form)  # noqa: DTZ007  its zone comes below
        except ValueError:
            continue
        if naive.tzinfo is not None:
            return from_datetime(naive)
        if end and not any(f"%{sign}" in form for sign in _DAY_ONLY):
            naive = datetime.combine(naive.date(), _LAST)
        return on_clock(naive, zone_of(zone), second=end if second is None else second)
    return parse_instant(text)


def _within(micros: int) -> int:
    if not EARLIEST <= micros <= LATEST:
        raise InvalidInput("this number lies outside of the years 0001 to 9999")
    return micros


def on_clock(naive: datetime, zone: ZoneInfo, *, second: bool = False) -> int:
    """The moment at which a zone's clock shows this. Raises InvalidInput for a time that it never shows."""
    aware = naive.replace(tzinfo=zone, fold=int(second))
    moment = aware.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != naive:
        raise InvalidInput(f"{naive} does not exist on the clock of {zone.key}: the hour is left out in spring")
    return from_datetime(moment)
