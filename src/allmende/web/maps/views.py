"""Pages of the map: the map itself, the list that says the same, one thing, a district in figures, and the frame for
pages of others."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import house_of
from allmende.domain.errors import InvalidInput, LimitExceeded, NotFound
from allmende.domain.features import FeatureQuery
from allmende.domain.query import Query, Step
from allmende.domain.times import DAY, format_instant
from allmende.knowledge.maps.areas import Area, metres
from allmende.knowledge.series import STREAMS
from allmende.web.house import House
from allmende.web.maps.figures import Figure, figures_of
from allmende.web.maps.items import Item, Where, inside, properties_of, read_item, read_items, values_of
from allmende.web.maps.layers import find_layer
from allmende.web.maps.register import areas_of
from allmende.web.maps.scene import Laid, Scene, context, read_scene
from allmende.web.portal.sources import as_moment

View = Callable[[HttpRequest], HttpResponse]
_SERIES = STREAMS
"""Streams of a thing that the explorer is asked for: as many as it shows together."""


def saying_what_is_wrong(view: View) -> View:
    """A page that names the option that cannot be read, with 400."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except InvalidInput as error:
            return render(request, "maps/wrong.html", {"fault": error}, status=400)

    return answer


@require_safe
@gzip_page
@saying_what_is_wrong
def show_map(request: HttpRequest) -> HttpResponse:
    """``/map/``; without script it is the form that leads to the list."""
    scene = read_scene(request)
    return render(request, "maps/map.html", context(request, scene) | _district(scene))


@require_safe
@gzip_page
@saying_what_is_wrong
def show_frame(request: HttpRequest) -> HttpResponse:
    """The map alone, for pages of others. Whoever looks at it there is nobody: it shows what is open to all. Not there
    where the house lets itself be shown in no frame."""
    house = house_of(request)
    if not house.frames:
        raise Http404("no page may show ours")
    request.house = house.for_anybody()  # type: ignore[attr-defined]
    return house.let_frame(render(request, "maps/frame.html", context(request, read_scene(request))))


class Row(NamedTuple):
    """A thing in the list."""

    item: Item
    district: str
    metres: int | None
    time: Any


class Part(NamedTuple):
    """A layer in the list. ``capped``: there are more than the rows; ``timed``: some have a time."""

    laid: Laid
    rows: list[Row]
    capped: bool
    timed: bool


@require_safe
@gzip_page
@saying_what_is_wrong
def show_list(request: HttpRequest) -> HttpResponse:
    """``/map/list/``: what the map shows, as tables."""
    scene = read_scene(request)
    parts = [_part(scene, laid) for laid in scene.on if laid.layer.kind != "ground"]
    grounds = [_ground(scene, laid) for laid in scene.on if laid.layer.kind == "ground"]
    values = context(request, scene) | _district(scene) | {"parts": parts, "grounds": grounds}
    return render(request, "maps/list.html", values)


def _part(scene: Scene, laid: Laid) -> Part:
    asked, most = scene.asked, settings.ALLMENDE.map_rows
    where = Where(area=scene.area, near=asked.near, radius=asked.radius)
    # what lies nearest is known only when all are looked at
    looked = settings.ALLMENDE.map_things if asked.near else most
    items, capped = read_items(scene.house, laid.layer, laid.show, where, max(looked, most), asked.at)
    places = [item.place for item in items]
    districts = areas_of().of(places)
    far: dict[tuple[float, float], float] = {}
    if asked.near is not None:
        known = list({place for place in places if place is not None})
        far = dict(zip(known, metres(asked.near, known), strict=True))
    rows = [
        Row(
            item,
            area.name if area else "",
            round(far[item.place]) if item.place in far else None,
            as_moment(item.shown.time) if item.shown else None,
        )
        for item, area in zip(items, districts, strict=True)
    ]
    rows.sort(key=lambda row: (row.metres if row.metres is not None else 10**9, row.item.name.casefold(), row.item.id))
    return Part(laid, rows[:most], capped or len(rows) > most, any(row.time for row in rows))


def _ground(scene: Scene, laid: Laid) -> tuple[Laid, list[tuple[str, str, float | None]]]:
    """An outline's names; of districts their ids and areas in km² as well."""
    if laid.layer.source == "districts":
        areas = [scene.area] if scene.area else areas_of().all
        return laid, [(area.name, area.id, area.km2) for area in areas]
    outlines = getattr(scene.house.profile.geography, laid.layer.source)["features"]
    names = {str(feature.get("properties", {}).get("name") or "") for feature in outlines}
    return laid, [(name, "", None) for name in sorted(names) if name]


@require_safe
@gzip_page
@saying_what_is_wrong
def show_thing(request: HttpRequest) -> HttpResponse:
    """One thing or object (``layer``, ``id``, ``at``): a page, or with ``part`` what the map puts beside itself."""
    scene = read_scene(request, resolve=False)
    try:
        layer = find_layer(scene.house, request.GET.get("layer", ""))
        item = read_item(scene.house, layer, request.GET.get("id", "")[:500], scene.asked.at)
    except NotFound:
        raise Http404("there is no such thing") from None
    area = areas_of().of([item.place])[0]
    laid = Laid(layer, True, layer.show(scene.asked.shows.get(layer.id, "")), None)
    values = {
        "layer": layer,
        "laid": laid,
        "item": item,
        "area": area,
        "values": [(value, as_moment(value.time)) for value in values_of(layer, item)],
        "properties": list(properties_of(layer, item)),
        "series": _series(scene, item.id) if layer.things else "",
    }
    values |= context(request, scene)
    name = "maps/_thing.html" if "part" in request.GET else "maps/thing.html"
    return render(request, name, values)


def _series(scene: Scene, thing: str) -> str:
    """Where the explorer shows what a thing measured; "" where it has no streams that the reader may see."""
    path = (Step("Thing", thing, "Datastreams"),)
    query = Query(entity="Datastream", reader=scene.house.reader, path=path, select=("name",), top=_SERIES)
    try:
        names = [str(row[1]) for row in scene.house.store.find(query).rows]
    except NotFound:
        return ""
    pairs = [("stream", name) for name in names]
    if scene.asked.at is not None:
        pairs += [("from", format_instant(scene.asked.at - 7 * DAY)), ("to", format_instant(scene.asked.at))]
    return f"{reverse('explorer:start')}?{urlencode(pairs)}" if names else ""


@require_safe
@gzip_page
@saying_what_is_wrong
def show_district(request: HttpRequest) -> HttpResponse:
    """The figures of a district over the chosen layers, for the map to put beside itself."""
    scene = read_scene(request, resolve=False)
    if scene.area is None:
        raise Http404("no district")
    return render(request, "maps/_district.html", context(request, scene) | _district(scene))


def _district(scene: Scene) -> dict[str, Any]:
    if scene.area is None:
        return {"figures": []}
    return {"figures": [figure for laid in scene.on if (figure := _figure(scene, laid, scene.area)) is not None]}


def _figure(scene: Scene, laid: Laid, area: Area) -> Figure | None:
    if laid.layer.kind == "ground":
        return None
    if laid.layer.things:
        items, capped = read_items(
            scene.house, laid.layer, laid.show, Where(area=area), settings.ALLMENDE.map_things, scene.asked.at
        )
        return figures_of(laid, items, capped)
    try:
        number = scene.house.store.count_features(_within(scene.house, laid, area))
    except LimitExceeded:
        return Figure(laid, None, False, [])
    return Figure(laid, number, False, [])


def _within(house: House, laid: Laid, area: Area) -> FeatureQuery:
    return FeatureQuery(
        collection=laid.layer.source, reader=house.reader, simulated=True, bbox=area.bbox, filter=inside(area)
    )
