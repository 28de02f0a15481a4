"""What all pages of the map have in common: which layers are on and in what order, and the address that says so."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from msgspec.structs import replace

from allmende.domain.errors import InvalidQuery
from allmende.domain.times import format_instant, to_datetime
from allmende.knowledge.maps.areas import Area
from allmende.knowledge.maps.finding import Hit
from allmende.web.house import House
from allmende.web.maps.asked import NEAR, RADII, Asked, read_asked
from allmende.web.maps.layers import MapLayer, Show, first_chosen, layers_for
from allmende.web.maps.models import Register
from allmende.web.maps.register import areas_of, current_register, find_places
from allmende.web.portal.sources import as_moment


class Laid(NamedTuple):
    """A layer in the panel."""

    layer: MapLayer
    on: bool
    show: Show | None
    newest: datetime | None


class Scene(NamedTuple):
    """What is seen, for one reader."""

    house: House
    asked: Asked
    layers: tuple[Laid, ...]
    """Those that are on first, the uppermost at the front."""
    area: Area | None
    also: list[Hit]
    """What the text may mean beside what was taken."""
    unknown: str
    """A text that means nothing here."""

    @property
    def on(self) -> list[Laid]:
        """The layers that are seen."""
        return [laid for laid in self.layers if laid.on]


def read_scene(request: HttpRequest, *, resolve: bool = True) -> Scene:
    """Raises InvalidQuery that names the option. What was typed is looked up where no place is given with it.

    Layers that are not there (or not for this reader) are left out without a word: a link lives longer than a layer.
    """
    house: House = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    asked = read_asked(request.GET, house.profile.time_zone)
    layers = layers_for(house)
    also: list[Hit] = []
    unknown = ""
    if resolve and asked.text and asked.near is None:
        asked, also, unknown = _resolved(house, asked)
    area = areas_of().find(asked.district) if asked.district else None
    if asked.district and area is None:
        raise InvalidQuery("there is no such district", where="district")
    chosen = list(asked.layers) if asked.chosen else first_chosen(layers)
    by_id = {layer.id: layer for layer in layers}
    on = [by_id[name] for name in chosen if name in by_id]
    off = [layer for layer in layers if layer not in on]
    laid = [
        Laid(layer, layer in on, layer.show(asked.shows.get(layer.id, "")), as_moment(layer.newest))
        for layer in [*on, *off]
    ]
    return Scene(house, asked, tuple(laid), area, also, unknown)


def _resolved(house: House, asked: Asked) -> tuple[Asked, list[Hit], str]:
    found = find_places(house, asked.text)
    if not found:
        return asked, [], asked.text
    best = found[0]
    if best.kind == "district":
        return replace(asked, district=best.id, text=""), found[1:], ""
    words = ", ".join(piece for piece in (best.name, best.detail) if piece)
    return replace(asked, near=(best.lon, best.lat), text=words), found[1:], ""


def address(scene: Scene, view: str = "map", **instead: Any) -> str:
    """The path of a view that shows the same, but for what is given."""
    asked = scene.asked
    pairs: list[tuple[str, str]] = []
    if asked.chosen:
        pairs += [("layer", name) for name in asked.layers] or [("layer", "")]
    pairs += [(f"show:{name}", value) for name, value in asked.shows.items()]
    plain: dict[str, Any] = {
        "at": format_instant(asked.at) if asked.at is not None else "",
        "district": asked.district,
        "q": asked.text,
        "near": "{:.6f},{:.6f}".format(*asked.near) if asked.near else "",
        "radius": asked.radius if asked.near and asked.radius != NEAR else "",
        "pos": "{:g}/{:g}/{:g}".format(*asked.position) if asked.position else "",
        "selected": "|".join(asked.selected) if asked.selected else "",
    }
    pairs += [(name, str(value)) for name, value in {**plain, **instead}.items() if value not in ("", None)]
    query = urlencode(pairs, safe=":/|,~", quote_via=quote)
    path = reverse(f"maps:{view}")
    return f"{path}?{query}" if query else path


def hit_address(scene: Scene, hit: Hit, view: str = "list") -> str:
    """Where one of the other meanings of a text leads."""
    if hit.kind == "district":
        return address(scene, view, district=hit.id, q="", near="")
    words = ", ".join(piece for piece in (hit.name, hit.detail) if piece)
    return address(scene, view, near=f"{hit.lon:.6f},{hit.lat:.6f}", q=words)


def context(request: HttpRequest, scene: Scene) -> dict[str, Any]:
    """What the templates need."""
    zone = ZoneInfo(scene.house.profile.time_zone)
    moment = to_datetime(scene.asked.at).astimezone(zone) if scene.asked.at is not None else None
    geography = scene.house.profile.geography
    register: Register | None = current_register()
    return {
        "scene": scene,
        "asked": scene.asked,
        "layers": scene.layers,
        "groups": _grouped(scene.layers),
        "grounds_laid": [laid for laid in scene.layers if laid.layer.kind == "ground"],
        "on": scene.on,
        "area": scene.area,
        "areas": areas_of().all,
        "radii": RADII,
        "at": moment,
        "at_local": moment.strftime("%Y-%m-%dT%H:%M") if moment else "",
        "at_instant": format_instant(scene.asked.at) if scene.asked.at is not None else "",
        "near": "{:.6f},{:.6f}".format(*scene.asked.near) if scene.asked.near else "",
        "register": register,
        "also": [(hit, hit_address(scene, hit)) for hit in scene.also],
        "center": "{:g},{:g},{:g}".format(*geography.center, geography.zoom),
        "map_address": address(scene),
        "list_address": address(scene, "list"),
        "embeds": bool(settings.ALLMENDE.embed_hosts),
        "now": scene.house.now(),
        "texts": texts(),
    }


def _grouped(layers: Iterable[Laid]) -> list[tuple[str, list[Laid]]]:
    """Layers on top, then those of each series together: what is on stands at the front whatever it is of."""
    found: dict[str, list[Laid]] = {"": []}
    for laid in layers:
        if laid.layer.kind != "ground":
            found.setdefault("" if laid.on else laid.layer.group, []).append(laid)
    return [(group, listed) for group, listed in found.items() if listed]


def texts() -> dict[str, str]:
    """What the script says; ``%s`` stands for the value."""
    return {
        "map": _("Map of the city"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "scrollZoom": _("Hold Ctrl and scroll to zoom the map"),
        "scrollZoomMac": _("Hold ⌘ and scroll to zoom the map"),
        "twoFingers": _("Move the map with two fingers"),
        "failed": _("The map cannot be drawn on this device. The list has all values."),
        "loading": _("The map is being loaded …"),
        "suggestions": _("%s suggestions, choose with the arrow keys"),
        "noSuggestion": _("Nothing found. Try another spelling."),
        "nearest": _("nearest house in the register"),
        "now": _("Now"),
        "play": _("Play"),
        "pause": _("Pause"),
        "forward": _("One step on"),
        "capped": _("There are more things than can be shown at once. Zoom in to see all of them."),
        "things": _("%s in view"),
        "nothing": _("Nothing of the chosen layers lies in view."),
        "noValue": _("no value"),
        "upMoved": _("%s moved up"),
        "downMoved": _("%s moved down"),
        "copied": _("Copied"),
        "lost": _("No connection. The values may be old."),
        "simulated": _("simulated"),
        "close": _("Close"),
        "printedOn": _("Printed on %s"),
        "objectNow": _("as it is now"),
    }
