"""A part of the map as a condition of the search: a district, four fields, or one as other interfaces write it."""

import shapely
from django.http import QueryDict
from django.utils.translation import gettext as _

from allmende.domain.errors import InvalidQuery
from allmende.domain.features import Box
from allmende.domain.profile import Geography
from allmende.domain.search.datasets import read_box

SIDES = ("west", "south", "east", "north")


def read_extent(asked: QueryDict) -> Box | None:
    """From four fields, or ``bbox=west,south,east,north`` as other interfaces write it."""
    whole = asked.get("bbox", "").split(",")
    if len(whole) == 4:
        return read_box(whole)
    if whole != [""]:
        raise InvalidQuery("is four numbers: west, south, east, north", where="bbox")
    return read_box([asked.get(side, "") for side in SIDES])


_drawn: tuple[Geography, dict[str, Box]] | None = None
"""A process has one city."""


def districts_of(geography: Geography) -> dict[str, Box]:
    """The boxes around the city's districts by their names, in the order of these."""
    global _drawn
    if _drawn is None or _drawn[0] is not geography:
        _drawn = geography, _draw(geography)
    return _drawn[1]


def _draw(geography: Geography) -> dict[str, Box]:
    boxes: dict[str, list[Box]] = {}
    for feature in geography.districts["features"]:
        name = str((feature.get("properties") or {}).get("name", ""))
        if name:
            boxes.setdefault(name, []).append(shapely.geometry.shape(feature["geometry"]).bounds)
    return {
        name: (min(b[0] for b in own), min(b[1] for b in own), max(b[2] for b in own), max(b[3] for b in own))
        for name, own in sorted(boxes.items())
    }


def map_texts() -> dict[str, str]:
    """What the map says, by the names that the script asks for."""
    return {
        "map": _("Map of the city. Arrow keys move it, plus and minus change its scale."),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "scrollZoom": _("Hold Ctrl and scroll to zoom the map"),
        "scrollZoomMac": _("Hold ⌘ and scroll to zoom the map"),
        "twoFingers": _("Move the map with two fingers"),
        "failed": _("The map cannot be drawn here. The fields below do the same."),
        "taken": _("Taken into the fields: %s. Now search."),
    }


def fields(asked: QueryDict, bbox: Box | None, *, wrong: bool) -> list[tuple[str, str, str]]:
    """The four fields: key, name and value; where something is ``wrong``, as it was written."""
    names = (_("West"), _("South"), _("East"), _("North"))
    return [
        (side, name, asked.get(side, "") if wrong else side_of(bbox, place))
        for place, (side, name) in enumerate(zip(SIDES, names, strict=True))
    ]


def side_of(bbox: Box | None, place: int) -> str:
    """One side in degrees, as it is written."""
    return "" if bbox is None else f"{bbox[place]:.6f}".rstrip("0").rstrip(".")
