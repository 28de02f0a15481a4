"""Tables and what is different in them, in words for a clerk."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from allmende.domain.plain import Difference
from allmende.domain.profile import Profile
from allmende.web.office.durations import in_words
from allmende.web.office.fields import Field
from allmende.web.office.kinds import CITY
from allmende.web.office.tables import fields_of
from allmende.web.portal.sources import spoken

_MOST = 600
_UNEDITED = {"table": _l("File with the table"), "connector": _l("Connector"), "version": _l("Version")}
"""Parts of tables that no form has a field for, and that come to be changed all the same."""


class Said(NamedTuple):
    """A difference in words. None: it is not said."""

    label: str
    before: str | None
    after: str | None


def say_differences(kind: str, found: Iterable[Difference], profile: Profile) -> list[Said]:
    """Differences with the names that the forms use; of parts that no form has, with their place in the table."""
    listed = []
    for place, old, new in found:
        field = field_at(kind, place)
        listed.append(Said(say_place(place, field), say(old, field, profile), say(new, field, profile)))
    return listed


def field_at(kind: str, place: str) -> Field | None:
    """The field that shows a place of a table, or holds it."""
    best: Field | None = None
    for field in fields_of(kind):
        if (place == field.path or place.startswith((f"{field.path}.", f"{field.path}["))) and (
            best is None or len(field.path) > len(best.path)
        ):
            best = field
    return best


def say_place(place: str, field: Field | None) -> str:
    """What a place is called."""
    if field is None:
        return str(_UNEDITED.get(place, place))
    rest = place[len(field.path) :].lstrip(".")
    if not rest:
        return str(field.label)
    if field.in_languages:
        return f"{field.label} ({say_language(rest)})"
    for column in field.columns:
        if rest == column.path or rest.endswith(f".{column.path}"):
            return f"{field.label}: {rest[: -len(column.path)].rstrip('.')}, {column.label}".replace(": ,", ":")
    return f"{field.label}: {rest}"


def say_language(code: str) -> str:
    """The name of a language in the page's; its code where nobody knows it."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def say(value: Any, field: Field | None, profile: Profile) -> str | None:
    """A value; None where it is not said."""
    if value is None:
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field is not None and field.choices is not None:
        known = field.choices(profile)
        listed = value if isinstance(value, list) else [value]
        return ", ".join(str(known.get(one, one)) for one in listed)
    if field is not None and field.shape == "duration" and isinstance(value, str):
        return str(field.specials[value]) if value in field.specials else in_words(value)
    if field is not None and field.shape == "rows" and isinstance(value, list):
        return "; ".join(_say_row(row, field, profile) for row in value) or _("nothing")
    return say_plain(value)


def _say_row(row: Any, field: Field, profile: Profile) -> str:
    if not isinstance(row, Mapping):
        return say_plain(row)
    columns = [(column, row.get(column.path, column.default)) for column in field.columns]
    return ", ".join(f"{column.label} {say(value, column, profile)}" for column, value in columns if value is not None)


def say_plain(value: Any) -> str:
    """Anything of a table, as text."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(say_plain(one) for one in value) or _("nothing")
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {say_plain(one)}" for name, one in value.items()) or _("nothing")
    text = str(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]} …"


def name_of(kind: str, key: str, *bodies: Mapping[str, Any] | None) -> str:
    """What a table is called: its title or name in the first body that has one, or its key."""
    for body in bodies:
        if body:
            title = body.get("title", body.get("name"))
            if isinstance(title, Mapping) and title:
                return spoken({str(k): str(v) for k, v in title.items()})
            if isinstance(title, str) and title:
                return title
    return str(CITY[key]) if kind == "city" and key in CITY else key
