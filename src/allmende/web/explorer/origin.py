"""How a number was made: where a stream comes from, and for each reading who gave it, when it came, what it replaced,
what was objected to, and by which rule it was derived."""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from allmende.domain.errors import InvalidInput
from allmende.domain.spans import Head
from allmende.domain.times import EARLIEST, format_instant, from_datetime
from allmende.domain.tracing import Replaced, Trace
from allmende.knowledge.series.lines import Line
from allmende.knowledge.series.read import kind_of
from allmende.web.explorer import asking, words
from allmende.web.house import House
from allmende.web.portal.sources import spoken
from allmende.web.rulebook.templatetags.rulebook import figure

SHOWN = 50
"""Readings in the list of a span."""
_REPLACED = 50


class Given(NamedTuple):
    """Who gave a reading: in words, and where more of it stands."""

    words: str
    address: str


class Reading(NamedTuple):
    """One reading and where it came from."""

    value: str
    time: datetime
    stamp: str
    received: datetime
    late: str
    """How long it was on its way."""
    given: Given
    version: str
    flags: list[str]
    corrections: int
    address: str


class Before(NamedTuple):
    """A value that was replaced."""

    value: str
    received: datetime
    replaced: datetime
    given: Given


def describe_stream(request: HttpRequest) -> dict[str, Any] | None:
    """The context of ``explorer/origin.html``; None for a stream that is not there or may not be seen. Raises
    InvalidInput for a time that is none."""
    house: House = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    ids = asking.read_streams(request.GET)
    heads = house.store.heads(house.reader, ids[:1])
    if not heads:
        return None
    head = heads[0]
    dataset = house.profile.datasets.get(head.dataset)
    zone = house.profile.time_zone
    told = {
        "head": head,
        "name": words.name_of(head),
        "property": words.property_of(house.profile, head.property_id, head.property),
        "unit": words.unit_of(Line(head=head, kind=kind_of(head))),
        "dataset": dataset,
        "dataset_title": spoken(dataset.title) if dataset else head.dataset,
        "source": _source(house, head),
        "rule": _rule(house, head),
        "inputs": _inputs(house, head),
        "zone": zone,
        "explore": f"{reverse('explorer:start')}?{urlencode({'stream': head.id})}",
        "first": words.day_of(head.first, zone) if head.first is not None else None,
    }
    if request.GET.get("from") or request.GET.get("to"):
        span = asking.read_span(request.GET, from_datetime(house.now()), zone, first=head.first)
        traces = house.store.traces(house.reader, head.id, span.start, span.end, SHOWN + 1)
        told |= {
            "span": span,
            "start": words.day_of(span.start, zone),
            "end": words.day_of(span.end, zone),
            "readings": [_reading(house, head, trace) for trace in traces[:SHOWN]],
            "more": len(traces) > SHOWN,
        }
    stamp = _stamp(house, head, request.GET.get("time", ""))
    if stamp is not None and ("readings" not in told or request.GET.get("time")):
        told |= _one(house, head, stamp)
    return told


def _stamp(house: House, head: Head, text: str) -> int | None:
    """The time of the reading that is meant: the last one not after what was asked for; without a time the newest."""
    if not text.strip():
        return head.last
    asked = asking.read_moment(text.strip(), house.profile.time_zone)
    points = house.store.points(house.reader, head.id, asked + 1, asked + 2, before=True)
    known = [time for time in points.times if EARLIEST <= time <= asked]
    if not known:
        raise InvalidInput("no reading stands before %(text)s", where="time", text=text[:60])
    return known[-1]


def _one(house: House, head: Head, stamp: int) -> dict[str, Any]:
    traces = house.store.traces(house.reader, head.id, stamp, stamp + 1, SHOWN)
    if not traces:
        return {}
    trace = traces[-1]
    replaced = house.store.replaced(house.reader, head.id, stamp, _REPLACED)
    rule = _rule(house, head)
    said = urlencode({"stream": head.id, "time": format_instant(stamp)})
    named = quote(head.id.replace("'", "''"), safe="~")
    return {
        "reading": _reading(house, head, trace),
        "twins": len(traces) - 1,
        "replaced": [_before(house, head, one) for one in replaced],
        "made": f"{reverse('rulebook:value', args=[rule[1]])}?{said}" if rule else "",
        "raw": f"/sta/v1.1/Datastreams('{named}')/Observations?"
        + urlencode({"$filter": f"phenomenonTime eq {format_instant(stamp)}"}),
    }


def _reading(house: House, head: Head, trace: Trace) -> Reading:
    late = max(0, trace.received_at - trace.time)
    stamp = format_instant(trace.time)
    zone = house.profile.time_zone
    return Reading(
        value=figure(trace.result),
        time=words.day_of(trace.time, zone),
        stamp=stamp,
        received=words.day_of(trace.received_at, zone),
        late="" if head.forecast else words.say_long(late),
        given=_given(house, trace.origin),
        version=trace.version,
        flags=[words.say_flag(flag) for flag in trace.flag.split()],
        corrections=trace.corrections,
        address=f"{reverse('explorer:origin')}?{urlencode({'stream': head.id, 'time': stamp})}",
    )


def _before(house: House, head: Head, one: Replaced) -> Before:
    zone = house.profile.time_zone
    return Before(
        value=figure(one.result),
        received=words.day_of(one.received_at, zone),
        replaced=words.day_of(one.replaced_at, zone),
        given=_given(house, one.origin),
    )


def _given(house: House, origin: str) -> Given:
    """Who gave a reading: a source, a rule, or a client, whose name is nobody's business."""
    first, _slash, rest = origin.partition("/")
    profile = house.profile
    if first in ("rule", "rerun") and rest in profile.rules:
        rule = profile.rules[rest]
        if not house.knows(profile.datasets[rule.dataset]):
            return Given(_("a rule of the city"), "")
        said = _("rule “%(title)s”") if first == "rule" else _("rule “%(title)s”, run again over its past")
        return Given(said % {"title": spoken(rule.title) or rest}, reverse("rulebook:rule", args=[rest]))
    source = profile.sources.get(origin)
    if source is not None:
        return Given(
            _("source “%(title)s”") % {"title": spoken(source.title)}, f"{reverse('portal:sources')}#source-{origin}"
        )
    if origin.startswith(("token:", "user:")):
        return Given(_("a client of the interface for programs"), "")
    return Given(origin, "")


def _source(house: House, head: Head) -> Given | None:
    """The source that declared the stream, with its connector."""
    source = house.profile.sources.get(head.source)
    if source is None:
        return None
    title = _("%(title)s (connector %(connector)s)") % {"title": spoken(source.title), "connector": source.connector}
    return Given(title, f"{reverse('portal:sources')}#source-{source.id}")


def _rule(house: House, head: Head) -> tuple[str, str, str] | None:
    """Title, id and version of the rule that gives the stream, where the reader may know of it."""
    name = str(head.properties.get("rule", ""))
    rule = house.profile.rules.get(name)
    if rule is None or not house.knows(house.profile.datasets[rule.dataset]):
        return None
    return spoken(rule.title) or name, name, str(head.properties.get("version", ""))


def _inputs(house: House, head: Head) -> list[tuple[str, str]]:
    """The streams that a derived one is made of, as far as the reader may see them: name and address."""
    said = head.properties.get("inputs")
    ids = [each for each in said if isinstance(each, str)] if isinstance(said, list) else []
    known = {one.id: one for one in house.store.heads(house.reader, ids[:SHOWN])}
    return [
        (words.name_of(known[each]), f"{reverse('explorer:origin')}?{urlencode({'stream': each})}")
        for each in ids
        if each in known
    ]
