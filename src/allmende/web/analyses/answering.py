"""An answer as a page, as CSV or as JSON."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from allmende.domain import times
from allmende.domain.spans import Head
from allmende.knowledge.analyses.values import Basis
from allmende.web.analyses.asking import Asked
from allmende.web.catalogue.own import described
from allmende.web.portal.sources import spoken

FORMATS = ("html", "csv", "json")


class Origin(NamedTuple):
    """A dataset that an answer is made of."""

    id: str
    title: str
    attribution: str


def _labels() -> dict[str, str]:
    """What fields are called on the pages, by their names, which are their ids."""
    return {
        "from": _("From"),
        "to": _("To"),
        "from2": _("Second span, from"),
        "to2": _("Second span, to"),
        "date": _("Day of the event"),
        "until": _("Last day (empty: it stays)"),
        "weeks": _("Weeks before and after"),
        "shift": _("Shift by up to so many steps"),
    }


def page(
    request: HttpRequest,
    template: str,
    asked: Asked,
    streams: Iterable[Head],
    fixed: Mapping[str, Sequence[str]],
    **values: Any,
) -> HttpResponse:
    """The page of an answer made of these streams; 400 where something of the question is wrong. ``fixed`` are the
    fields of the address that say the same question next year, too."""
    values = {
        "origins": _origins(asked, streams),
        "asked": asked,
        "faults": [(field, _labels().get(field, ""), words) for field, words in asked.faults.items()],
        "unclear": asked.unclear,
        "examples": asked.examples() if not asked.data.getlist("stream") or asked.data.get("stream") == "" else [],
        "stream_text": asked.text("stream"),
        "permalink": asked.link({**fixed, "format": ()}),
        "csv": asked.link({**fixed, "format": ("csv",)}),
        "json": asked.link({**fixed, "format": ("json",)}),
        **values,
    }
    return render(request, template, values, status=400 if asked.faults else 200)


def fixed_days(streams: Sequence[Head], basis: Basis) -> dict[str, Sequence[str]]:
    """Streams by their ids, and the days that an answer rests on."""
    span = basis.span
    ids = [each.id for each in streams]
    return {"stream": ids, "from": (span.first.isoformat(),), "to": (span.last.isoformat(),), "days": ()}


def _origins(asked: Asked, streams: Iterable[Head]) -> list[Origin]:
    known = described(asked.house.profile).datasets
    found = [known[name] for name in dict.fromkeys(each.dataset for each in streams) if name in known]
    return [Origin(each.id, spoken(each.title), each.attribution) for each in found if asked.house.knows(each)]


def wants_file(asked: Asked) -> str:
    """``csv`` or ``json``, or empty for a page."""
    found = asked.choice("format", FORMATS)
    return "" if found == "html" else found


def as_file(asked: Asked, form: str, name: str, table: Sequence[Sequence[Any]], body: dict[str, Any]) -> HttpResponse:
    """The table as CSV (its first row are names), or all of the answer as JSON; what is wrong with the question too."""
    if not asked.ready:
        unclear = {each.field: f"no stream of that id: {each.text}" for each in asked.unclear}
        return _json({"error": {**asked.faults, **unclear}}, 400)
    if form == "json":
        return _json(body, 200)
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(_cells(table))
    answer = HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return _kept_apart(answer)


def _cells(table: Iterable[Sequence[Any]]) -> Iterable[list[Any]]:
    for row in table:
        # a text that begins so is a formula to a spreadsheet
        yield [f"'{each}" if isinstance(each, str) and each[:1] in ("=", "+", "-", "@") else each for each in row]


def _json(body: dict[str, Any], status: int) -> HttpResponse:
    answer = HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)
    return _kept_apart(answer)


def _kept_apart(answer: HttpResponse) -> HttpResponse:
    patch_vary_headers(answer, ["Accept-Language", "Authorization", "Cookie"])
    return answer


def stream_body(stream: Head) -> dict[str, Any]:
    """What a file says of a stream."""
    return {
        "id": stream.id,
        "name": stream.name,
        "thing": stream.thing,
        "property": stream.property,
        "unit": stream.unit,
        "simulated": stream.simulated,
    }


def basis_body(basis: Basis) -> dict[str, Any]:
    """What a file says of what it rests on. Times in ISO 8601, UTC."""
    return {
        "from": basis.span.first,
        "to": basis.span.last,
        "bucket_seconds": basis.width // times.SECOND,
        "values": basis.values,
        "flagged": basis.flagged,
        "buckets": basis.buckets,
        "filled": basis.filled,
        "missing": basis.missing,
        "first": None if basis.first is None else times.format_instant(basis.first),
        "last": None if basis.last is None else times.format_instant(basis.last),
        "longest_gaps": [[times.format_instant(gap.start), times.format_instant(gap.end)] for gap in basis.gaps],
    }


def days_body(days: Iterable[date]) -> list[str]:
    """ISO days."""
    return [each.isoformat() for each in days]


def instant(moment: int) -> str:
    """ISO 8601 in UTC."""
    return times.format_instant(moment)
