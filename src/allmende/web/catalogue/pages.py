"""The page of a dataset."""

from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry, may_know, may_read
from allmende.domain.figures import StreamSummary
from allmende.domain.policy import ANONYMOUS
from allmende.faces.dcat.formats import SUFFIXES
from allmende.faces.dcat.schema_org import data_block, describe
from allmende.web.catalogue.files import each_stream, row
from allmende.web.catalogue.history import as_day, told_history
from allmende.web.catalogue.listing import listed
from allmende.web.catalogue.sketch import draw
from allmende.web.catalogue.snippets import snippets
from allmende.web.downloads.ways import DUMP
from allmende.web.portal.sources import as_moment, spoken

SHOWN = 50
"""Streams in a page; the file has all of them."""
_DRAWN = 2000


class Measure(NamedTuple):
    """A figure of quality with its words."""

    name: str
    percent: float | None
    words: str


def show_dataset(request: HttpRequest, entry: Entry, catalogue: Catalogue) -> HttpResponse:
    """``/dataset/ID`` for people."""
    house = request.house  # type: ignore[attr-defined]
    dataset, root = entry.dataset, catalogue.root
    open_ = may_read(dataset, house.reader)
    streams = list(islice(each_stream(house.store, house.reader, dataset.id), _DRAWN)) if open_ else []
    places = dict.fromkeys((s.lon, s.lat) for s in streams if s.lon is not None and s.lat is not None)
    first = row(streams[0], root)["readings"] if streams else ""
    dumps = [way for way in entry.distributions if way.name.startswith(DUMP) and not entry.origin]
    month = next((way.download for way in dumps if way.name.removeprefix(DUMP)[:1].isdigit()), "")
    availability = vocabulary.find(vocabulary.AVAILABILITIES, dataset.availability)
    values: dict[str, Any] = {
        "shown": listed(entry),
        "entry": entry,
        "dataset": dataset,
        "may_read": open_,
        "subscribable": dataset.id in house.profile.datasets and may_know(dataset, ANONYMOUS),
        "measures": _measures(entry),
        "measured_at": as_moment(entry.quality.measured_at) if entry.quality else None,
        # days of UTC, whatever the city's zone
        "measured_from": _utc_day(entry.quality.start) if entry.quality else None,
        "measured_until": _utc_day(entry.quality.end - 1) if entry.quality else None,
        "streams": [(stream, _named(stream), as_moment(stream.start)) for stream in streams[:SHOWN]],
        "more": max(0, entry.figures.streams - SHOWN),
        "sketch": draw(house.profile.geography, entry.bbox, places),
        "places": len(places),
        "dumps": dumps,
        "snippets": snippets(entry.address, spoken(dataset.title), first, month) if streams else [],
        "provenance": spoken(entry.provenance),
        "legal_basis": spoken(dataset.legal_basis),
        "origin_access": _access(entry),
        "keywords": dataset.keywords.get(_language()) or next(iter(dataset.keywords.values()), []),
        "availability": spoken(availability.label) if availability else "",
        "high_value": [_label(vocabulary.HIGH_VALUE, key) for key in dataset.high_value],
        "start": as_day(entry.start),
        "end": as_day(entry.end),
        "versions": told_history(entry),
        "series": catalogue.entry(dataset.part_of) if dataset.part_of else None,
        "members": [e for e in (catalogue.entry(name) for name in entry.members) if e is not None],
        "related": [(name, catalogue.entry(name)) for name in dataset.related],
        "suffixes": SUFFIXES,
        "now": house.now(),
        # escaped by data_block
        "schema_org": mark_safe(data_block(describe(entry, catalogue, _language()))),  # noqa: S308  data_block escapes
    }
    return render(request, "catalogue/dataset.html", values)


def _access(entry: Entry) -> str:
    """What the origin of a dataset says of who may have it, in the reader's words where its list is known."""
    said = entry.origin.access if entry.origin else ""
    return _label(vocabulary.ACCESS_RIGHTS, said) if said else ""


def _named(stream: StreamSummary) -> str:
    """Thing and stream, without saying the same twice."""
    return stream.name if not stream.thing or stream.thing in stream.name else f"{stream.thing}: {stream.name}"


def _utc_day(moment: int) -> date:
    return datetime.fromtimestamp(moment / 1_000_000, UTC).date()


def _language() -> str:
    return (get_language() or "de").split("-")[0]


def _label(listed: str, key: str) -> str:
    term = vocabulary.find(listed, key)
    return spoken(term.label) if term else key


def _measures(entry: Entry) -> list[Measure]:
    quality = entry.quality
    if quality is None:
        return []
    numbers = {name: f"{getattr(quality, name) or 0:,}".replace(",", "\u202f") for name in
               ("counted", "expected", "flagged", "on_time", "judged")}  # fmt: skip
    words = {
        "completeness": _("%(counted)s readings came, %(expected)s were expected by what the sources promise."),
        "timeliness": _("%(on_time)s of %(judged)s streams have a value no older than their source promises."),
        "plausibility": _("%(flagged)s of %(counted)s readings are marked as implausible."),
    }
    unknown = {
        "completeness": _("Not measured: the sources promise no number of readings."),
        "timeliness": _("Not measured: the sources do not promise how often they speak."),
        "plausibility": _("Not measured: nothing came in this time."),
    }
    names = {"completeness": _("Completeness"), "timeliness": _("Timeliness"), "plausibility": _("Plausibility")}
    measures = []
    for key, name in names.items():
        share = getattr(quality, key)
        said = unknown[key] if share is None else words[key] % numbers
        # rounded down: what is not whole is never shown as whole
        measures.append(Measure(name, None if share is None else int(share * 1000) / 10, said))
    return measures
