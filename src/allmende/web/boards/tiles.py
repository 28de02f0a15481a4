"""The tiles of the house itself: text, link, a value, a table of values, objects, sources that are late."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.domain.errors import NotFound
from allmende.domain.features import FeatureQuery, KeptFeature
from allmende.domain.figures import StreamSummary
from allmende.domain.times import from_datetime, to_datetime
from allmende.web.boards import streams
from allmende.web.boards.fields import DatasetField, StreamsField
from allmende.web.boards.kinds import Kind, Reads, TileForm, listed
from allmende.web.boards.usual import Course, course_of
from allmende.web.boards.words import markdown, say
from allmende.web.portal.sources import list_sources
from allmende.web.worker.models import Trouble

_SHOWN = 12
_ROWS = 200
_FRESH = timedelta(days=1)
"""What is older is called old."""


class TextForm(TileForm):
    """Of a text."""

    text = forms.CharField(
        label=_("Text"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Markdown: **bold**, *italic*, lists with a hyphen, [words](address) for a link."),
    )


class Text(Kind):
    """A text in Markdown. With ``datasets`` it is shown to those alone who may read them."""

    name = "text"
    title = _("Text")
    summary = _("A few sentences, with links.")
    form = TextForm
    order = 10

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if settings.get("text") else "has no text"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        return render_to_string("boards/tiles/text.html", {"body": markdown(say(tile.settings.get("text", "")))})


class LinkForm(TileForm):
    """Of a link."""

    address = forms.CharField(
        label=_("Address"), max_length=500, help_text=_("https://… or, for a page of this house, /datasets/…")
    )
    words = forms.CharField(label=_("What is there"), max_length=200)

    def clean_address(self) -> str:
        """An address that leads to a page."""
        if not _leads(address := str(self.cleaned_data["address"]).strip()):
            raise forms.ValidationError(_("This is no address of a page: it begins with https:// or with a slash."))
        return address


def _leads(address: str) -> bool:
    parts = urlsplit(address)
    inside = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return inside or (parts.scheme in ("https", "http") and bool(parts.hostname))


class Link(Kind):
    """A link."""

    name = "link"
    title = _("Link")
    summary = _("The way to another page.")
    form = LinkForm
    order = 90

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if _leads(str(settings.get("address", ""))) else "its address is no page's"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        said = {"address": tile.settings.get("address", ""), "words": say(tile.settings.get("words", ""))}
        return render_to_string("boards/tiles/link.html", said)


class ValueForm(TileForm):
    """Of a value."""

    streams = StreamsField(label=_("What is measured"), most=1)
    usual = forms.BooleanField(
        label=_("Say whether it is more or less than usual at this time"), required=False, initial=True
    )


class Value(Kind):
    """The newest value of one stream: big, with its age, what is usual, and the last day as chart and table."""

    name = "value"
    title = _("Newest value")
    summary = _("One number, how old it is, and whether it is more or less than usual.")
    form = ValueForm
    order = 20

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if len(listed(settings, "streams")) == 1 else "names one stream"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        house = request.house  # type: ignore[attr-defined]
        now = house.now()
        found = streams.of(request, listed(tile.settings, "streams"))
        stream = next(iter(found.values()), None)
        if stream is None or stream.at is None:
            return _nothing(request, tile, stream)
        course: Course | None = None
        if isinstance(stream.value, int | float) and not isinstance(stream.value, bool):
            course = course_of(house.store, house.reader, stream, now, usual=bool(tile.settings.get("usual")))
            if course.now is not None and stream.at > now:  # of a forecast: what it says of this moment
                stream = stream._replace(value=course.now[1], at=course.now[0])
        said = {
            "title": say(tile.title),
            "stream": stream,
            "course": course,
            "now": now,
            "old": stream.at < now - _FRESH,
        }
        return render_to_string("boards/tiles/value.html", said, request)


class Row(NamedTuple):
    """A line of a table of values."""

    label: str
    said: str
    unit: str
    at: datetime | None
    share: float | None
    """Of the highest value, 0 to 100, where all are numbers of one unit."""


class TableForm(TileForm):
    """Of a table of values: of streams that were chosen, or of a dataset."""

    streams = StreamsField(label=_("What is measured"), most=40, required=False)
    dataset = DatasetField(label=_("Or all values of a dataset"), required=False)
    property = forms.CharField(
        label=_("Of these only what measures this"),
        max_length=100,
        required=False,
        help_text=_("Id of an observed property, e.g. air-temperature."),
    )
    rows = forms.IntegerField(label=_("Rows at most"), min_value=1, max_value=_ROWS, initial=_SHOWN)

    def clean(self) -> dict[str, Any]:
        """Either of both."""
        said = super().clean() or {}
        if not said.get("streams") and not said.get("dataset"):
            self.add_error("streams", _("Choose what is measured, or a dataset."))
        return said

    def settings(self) -> dict[str, Any]:
        """See TileForm."""
        said = super().settings()
        if dataset := said.pop("dataset", ""):
            said["datasets"] = [dataset]
            said.pop("streams", None)
        return said


class Table(Kind):
    """Newest values beside each other. Of several datasets the first that has values of the last day is shown: where a
    feed is silent, what stands in for it."""

    name = "table"
    title = _("Table of newest values")
    summary = _("Many values beside each other, with bars.")
    form = TableForm
    order = 30

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if settings.get("streams") or settings.get("datasets") else "names streams or a dataset"

    def reads(self, tile: Tile) -> Reads:
        """See Kind."""
        datasets = listed(tile.settings, "datasets")
        return Reads((), datasets) if datasets else Reads(listed(tile.settings, "streams"))

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        most = tile.settings.get("rows", _SHOWN)
        rows, simulated = self._rows(request, tile)
        if not rows:
            return _nothing(request, tile)
        shown = with_shares(rows[: most if isinstance(most, int) and most > 0 else _SHOWN])
        now = request.house.now()  # type: ignore[attr-defined]
        old = [row for row in shown if row.at is None or row.at < now - _FRESH]
        said = {"rows": shown, "more": len(rows) - len(shown), "old": len(old), "now": now, "simulated": simulated}
        said |= {"bars": any(row.share is not None for row in shown), "title": say(tile.title)}
        return render_to_string("boards/tiles/table.html", said, request)

    def _rows(self, request: HttpRequest, tile: Tile) -> tuple[list[Row], bool]:
        datasets = listed(tile.settings, "datasets")
        if not datasets:
            found = streams.of(request, listed(tile.settings, "streams")).values()
            rows = [Row(each.label, each.said, each.unit, each.at, _number(each.value)) for each in found]
            return rows, any(each.simulated for each in found)
        house = request.house  # type: ignore[attr-defined]
        wanted = tile.settings.get("property")
        fresh = from_datetime(house.now() - _FRESH)
        stale: tuple[list[Row], bool] = ([], False)
        for dataset in datasets:
            kept = [
                each
                for each in house.store.streams(house.reader, dataset, top=_ROWS)
                if each.start is not None and wanted in (None, each.property_id)
            ]
            profile = house.profile.datasets.get(dataset)
            rows = [_row(each, bool(wanted)) for each in kept], bool(profile and profile.simulated)
            if any(each.start is not None and each.start >= fresh for each in kept):
                return rows
            stale = stale if stale[0] else rows
        return stale


def _row(kept: StreamSummary, alike: bool) -> Row:
    label = kept.thing or kept.name if alike else " – ".join(part for part in (kept.thing, kept.property) if part)
    at = to_datetime(kept.start) if kept.start is not None else None
    value = streams.as_shown(kept.result, kept.unit)
    return Row(label or kept.name, streams.say_value(value), streams.say_unit(kept.unit), at, _number(value))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def with_shares(rows: list[Row]) -> list[Row]:
    """Bars are drawn where they can be compared: of one unit, and none below nothing."""
    values = [row.share for row in rows if row.share is not None]
    one = len({row.unit for row in rows}) == 1 and len(values) > 1 and min(values) >= 0 and max(values) > 0
    top = max(values) if one else 1.0
    return [row._replace(share=100 * row.share / top if one and row.share is not None else None) for row in rows]


class ObjectsForm(TileForm):
    """Of objects."""

    collection = forms.CharField(label=_("Collection"), max_length=100, help_text=_("Its id, e.g. roadworks."))
    label = forms.CharField(
        label=_("Property that names an object"), max_length=100, required=False, help_text=_("e.g. roads or name")
    )
    number = forms.CharField(
        label=_("Property with a number, drawn as bars"), max_length=100, required=False, help_text=_("e.g. capacity")
    )
    rows = forms.IntegerField(label=_("Rows at most"), min_value=1, max_value=50, initial=_SHOWN)

    def clean_collection(self) -> str:
        """One that the person may see."""
        house, wanted = self.request.house, str(self.cleaned_data["collection"])  # type: ignore[attr-defined]
        if wanted not in {each.id for each in house.store.collections(house.reader, simulated=True)}:
            raise forms.ValidationError(_("There is no collection of this id."))
        return wanted

    def settings(self) -> dict[str, Any]:
        """See TileForm. The collection's dataset says who sees the tile."""
        house, said = self.request.house, super().settings()  # type: ignore[attr-defined]
        kept = house.store.collections(house.reader, simulated=True)
        return {**said, "datasets": [each.dataset for each in kept if each.id == said["collection"]]}


class Objects(Kind):
    """What of a collection holds now, e.g. roadworks."""

    name = "objects"
    title = _("List of objects")
    summary = _("What holds now, e.g. roadworks: how many, which, and until when.")
    form = ObjectsForm
    order = 40

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if settings.get("collection") and settings.get("datasets") else "names a collection and its datasets"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        house = request.house  # type: ignore[attr-defined]
        collection, most = str(tile.settings.get("collection", "")), int(tile.settings.get("rows", _SHOWN))
        now = from_datetime(house.now())
        asked = FeatureQuery(
            collection=collection, reader=house.reader, start=now, end=now, top=min(most, _ROWS), simulated=True
        )
        try:
            items, count = house.store.features(asked).items, house.store.count_features(asked)
        except NotFound:
            return _nothing(request, tile)
        label, number = str(tile.settings.get("label", "name")), str(tile.settings.get("number", ""))
        rows = [_object(each, label, number) for each in items]
        said = {
            "title": say(tile.title),
            "rows": with_shares(rows),
            "numbers": any(row.said for row in rows),
            "number": number,
            "count": count,
            "collection": collection,
            "more": count - len(rows),
        }
        said["ends"] = any(row.at for row in rows)
        return render_to_string("boards/tiles/objects.html", said, request)


def _object(kept: KeptFeature, label: str, number: str) -> Row:
    """``at`` is when it ends, ``share`` its number until bars are made of it."""
    properties = msgspec.json.decode(kept.properties) or {}
    value = _number(properties.get(number)) if number else None
    said = "" if value is None else streams.say_value(properties[number])
    return Row(_words(properties.get(label)) or kept.id, said, "", _until(kept.valid_to), value)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _until(micros: int | None) -> datetime | None:
    return None if micros is None else to_datetime(micros)


class LateSources(Kind):
    """Sources that are switched on and do not send what they should, among those that the reader may know of."""

    name = "sources"
    title = _("Sources that are late")
    summary = _("Which sources send nothing, or not what they should.")
    order = 50

    def reads(self, tile: Tile) -> Reads:
        """See Kind: it shows to each reader what they may know of."""
        return Reads()

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        house = request.house  # type: ignore[attr-defined]
        troubles = Trouble.objects.filter(over__isnull=True).order_by("since")
        every = list_sources(house.profile, house.store.sources(), house.now(), troubles=troubles)
        known = [each for each in every if house.knows(each.dataset)]
        on = [each for each in known if each.state != "off"]
        late = [each for each in on if each.state not in ("working", "waiting")]
        waiting = sum(each.state == "waiting" for each in on)
        said = {"late": late, "on": len(on), "working": len(on) - len(late) - waiting, "waiting": waiting}
        return render_to_string("boards/tiles/sources.html", {**said, "title": say(tile.title)}, request)


def _nothing(request: HttpRequest, tile: Tile, stream: streams.Stream | None = None) -> str:
    """That there is nothing, and how the sources of what the tile reads fare."""
    house = request.house  # type: ignore[attr-defined]
    datasets = listed(tile.settings, "datasets")
    every = list_sources(house.profile, house.store.sources(), house.now()) if datasets else []
    sources = [each for each in every if each.dataset.id in datasets]
    return render_to_string("boards/tiles/nothing.html", {"stream": stream, "sources": sources}, request)
