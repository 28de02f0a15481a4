"""An answer on a page: a part of its rows, words for what is wrong, the tables that can be asked."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.domain.errors import AllmendeError, Forbidden, LimitExceeded, NotFound, NotSupported, StorageBusy
from allmende.domain.profile import Profile
from allmende.domain.times import to_datetime
from allmende.faces.files.fields import OBJECT, READINGS, STREAMS
from allmende.knowledge.sql.job import Column
from allmende.knowledge.sql.views import COMMON
from allmende.web.sql.asking import HOUSE, Found, ask
from allmende.web.sql.chart import NUMBERS, choices, draw, wanted
from allmende.web.sql.data import Shelf

PAGE = 100
"""Rows of a page."""
ADDRESS = 6_000
"""Characters of an address that every proxy passes on."""
_CELL = 300
_STATUS = (
    (LimitExceeded, 429), (StorageBusy, 503), (NotSupported, 501), (Forbidden, 403), (NotFound, 404),
)  # fmt: skip
_SCHEMA = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'main' ORDER BY ALL"
)
_TYPES = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}


def status_of(error: AllmendeError) -> int:
    """As HTTP says it. Too large a question is the asker's to mend, too often is not."""
    if isinstance(error, LimitExceeded) and "_RATE" not in error.setting:
        return 422
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def shown(found: Found, said: Mapping[str, str], page: int, profile: Profile) -> dict[str, Any]:
    """An answer for the template: one page of rows, the chart, what it says of where it comes from."""
    rows = found.table()
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(1, page), pages)
    zone = ZoneInfo(profile.time_zone)
    part = rows[(page - 1) * PAGE : page * PAGE]
    drawn = wanted(said, found.columns)
    plan = found.count and [column.name for column in found.columns] == ["explain_key", "explain_value"]
    return {
        "found": found,
        "plan": rows[0][1] if plan else "",
        "columns": [{"name": each.name, "numeric": each.kind in NUMBERS} for each in found.columns],
        "rows": [
            [
                (_cell(value, column, zone), column.kind in NUMBERS)
                for value, column in zip(row, found.columns, strict=True)
            ]
            for row in part
        ],
        "page": page,
        "pages": pages,
        "first": (page - 1) * PAGE + 1,
        "last": (page - 1) * PAGE + len(part),
        "cut": _cut(found),
        "drawn": drawn,
        "chart": draw(found, drawn, profile.time_zone) if drawn else None,
        "choices": choices(found.columns),
        "as_of": None if found.as_of is None else to_datetime(found.as_of),
    }


def tables(stock: Shelf, profile: Profile) -> list[dict[str, Any]]:
    """Each table with its columns, what it holds, and whose data are in it."""
    columns: dict[str, list[dict[str, str]]] = {}
    for name, column, type_ in ask(_SCHEMA, HOUSE, profile).table():
        meaning = _meanings().get(str(column), "")
        said = {"name": str(column), "type": _TYPES.get(str(type_), str(type_)), "meaning": meaning}
        columns.setdefault(str(name), []).append(said)
    titles = {each.id: each.title for each in stock.data}
    return [
        {
            "name": view.name,
            "common": view.name in COMMON,
            "about": _about(view.kind) if view.name in COMMON else titles[min(view.datasets)],
            "collection": view.collection,
            "datasets": sorted(view.datasets),
            "columns": columns.get(view.name, []),
        }
        for view in sorted(stock.views, key=lambda view: (view.name not in COMMON, view.name))
    ]


def link(query: str, said: Mapping[str, str]) -> str:
    """The address of a question with how it is drawn; empty where it is too long for one."""
    parts = {"q": query, **{name: said[name] for name in ("kind", "x", "y") if said.get(name)}}
    found = f"{reverse('sql:ask')}?{urlencode(parts)}"
    return found if len(found) <= ADDRESS else ""


def downloads(query: str) -> str:
    """What follows the name of a download of a question's answer; empty where the question is too long."""
    found = urlencode({"q": query})
    return found if len(found) <= ADDRESS else ""


def _cell(value: Any, column: Column, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if column.kind == "instant":
        moment = to_datetime(value).astimezone(zone)
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return _("true") if value else _("false")
    if isinstance(value, int | float):
        return str(number_format(f"{value:.8g}" if isinstance(value, float) else value, use_l10n=True))
    text = str(value)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _cut(found: Found) -> str:
    if not found.cut:
        return ""
    setting = "ALLMENDE_SQL_BYTES" if found.cut == "bytes" else "ALLMENDE_SQL_ROWS"
    return _("There are more rows; what is beyond %(setting)s was cut.") % {"setting": setting}


def _about(name: str) -> str:
    return {
        "observations": _("All readings of all datasets, with what is said of their streams."),
        "streams": _("Each stream: what is measured, where, from when to when."),
        "things": _("Each thing that is observed, with how many streams."),
        "features": _("All objects of all collections: trees, sites, stops."),
        "datasets": _("Each dataset: publisher, licence, as of when."),
    }[name]


def _meanings() -> dict[str, str]:
    german = (get_language() or "de").startswith("de")
    return {field.name: field.de if german else field.en for field in (*OBJECT, *STREAMS, *READINGS)}


def limits_told() -> Sequence[tuple[str, str]]:
    """What a question may take, for the page: for who is not logged in, and for who is."""
    config = settings.ALLMENDE
    rows = [number_format(each, force_grouping=True) for each in (config.sql_rows_anonymous, config.sql_rows)]
    return [(f"{config.sql_seconds_anonymous:g}", f"{config.sql_seconds:g}"), (rows[0], rows[1])]
