"""ISO 8601 durations as a number and a unit, which is how people say them."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from allmende.domain.errors import InvalidInput
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND, parse_duration, parse_months

UNITS: dict[str, Any] = {
    "S": _("seconds"),
    "M": _("minutes"),
    "H": _("hours"),
    "D": _("days"),
    "W": _("weeks"),
    "mon": _("months"),
    "Y": _("years"),
}
_FIXED = (("W", 7 * DAY), ("D", DAY), ("H", HOUR), ("M", MINUTE), ("S", SECOND))
_WHOLE = re.compile(r"\d{1,9}\Z", re.ASCII)


def split(text: str) -> tuple[str, str] | None:
    """Number and unit of a duration, in the largest unit that says it as a whole; None where none does."""
    months = parse_months(text)
    if months is not None:
        return (str(months // 12), "Y") if months and months % 12 == 0 else (str(months), "mon")
    try:
        length = parse_duration(text)
    except InvalidInput:
        return None
    for unit, size in _FIXED:
        if length > 0 and length % size == 0:
            return str(length // size), unit
    return None


def join(number: str, unit: str) -> str:
    """A duration; "" where there is no number. Raises ValueError with nothing to say for what is none."""
    number = number.strip()
    if not number:
        return ""
    if not _WHOLE.match(number) or unit not in UNITS:
        raise ValueError(number)
    if unit in ("mon", "Y"):
        return f"P{number}{'M' if unit == 'mon' else 'Y'}"
    return f"P{'T' if unit in 'SMH' else ''}{number}{unit}"


def in_words(text: str) -> str:
    """``P2Y`` as "2 years"; what cannot be said so as it is."""
    parts = split(text)
    if parts is None:
        return text
    n = int(parts[0])
    words = {
        "S": ngettext("%(n)d second", "%(n)d seconds", n),
        "M": ngettext("%(n)d minute", "%(n)d minutes", n),
        "H": ngettext("%(n)d hour", "%(n)d hours", n),
        "D": ngettext("%(n)d day", "%(n)d days", n),
        "W": ngettext("%(n)d week", "%(n)d weeks", n),
        "mon": ngettext("%(n)d month", "%(n)d months", n),
        "Y": ngettext("%(n)d year", "%(n)d years", n),
    }
    return words[parts[1]] % {"n": n}
