"""What alerts say, in words. Texts of the city come with the event; what is around them is translated here."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from allmende.domain.errors import AllmendeError
from allmende.domain.times import parse_duration, parse_instant, to_datetime
from allmende.web.alerts.models import Event

SEVERITIES = {
    "minor": gettext_lazy("Notice"),
    "moderate": gettext_lazy("Warning"),
    "severe": gettext_lazy("Severe warning"),
    "extreme": gettext_lazy("Danger to life"),
}
ENDINGS = {
    "cleared": gettext_lazy("It is over."),
    "lapsed": gettext_lazy("It ended by itself: for a long time nothing has been known of it."),
    "withdrawn": gettext_lazy("It is not watched for any more."),
}
KINDS = {
    "raised": gettext_lazy("raised"),
    "escalated": gettext_lazy("not acknowledged"),
    "cleared": gettext_lazy("over"),
    "lapsed": gettext_lazy("lapsed"),
    "withdrawn": gettext_lazy("withdrawn"),
}
_ASKED = {
    "minutes_since": gettext_lazy("Minutes since the last reading"),
    "per_hour": gettext_lazy("Change in an hour"),
    "usual": gettext_lazy("Usual at this hour of the week"),
    "deviation": gettext_lazy("How unusual it is (1: usual differences)"),
    "highest_ahead": gettext_lazy("Highest value that is forecast"),
    "lowest_ahead": gettext_lazy("Lowest value that is forecast"),
}
_CALL = re.compile(r"(\w+)\((\w+)\)\Z")


def text_of(texts: Mapping[str, str], language: str | None = None) -> str:
    """A text of the city in the page's language; in simple German the plain one, where there is one."""
    wanted = language or get_language() or "de"
    short = "de" if wanted.startswith("de") else wanted.partition("-")[0]
    first = texts.get("plain", "") if wanted == "de-simple" else ""
    return first or texts.get(short) or next((text for key, text in texts.items() if key != "plain"), "")


def headline(event: Event, language: str | None = None) -> str:
    """Title and place, in one line."""
    title = text_of(event.title, language)
    return f"{title}: {event.thing_name}" if event.thing_name else title


def say_severity(severity: str) -> str:
    """How severe, in a word or two."""
    return str(SEVERITIES.get(severity, severity))


def say_time(moment: int | None, zone: ZoneInfo | None = None) -> str:
    """Day and time in the city's zone."""
    if moment is None:
        return ""
    local: datetime = timezone.localtime(to_datetime(moment), zone)
    return formats.date_format(local, "SHORT_DATETIME_FORMAT")


def say_number(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        rounded = round(float(value), 2)
        whole = int(rounded) if rounded == int(rounded) else rounded
        return str(formats.localize(whole))
    return _("nothing is known") if value is None else str(value)


def say_values(reason: Mapping[str, Any], zone: ZoneInfo | None = None) -> list[dict[str, str]]:
    """What was seen: ``what``, ``value`` with its unit, and ``time``."""
    said = []
    for row in reason.get("values", ()):
        unit = _UNITS.get(row.get("unit", ""), row.get("unit", ""))
        value = say_number(row.get("value"))
        said.append({
            "what": row.get("property") or row["name"],
            "name": row["name"],
            "value": f"{value} {unit}".strip() if row.get("value") is not None else value,
            "time": say_time(_instant(row.get("time")), zone),
        })  # fmt: skip
    for name, value in reason.get("computed", {}).items():
        called = _CALL.match(name)
        what = str(_ASKED.get(called.group(1), name)) if called else name
        said.append({"what": what, "name": name, "value": say_number(value), "time": ""})
    for name, value in {**reason.get("facts", {}), **reason.get("parameters", {})}.items():
        said.append({"what": _("Limit or figure “%(name)s”") % {"name": name}, "name": name,
                     "value": say_number(value), "time": ""})  # fmt: skip
    return said


def say_condition(reason: Mapping[str, Any]) -> str:
    """The condition with its figures put in: ``level > 150`` for ``level > limit``."""
    text = str(reason.get("condition", ""))
    for name, value in {**reason.get("facts", {}), **reason.get("parameters", {})}.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = re.sub(rf"\b{re.escape(name)}\b", f"{value:g}", text)
    return text


def say_length(text: str) -> str:
    """A duration in words; "" for none."""
    try:
        minutes = parse_duration(text) // 60_000_000
    except AllmendeError:
        return text
    if not minutes:
        return ""
    if minutes % 60:
        return _("%(n)s minutes") % {"n": minutes}
    return _("%(n)s hours") % {"n": minutes // 60}


def say_why(reason: Mapping[str, Any], zone: ZoneInfo | None = None) -> list[str]:
    """Why, in lines of plain text, for messages."""
    if not reason:
        return []
    lines = [f"{row['what']}: {row['value']}" + (f" ({row['time']})" if row["time"] else "")
             for row in say_values(reason, zone)]  # fmt: skip
    lines.append(_("Condition: %(condition)s") % {"condition": say_condition(reason)})
    lasting = say_length(str(reason.get("for", "")))
    if lasting:
        lines.append(_("It has held for %(length)s.") % {"length": lasting})
    return lines


def _instant(text: Any) -> int | None:
    return parse_instant(text) if isinstance(text, str) else None


_UNITS = {"Cel": "°C", "1": "", "m[H2O]": "m", "{count}": "", "%": "%", "deg": "°"}
"""UCUM symbols that people write otherwise."""
