"""Opening hours as Jena's description of its car parks has them."""

import re
from collections.abc import Mapping
from typing import Any

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::\d\d)?\Z", re.ASCII)


def from_jena(said: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Hours as Jena's description of car parks (``parking.json``) has them, in OpenStreetMap's syntax, and notes on
    what of them cannot be read; "" where nothing can.

    ``openTwentyFourSeven``; ``openingTimes[]`` with days of the week from 1, Monday, in ``dateFrom`` and ``dateTo``
    (Sunday to Monday is two days) and ``times[]`` that may pass midnight.
    """
    if said.get("openTwentyFourSeven") is True:
        return "24/7", ()
    rules: list[str] = []
    notes: list[str] = []
    listed = said.get("openingTimes")
    for index, each in enumerate(listed if isinstance(listed, list) else []):
        place = f"openingTimes[{index}]"
        days = [each.get(name) for name in ("dateFrom", "dateTo")] if isinstance(each, dict) else []
        if not days or any(type(day) is not int or not 1 <= day <= 7 for day in days):
            notes.append(f"{place}: days are numbers from 1 to 7")
            continue
        spans = [_span(one) for one in each.get("times") or () if isinstance(one, dict)]
        if not spans or None in spans:
            notes.append(f"{place}: no time that can be read")
            continue
        first, last = (_DAYS[day - 1] for day in days)
        rules.append(f"{first if first == last else f'{first}-{last}'} {','.join(filter(None, spans))}")
    return "; ".join(rules), tuple(notes)


def _span(said: Mapping[str, Any]) -> str | None:
    """``07:00-23:00`` of a table ``from``, ``to``."""
    ends = [_TIME.match(str(said.get(name, ""))) for name in ("from", "to")]
    if ends[0] is None or ends[1] is None:
        return None
    begin, end = (f"{int(each[1]):02}:{each[2]}" for each in ends if each is not None)
    if begin == end == "00:00":
        end = "24:00"
    return None if begin == end or begin == "24:00" else f"{begin}-{end}"
