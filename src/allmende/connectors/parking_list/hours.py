"""Opening hours as lists write them, in OpenStreetMap's syntax; "" for what cannot be read as a whole."""

import re
from collections.abc import Mapping, Sequence

_CLOCK = r"(\d{1,2})[:.](\d{2})(?::\d{2})?\s*(?:Uhr)?"
_SPAN = re.compile(rf"{_CLOCK}\s*(?:-|–|bis)\s*{_CLOCK}\Z")
_WHOLE = frozenset({"durchgehend", "ganztägig", "24 stunden", "24h", "24/7", "00:00-00:00", "00:00:00-00:00:00"})
_NEVER = frozenset({"geschlossen", "closed", "off"})
_LINE = re.compile(r"((?:Mo|Di|Mi|Do|Fr|Sa|So|[-,\s])+):\s*(.+)\Z")
_GERMAN = {"Di": "Tu", "Mi": "We", "Do": "Th", "So": "Su"}


def by_days(said: Mapping[str, Sequence[str]]) -> str:
    """Of texts by days (``Mo-Fr``), each one text or a begin and an end."""
    rules = []
    for days, parts in said.items():
        text = "-".join(part for part in parts if part) if len(parts) > 1 else parts[0]
        if not text:
            continue
        span = _span(text)
        if span is None:
            return ""
        if span:
            rules.append((days, span))
    if not rules:
        return ""
    if {span for _, span in rules} == {"00:00-24:00"} and _days(rules) == 7:
        return "24/7"
    return "; ".join(f"{days} {span}" for days, span in rules)


def of_text(text: str) -> str:
    """Of lines like ``Mo-Fr: 07:00 - 01:30 Uhr``, or one text for all days."""
    if text.lower().strip() in _WHOLE:
        return "24/7"
    said: dict[str, list[str]] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = _LINE.match(line)
        if match is None:
            return ""
        days = re.sub(r"\s", "", match[1])
        for german, english in _GERMAN.items():
            days = days.replace(german, english)
        said[days] = [match[2]]
    return by_days(said)


def _span(text: str) -> str | None:
    """``HH:MM-HH:MM``, "" for closed, None for what is neither."""
    plain = text.lower().strip()
    if plain in _WHOLE:
        return "00:00-24:00"
    if plain.split(",")[0].strip() in _NEVER:
        return ""
    match = _SPAN.match(text.strip())
    if match is None or int(match[1]) > 24 or int(match[3]) > 24 or int(match[2]) > 59 or int(match[4]) > 59:
        return None
    begin, end = f"{int(match[1]):02}:{match[2]}", f"{int(match[3]):02}:{match[4]}"
    return f"{begin}-{'24:00' if end == '00:00' else end}"


def _days(rules: Sequence[tuple[str, str]]) -> int:
    """How many days of the week they are of."""
    week = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    found: set[str] = set()
    for days, _ in rules:
        for part in days.split(","):
            first, _dash, last = part.partition("-")
            if first in week:
                found |= set(week[week.index(first) : (week.index(last) if last in week else week.index(first)) + 1])
    return len(found)
