"""Which columns are a position, in which coordinate system: by names, ranges, and where the city lies."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import cos, hypot, isfinite, radians
from statistics import median
from typing import NamedTuple

from allmende.domain.recognition.model import Words
from allmende.domain.recognition.names import is_x, is_y

Convert = Callable[[int, float, float], tuple[float, float]]
"""From a system's x and y to longitude and latitude; not finite where they do not lie in it."""
_RANGES: tuple[tuple[int, tuple[float, float], tuple[float, float]], ...] = (
    (4326, (-180.0, 180.0), (-90.0, 90.0)),
    (25832, (200_000, 920_000), (5_200_000, 6_150_000)),
    (25833, (150_000, 600_000), (5_200_000, 6_150_000)),
    (4647, (32_200_000, 32_920_000), (5_200_000, 6_150_000)),
    (5650, (33_150_000, 33_600_000), (5_200_000, 6_150_000)),
    (31466, (2_450_000, 2_800_000), (5_200_000, 6_150_000)),
    (31467, (3_250_000, 3_850_000), (5_200_000, 6_150_000)),
    (31468, (4_250_000, 4_850_000), (5_200_000, 6_150_000)),
    (31469, (5_350_000, 5_700_000), (5_200_000, 6_150_000)),
    (3857, (550_000, 1_800_000), (5_900_000, 7_500_000)),
)
"""Systems that German offices use, and where in them Germany lies."""
_NAMED = (
    (re.compile(r"25833|utm.?33|zone.?33|etrs.*33"), 25833),
    (re.compile(r"25832|utm.?32|zone.?32|etrs.*32"), 25832),
    (re.compile(r"31467"), 31467),
    (re.compile(r"31468"), 31468),
    (re.compile(r"3857|web.?mercator"), 3857),
)
_HOME = (5.5, 47.0, 15.6, 55.3)
"""Germany: west, south, east, north. Where the city's place is not known, this is what is likely."""
_NEAR = 150.0
"""Kilometres from the city within which its things are."""


class Place(NamedTuple):
    """A pair of columns."""

    x: str
    y: str
    crs: int
    swapped: bool
    """Whether the names say it the other way round."""
    reason: Words
    confidence: float


def find_place(
    columns: Mapping[str, Sequence[float]], convert: Convert, centre: tuple[float, float] | None
) -> Place | None:
    """The best pair of columns of numbers; degrees go before metres. ``centre`` is the city's lon, lat."""
    names = list(columns)
    pairs: list[tuple[str, str, bool]] = []
    for y in filter(is_y, names):
        others = [name for name in names if name != y and is_x(name)]
        if others:
            nearest = min(others, key=lambda name: (abs(names.index(name) - names.index(y)), name[1:] != y[1:]))
            pairs.append((nearest, y, True))
    if not pairs:
        pairs = [
            (one, other, False) for one, other in pairwise(names) if _is_fine(columns[one]) and _is_fine(columns[other])
        ]
    found = [place for x, y, named in pairs if (place := _judge(x, y, columns, convert, centre, named=named))]
    return max(found, key=lambda place: (place.confidence, place.crs == 4326), default=None)


def _is_fine(values: Sequence[float]) -> bool:
    """Whether numbers are as fine as positions are."""
    return bool(values) and sum(1 for value in values if round(value, 3) != value) > 0.8 * len(values)


def _judge(
    x: str,
    y: str,
    columns: Mapping[str, Sequence[float]],
    convert: Convert,
    centre: tuple[float, float] | None,
    *,
    named: bool,
) -> Place | None:
    if not columns[x] or not columns[y]:
        return None
    one, other = median(columns[x]), median(columns[y])
    said = next((code for pattern, code in _NAMED if pattern.search(f"{x} {y}".lower())), 0)
    best: tuple[float, int, bool] | None = None
    for swapped, (east, north) in ((False, (one, other)), (True, (other, one))):
        for code, (west, right), (south, top) in _RANGES:
            if not (west <= east <= right and south <= north <= top):
                continue
            far = (
                _distance(convert(code, east, north), centre)
                + (1.0 if swapped else 0.0)
                - (50.0 if code == said else 0.0)
            )
            if best is None or far < best[0]:
                best = far, code, swapped
    if best is None or not isfinite(best[0]) or (not named and best[0] > _NEAR):
        return None
    far, code, swapped = best
    near = far <= _NEAR
    confidence = (0.95 if named else 0.7) if near else 0.5 if named else 0.3
    return Place(
        y if swapped else x,
        x if swapped else y,
        code,
        swapped and named,
        _reason(code, near, swapped and named, named),
        confidence,
    )


def _reason(code: int, near: bool, swapped: bool, named: bool) -> Words:
    values: dict[str, str | int | float] = {"crs": f"EPSG:{code}"}
    if swapped:
        return Words("x and y are swapped: only the other way round do they lie near the city (%(crs)s).", values)
    if not near:
        return Words("The names say a position (%(crs)s), but it does not lie near the city.", values)
    if not named:
        return Words("The numbers are positions near the city (%(crs)s).", values)
    return Words("Names and numbers fit %(crs)s, and lie near the city.", values)


def _distance(place: tuple[float, float], centre: tuple[float, float] | None) -> float:
    """Kilometres, roughly; without a centre nothing within Germany, far outside."""
    lon, lat = place
    if not (isfinite(lon) and isfinite(lat)) or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return float("inf")
    if centre is None:
        west, south, east, north = _HOME
        return 0.0 if west <= lon <= east and south <= lat <= north else 1000.0
    return hypot((lon - centre[0]) * cos(radians(centre[1])), lat - centre[1]) * 111.0
