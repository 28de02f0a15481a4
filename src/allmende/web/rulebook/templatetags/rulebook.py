"""Filters for figures and times of rules."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from allmende.domain.times import format_instant, from_datetime
from allmende.web.portal.sources import as_moment

register = template.Library()
_DIGITS = 4
_MOST = 20


@register.filter
def figure(value: Any) -> str:
    """A value as people read it: with the language's comma, no more than four decimals; missing as a word."""
    if value is None:
        return _("no value")
    if isinstance(value, bool):
        return _("true") if value else _("false")
    if isinstance(value, float):
        rounded = round(value, _DIGITS)
        text = number_format(rounded, _DIGITS, use_l10n=True, force_grouping=True)
        mark = number_format(0.1, 1)[1:2]
        return text.rstrip("0").removesuffix(mark) if mark in text else text
    if isinstance(value, int):
        return number_format(value, use_l10n=True, force_grouping=True)
    if isinstance(value, list):
        said = ", ".join(map(figure, value[:_MOST]))
        return f"{said}, …" if len(value) > _MOST else said
    return str(value)


@register.filter
def moment(microseconds: int | None) -> datetime | None:
    """Aware, in UTC."""
    return as_moment(microseconds)


@register.filter
def instant(when: datetime | None) -> str:
    """As addresses say a time: to the microsecond, UTC."""
    return format_instant(from_datetime(when)) if when else ""


@register.filter
def said(value: Any) -> str:
    """A part of a rule's table as it is written; nothing as a dash."""
    return "–" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


@register.filter
def day_before(when: datetime | None) -> datetime | None:
    """The last moment before the end of a span, to name its last day."""
    return when - timedelta(microseconds=1) if when else None


@register.filter
def of(values: Mapping[str, Any] | None, key: str) -> Any:
    """What a mapping holds under a key."""
    return (values or {}).get(key)
