"""Mapbox Vector Tiles 2.1, written by hand: the format is a page long, and `mapbox-vector-tile` asks for an older
protobuf than the feeds of public transport do.

All geometries of a tile are drawn at once, as arrays: a tile has thousands of features, and few of them much in them.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import shapely

EXTENT = 4096
"""Units of a tile's side."""
_POINT, _LINE, _POLYGON = 1, 2, 3
_MOVE, _LINE_TO, _CLOSE = 9, 2, 15
"""A move by one place, the kind of a line (its count is added), the end of a ring."""
_COLLECTIONS = (4, 5, 6, 7)
"""Shapely's numbers of what has parts."""


def encode_tile(name: str, shapes: Any, said: Sequence[Mapping[str, Any]], also: Mapping[str, Any]) -> bytes:
    """One layer as a tile; nothing where no feature has a geometry left.

    ``shapes`` is an array of geometries in units of the tile, y downwards, each with what is said of it: texts,
    numbers, booleans; anything else is left out. ``also`` is said of all of them.
    """
    parts, owners = _taken_apart(shapes)
    dimensions = shapely.get_dimensions(parts)
    drawn: list[tuple[int, int, bytes]] = []
    for kind, dimension, draw in ((_POINT, 0, _points), (_LINE, 1, _lines), (_POLYGON, 2, _polygons)):
        own = (dimensions == dimension) & ~shapely.is_empty(parts)
        if own.any():
            drawn += ((owner, kind, body) for owner, body in draw(parts[own], owners[own]))
    if not drawn:
        return b""
    drawn.sort(key=itemgetter(0))
    tags = _Tags()
    common = b"".join(tags.pair(key, value) for key, value in also.items())
    features = []
    before, words = -1, b""
    for owner, kind, body in drawn:
        if owner != before:
            before, words = owner, _message(2, tags.pairs(said[owner]) + common)
        features.append(_message(2, words + _KINDS[kind] + body))
    layer = [_message(1, name.encode()), *features, *tags.tables(), _number(5, EXTENT), _number(15, 2)]
    return _message(3, b"".join(layer))


class _Tags:
    """Names and values of a layer, each once; what features have in common is written once, too."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, type, Any], bytes] = {}
        self._keys: dict[str, int] = {}
        self._values: dict[tuple[type, Any], int] = {}

    def pairs(self, said: Mapping[str, Any]) -> bytes:
        """The tags of a feature."""
        known, made = self._known, []
        for key, value in said.items():
            try:
                made.append(known[key, value.__class__, value])
            except KeyError:
                made.append(self.pair(key, value))
            except TypeError:  # lists and objects have no place in a tile, and no hash
                continue
        return b"".join(made)

    def pair(self, key: str, value: Any) -> bytes:
        """One of them; nothing for a value that a tile cannot hold."""
        kept = float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value
        pair = b""
        if isinstance(kept, bool | str | float):
            name = self._keys.setdefault(key, len(self._keys))
            place = self._values.setdefault((type(kept), kept), len(self._values))
            pair = _varint(name) + _varint(place)
        self._known[key, value.__class__, value] = pair
        return pair

    def tables(self) -> Iterator[bytes]:
        """Names, then values, in the order of their numbers."""
        for key in self._keys:
            yield _message(3, key.encode("utf-8", "replace"))
        for _, value in self._values:
            yield _message(4, _value(value))


def _taken_apart(shapes: Any) -> tuple[Any, Any]:
    """The simple parts of geometries, and the place of the one that each is of."""
    parts, owners = shapes, np.arange(len(shapes))
    while np.isin(shapely.get_type_id(parts), _COLLECTIONS).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owners = owners[index]
    return parts, owners


Drawn = Iterator[tuple[int, bytes]]


def _points(parts: Any, owners: Any) -> Drawn:
    """All points of a feature by one move."""
    places = np.rint(shapely.get_coordinates(parts)).astype(np.int64)
    begins = np.flatnonzero(np.diff(owners, prepend=-1))
    many = np.diff(begins, append=len(owners))
    starts = np.concatenate([[0], np.cumsum(1 + 2 * many)])
    out = np.empty(starts[-1], dtype=np.int64)
    out[starts[:-1]] = many << 3 | 1
    at = np.arange(len(places)) * 2 + np.repeat(np.arange(1, len(begins) + 1), many)
    out[at], out[at + 1] = _steps(places, begins)
    return zip(owners[begins].tolist(), _cut(out, starts), strict=True)


def _lines(parts: Any, owners: Any) -> Drawn:
    places, path = shapely.get_coordinates(parts, return_index=True)
    return _paths(np.rint(places).astype(np.int64), path, owners, 0)


def _polygons(parts: Any, owners: Any) -> Drawn:
    """Outer rings run clockwise as they are seen, holes the other way (4.3.4.4)."""
    # y goes down here: counter-clockwise in numbers is clockwise to the eye
    rings, polygon = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    places, path = shapely.get_coordinates(rings, return_index=True)
    last = np.diff(path, append=-1) != 0  # where a ring began, too: it is closed by a command
    return _paths(np.rint(places[~last]).astype(np.int64), path[~last], owners[polygon], 1)


def _paths(places: Any, path: Any, owners: Any, closing: int) -> Drawn:
    """Lines by their places: a move, the lines, for a ring its end. ``path`` is each place's line, ``owners`` each
    line's feature."""
    begins = np.flatnonzero(np.diff(path, prepend=-1))
    many = np.diff(begins, append=len(path))
    starts = np.concatenate([[0], np.cumsum(2 * many + 2 + closing)])
    out = np.empty(starts[-1], dtype=np.int64)
    out[starts[:-1]] = _MOVE
    out[starts[:-1] + 3] = (many - 1) << 3 | _LINE_TO
    if closing:
        out[starts[1:] - 1] = _CLOSE
    within = np.arange(len(places)) - np.repeat(begins, many)
    at = np.repeat(starts[:-1], many) + 1 + 2 * within + (within > 0)
    features = np.flatnonzero(np.diff(owners, prepend=-1))
    out[at], out[at + 1] = _steps(places, begins[features])
    return zip(owners[features].tolist(), _cut(out, np.append(starts[features], starts[-1])), strict=True)


def _steps(places: Any, begins: Any) -> Any:
    """Each place by its distance to the one before, zigzag; the first of a feature by that to the corner."""
    steps = np.diff(places, axis=0, prepend=0)
    steps[begins] = places[begins]
    return ((steps << 1) ^ (steps >> 63)).T


def _cut(numbers: Any, starts: Any) -> Iterator[bytes]:
    """Whole numbers from 0 to 2^35 as packed messages of a feature's geometry, one for each stretch between starts."""
    sizes = 1 + sum((numbers >= limit).astype(np.int64) for limit in (1 << 7, 1 << 14, 1 << 21, 1 << 28))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    body = np.zeros(ends[-1], dtype=np.uint8)
    for place in range(int(sizes.max())):
        here = sizes > place
        more = np.where(sizes[here] > place + 1, 128, 0)
        body[ends[:-1][here] + place] = (numbers[here] >> (7 * place) & 127) | more
    whole, edges = body.tobytes(), ends[starts].tolist()
    return (_message(4, whole[start:end]) for start, end in pairwise(edges))


def _value(value: str | float | bool) -> bytes:
    if isinstance(value, bool):
        return _number(7, int(value))
    if isinstance(value, str):
        return _message(1, value.encode("utf-8", "replace"))
    return b"\x19" + struct.pack("<d", value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _long_varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


_SHORT = tuple(_long_varint(value) for value in range(1 << 14))


def _varint(value: int) -> bytes:
    return _SHORT[value] if value < len(_SHORT) else _long_varint(value)


_KINDS = {kind: _number(3, kind) for kind in (_POINT, _LINE, _POLYGON)}
