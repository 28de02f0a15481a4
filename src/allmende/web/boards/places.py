"""The tile with a small map: drawn by the house as one picture, without a script. Whoever wants to move about in it
goes on to the map itself."""

from collections.abc import Iterator, Mapping
from math import cos, radians, sqrt
from typing import Any, NamedTuple

import shapely
from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.domain.errors import NotFound
from allmende.web.boards.kinds import Kind, TileForm, listed
from allmende.web.boards.words import say
from allmende.web.maps.items import Item, Where, read_items
from allmende.web.maps.layers import MapLayer, layers_for

_MOST = 300
"""Places in a picture."""
_ROWS = 12
_WIDTH = 600.0
_SMALL, _LARGE = 6.0, 16.0
"""Radii of points."""
_FINE = 0.6
"""Pixels by which an outline may be off."""
Box = tuple[float, float, float, float]


class Spot(NamedTuple):
    """A point of the picture."""

    x: float
    y: float
    radius: float
    name: str
    said: str


class Picture(NamedTuple):
    """Outlines as paths of SVG, the city's last, and points; in pixels from the upper left corner."""

    width: float
    height: float
    outlines: tuple[str, ...]
    spots: tuple[Spot, ...]


class PlacesForm(TileForm):
    """Of a small map."""

    layer = forms.ChoiceField(label=_("Layer of the map"))
    rows = forms.IntegerField(label=_("Rows at most"), min_value=1, max_value=50, initial=_ROWS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layers = [each for each in layers_for(self.request.house) if each.dataset]  # type: ignore[attr-defined]
        self._datasets = {each.id: each.dataset for each in layers}
        self.fields["layer"].choices = [(each.id, each.title) for each in layers]  # type: ignore[attr-defined]

    def settings(self) -> dict[str, Any]:
        """See TileForm. The layer's dataset says who sees the tile."""
        said = super().settings()
        return {**said, "datasets": [self._datasets[said["layer"]]]}


class Places(Kind):
    """Where something is, and how much it is there: a picture of the city with points, and the same as a table.

    Settings: ``layer``, an id of the map's, or several, of which the first that has places is shown; ``datasets``,
    those that the layers are of; ``show``, which of its values; ``rows``.
    """

    name = "map"
    title = _("Small map")
    summary = _("Where something is in the city, with the newest values; a table, and the way to the map.")
    form = PlacesForm
    order = 35

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        named = listed(settings, "layer") and listed(settings, "datasets")
        return "" if named else "names a layer of the map and its dataset"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        house = request.house  # type: ignore[attr-defined]
        layers = {each.id: each for each in layers_for(house)}
        wanted = [layers[name] for name in listed(tile.settings, "layer") if name in layers]
        said: dict[str, Any] = {"title": say(tile.title)}
        for layer in (each for each in wanted if each.dataset in listed(tile.settings, "datasets")):
            items, more = _items(house, layer, str(tile.settings.get("show", "")))
            if not items:
                continue
            rows = tile.settings.get("rows", _ROWS)
            shown = items[: rows if isinstance(rows, int) and rows > 0 else _ROWS]
            said |= {
                "layer": layer, "rows": shown, "valued": any(item.shown for item in shown), "number": len(items),
                "capped": more, "rest": len(items) - len(shown), "picture": draw(house.profile.geography, items),
            }  # fmt: skip
            break
        return render_to_string("boards/tiles/places.html", said, request)


def _items(house: Any, layer: MapLayer, show: str) -> tuple[list[Item], bool]:
    try:
        found, more = read_items(house, layer, layer.show(show), Where(), _MOST)
    except NotFound:  # it went since the layers were read
        return [], False
    found = [item for item in found if item.place is not None]
    return sorted(found, key=lambda item: (item.name.casefold(), item.id)), more


def draw(geography: Any, items: list[Item]) -> Picture:
    """The city's boundary and districts with the items that lie within its box. Degrees of longitude are shortened as
    they are in the middle of the city: on so small a map nobody sees the rest of a projection."""
    city = _shapes(geography.boundary)
    west, south, east, north = _box(city, geography.center)
    narrow = cos(radians((south + north) / 2))
    scale = _WIDTH / ((east - west) * narrow)

    def at(lon: float, lat: float) -> tuple[float, float]:
        return round((lon - west) * narrow * scale, 1), round((north - lat) * scale, 1)

    shapes = [*_shapes(geography.districts), *city]
    outlines = (" ".join(_path(shape.simplify(_FINE / scale), at)) for shape in shapes)
    here = [item for item in items if item.place and west <= item.place[0] <= east and south <= item.place[1] <= north]
    values = {item.id: _number(item) for item in here}
    top = max((value for value in values.values() if value is not None), default=0.0)
    spots = []
    for item in here:
        value = values[item.id]
        share = sqrt(max(0.0, value) / top) if value is not None and top > 0 else 0.0  # areas are compared
        words = item.shown.text if item.shown else ""
        spots.append(Spot(*at(*item.place), round(_SMALL + share * (_LARGE - _SMALL), 1), item.name, words))  # type: ignore[misc]  # all have one
    return Picture(_WIDTH, round((north - south) * scale, 1), tuple(filter(None, outlines)), tuple(spots))


def _number(item: Item) -> float | None:
    value = item.shown.value if item.shown else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shapes(outlines: Mapping[str, Any]) -> list[Any]:
    shapes = (shapely.geometry.shape(feature["geometry"]) for feature in outlines["features"])
    return [shape for shape in shapes if not shape.is_empty]


def _box(city: list[Any], center: tuple[float, float]) -> Box:
    """Of the city with a small margin; where no boundary is known, of some kilometres around its middle."""
    boxes = [shape.bounds for shape in city]
    if not boxes:
        return center[0] - 0.1, center[1] - 0.06, center[0] + 0.1, center[1] + 0.06
    west, south, east, north = (pick(each[n] for each in boxes) for n, pick in enumerate((min, min, max, max)))
    margin = (north - south) * 0.02
    return west - margin, south - margin, east + margin, north + margin


def _path(shape: Any, at: Any) -> Iterator[str]:
    for part in getattr(shape, "geoms", [shape]):
        for line in [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]:
            points = (at(lon, lat) for lon, lat, *_height in line.coords)
            yield "M" + "L".join(f"{x} {y}" for x, y in points)
