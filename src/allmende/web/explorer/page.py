"""What the explorer's page shows of what is chosen, and links for each next step. All that is shown
stands in the page's address, and each link is that address with one thing changed."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from allmende.domain.profile import Profile
from allmende.domain.search.index import LONGEST
from allmende.domain.times import SECOND, format_instant, from_datetime
from allmende.knowledge.series import Chart, read_series
from allmende.web.explorer import asking, words
from allmende.web.explorer.panel import told
from allmende.web.portal.sources import spoken

POINTS = 300
"""Of a line in the page's own table; the script asks for as many as the screen is wide."""
_KEYS = ("stream", "from", "to", "compare", "view", "q", "dataset", "property", "thing", "simulated", "choose")
_DESIGNED = ("-PT1H", "-P1D", "-P7D", "-P1M", "-P1Y", asking.ALL)
_EARLIER = ("P1D", "P7D", "P1M", "P1Y")


class Link(NamedTuple):
    """A choice, where it leads, and whether it is the one that holds."""

    title: str
    address: str
    chosen: bool


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an address asks for."""

    ids: list[str]
    span: asking.Span
    compare: str
    table: bool
    text: str
    dataset: str
    observed: str
    thing: str
    simulated: bool
    mapped: bool
    """Whether streams are chosen by place, on a map and in its list."""
    raw: dict[str, list[str]]

    def address(self, **changes: str | list[str]) -> str:
        """The page's address with something changed; "" leaves it out."""
        pairs = self.pairs(**changes)
        return f"{reverse('explorer:start')}?{urlencode(pairs)}" if pairs else reverse("explorer:start")

    def pairs(self, **changes: str | list[str]) -> list[tuple[str, str]]:
        """The same as names and values."""
        said = {**self.raw, **{name: each if isinstance(each, list) else [each] for name, each in changes.items()}}
        return [(name, value) for name in _KEYS for value in said.get(name, []) if value]

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """Fields that a form has to send along, but those that it has itself."""
        return [(name, value) for name in _KEYS if name not in without for value in self.raw.get(name, []) if value]

    def query(self, span: asking.Span) -> str:
        """What the values are asked for with."""
        return urlencode([*(("stream", each) for each in self.ids), ("from", span.start_words), ("to", span.end_words)])


def read_asked(request: HttpRequest) -> Asked:
    """Raises InvalidInput."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    given = request.GET
    ids = asking.read_streams(given)
    first = asking.first_of(house, ids) if given.get("from") == asking.ALL else None
    span = asking.read_span(given, from_datetime(house.now()), house.profile.time_zone, first=first)
    compare = given.get("compare", "")
    return Asked(
        ids=ids,
        span=span,
        compare=compare if compare in _EARLIER else "",
        table=given.get("view") == "table",
        text=given.get("q", "")[:LONGEST].strip(),
        dataset=given.get("dataset", "")[:LONGEST],
        observed=given.get("property", "")[:LONGEST],
        thing=given.get("thing", "")[:LONGEST],
        simulated=given.get("simulated") == "1",
        mapped=given.get("choose") == "map",
        raw={name: given.getlist(name) for name in _KEYS},
    )


def read_charts(request: HttpRequest, asked: Asked, points: int) -> tuple[Chart, Chart | None]:
    """What is asked for, and the earlier span that it is compared with."""
    house = request.house  # type: ignore[attr-defined]
    zone, now = house.profile.time_zone, from_datetime(house.now())
    span = asked.span
    chart = read_series(house.store, house.reader, asked.ids, span.start, span.end, points, zone, now=now)
    if not asked.compare or not chart.lines:
        return chart, None
    start, end = (asking.shift(each, f"-{asked.compare}", zone) for each in (span.start, span.end))
    return chart, read_series(house.store, house.reader, asked.ids, start, end, points, zone, now=now)


def make_page(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The context of ``explorer/start.html``, but what can be chosen (``offering.py``)."""
    house = request.house  # type: ignore[attr-defined]
    chart, earlier = read_charts(request, asked, POINTS) if asked.ids else (None, None)
    values: dict[str, Any] = {"asked": asked, "reached": bool(chart and chart.lines)}
    values |= _form(asked, house.profile.time_zone)
    if chart is None or not chart.lines:
        return values
    values |= told(request, chart, asked.ids, asked.span, title=_title(chart), earlier=earlier, limit=None)
    values |= {
        "explore": "",
        "legend": "explorer/_chosen.html",
        "chosen": [_chosen(asked, line, house.profile) for line in chart.lines],
        "table_shown": asked.table,
        "downloads": _downloads(asked, chart, earlier),
        "orders": _orders(asked, chart, house.profile),
        "permalink": request.build_absolute_uri(asked.address(**_fixed(asked, chart))),
        "moving": asked.span.moving,
        "newest": _newest(asked, chart),
    }
    if earlier is not None and earlier.lines:
        span = asking.Span(earlier.start, earlier.end, format_instant(earlier.start), format_instant(earlier.end))
        values["compare_data"] = f"{reverse('explorer:series')}?{asked.query(span)}"
        values["back"] = (chart.start - earlier.start) // SECOND
    return values


def _title(chart: Chart) -> str:
    return words.name_of(chart.lines[0].head) if len(chart.lines) == 1 else _("Chosen values")


def _fixed(asked: Asked, chart: Chart) -> dict[str, str]:
    """A permalink shows what is seen now, also next year: its span is one of the calendar."""
    return {"from": format_instant(chart.start), "to": format_instant(chart.end)} if asked.span.moving else {}


def _newest(asked: Asked, chart: Chart) -> str:
    """Where the newest readings are, if there are none in the span; "" if there are."""
    if any(value for line in chart.lines for value in line.count):
        return ""
    last = max((line.head.last for line in chart.lines if line.head.last is not None), default=None)
    if last is None:
        return ""
    return asked.address(**{"from": "-P7D", "to": format_instant(last + SECOND)})


class Chosen(NamedTuple):
    """A stream that is shown, with what can be done with it."""

    dataset: str
    dataset_id: str
    licence: str
    without: str
    origin: str
    thing: str


def _chosen(asked: Asked, line: Any, profile: Profile) -> Chosen:
    head = line.head
    dataset = profile.datasets.get(head.dataset)
    rest = [each for each in asked.ids if each != head.id]
    origin = urlencode([("stream", head.id), ("from", format_instant(asked.span.start)),
                        ("to", format_instant(asked.span.end))])  # fmt: skip
    return Chosen(
        dataset=words.title_of(profile, head.dataset),
        dataset_id=dataset.id if dataset else "",
        licence=dataset.attribution if dataset else "",
        without=asked.address(stream=rest),
        origin=f"{reverse('explorer:origin')}?{origin}",
        thing=head.thing_id if head.thing and not head.simulated else "",
    )


def _downloads(asked: Asked, chart: Chart, earlier: Chart | None) -> list[tuple[str, str]]:
    said = [*(("stream", line.head.id) for line in chart.lines), ("from", format_instant(chart.start)),
            ("to", format_instant(chart.end)), ("points", str(POINTS))]  # fmt: skip
    if earlier is not None:
        said.append(("compare", asked.compare))
    forms = ((_("CSV for a German spreadsheet"), "csv", "de"), (_("CSV"), "csv", ""), (_("JSON"), "json", ""))
    return [
        (title, f"{reverse('explorer:values', args=[suffix])}?{urlencode([*said, ('form', form)] if form else said)}")
        for title, suffix, form in forms
    ]


class Order(NamedTuple):
    """A file of all readings that can be ordered: it has one dataset."""

    dataset: str
    title: str
    streams: str
    start: str
    end: str


def _orders(asked: Asked, chart: Chart, profile: Profile) -> list[Order]:
    by_dataset: dict[str, list[str]] = {}
    for line in chart.lines:
        by_dataset.setdefault(line.head.dataset, []).append(line.head.id)
    return [
        Order(dataset, spoken(profile.datasets[dataset].title), ",".join(ids), format_instant(chart.start),
              format_instant(chart.end))
        for dataset, ids in by_dataset.items()
        if dataset in profile.datasets and all("," not in each and "*" not in each for each in ids)
    ]  # fmt: skip


def _form(asked: Asked, zone: str) -> dict[str, Any]:
    """The choice of the span."""
    titles = {
        "-PT1H": _("1 hour"), "-P1D": _("1 day"), "-P7D": _("1 week"), "-P1M": _("1 month"), "-P1Y": _("1 year"),
        asking.ALL: _("All"),
    }  # fmt: skip
    earlier = {
        "": _("Nothing"), "P1D": _("The day before"), "P7D": _("The week before"), "P1M": _("The month before"),
        "P1Y": _("The year before"),
    }  # fmt: skip
    now = asked.span.moving
    return {
        "spans": [
            Link(titles[each], asked.address(**{"from": each, "to": ""}), now and asked.span.start_words == each)
            for each in _DESIGNED
        ],
        "earlier": [(key, title, key == asked.compare) for key, title in earlier.items()],
        "start_field": _local(asked.span.start, zone),
        "end_field": _local(asked.span.end, zone),
        "zone": zone,
        "hidden": asked.hidden("from", "to", "compare"),
        "searching": asked.hidden("q", "dataset", "property", "simulated"),
    }


def _local(moment: int, zone: str) -> str:
    return f"{words.day_of(moment, zone):%Y-%m-%dT%H:%M}"
