"""Mapbox Vector Tiles 2.1, written by hand: the format is a page long, and `mapbox-vector-tile` asks for an older
protobuf than the feeds of public transport do."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

EXTENT = 4096
"""Units of a tile's side."""
_POINT, _LINE, _POLYGON = 1, 2, 3
_MOVE, _LINE_TO, _CLOSE = 1, 2, 7


class TileFeature(NamedTuple):
    """A geometry in units of the tile, y downwards, and what is said of it: texts, numbers, booleans."""

    shape: Any
    said: Mapping[str, str | float | bool]


def encode_tile(name: str, features: Iterable[TileFeature]) -> bytes:
    """One layer as a tile; nothing where no feature has a geometry left."""
    keys: dict[str, int] = {}
    values: dict[tuple[type, Any], int] = {}
    found = [_feature(shape, feature.said, keys, values) for feature in features for shape in _sorted(feature.shape)]
    if not found:
        return b""
    layer = b"".join(
        [
            _message(1, name.encode()),
            *(_message(2, each) for each in found),
            *(_message(3, key.encode()) for key in keys),
            *(_message(4, _value(value)) for _, value in values),
            _number(5, EXTENT),
            _number(15, 2),
        ]
    )
    return _message(3, layer)


def _sorted(shape: Any) -> Iterator[tuple[int, Any]]:
    """The parts of a geometry by what they are: a feature of a tile is of one sort."""
    parts = shapely.get_parts(shape)
    while any(part.geom_type == "GeometryCollection" or part.geom_type.startswith("Multi") for part in parts):
        parts = shapely.get_parts(parts)
    for kind, dimension in ((_POINT, 0), (_LINE, 1), (_POLYGON, 2)):
        own = [part for part in parts if shapely.get_dimensions(part) == dimension and not part.is_empty]
        if own:
            yield kind, own


def _feature(
    shape: tuple[int, Any], said: Mapping[str, Any], keys: dict[str, int], values: dict[tuple[type, Any], int]
) -> bytes:
    kind, parts = shape
    tags = []
    for key, value in said.items():
        tags += [keys.setdefault(key, len(keys)), values.setdefault((type(value), value), len(values))]
    drawn = list(_points(parts) if kind == _POINT else _lines(parts) if kind == _LINE else _polygons(parts))
    return _message(2, b"".join(map(_varint, tags))) + _number(3, kind) + _message(4, b"".join(map(_varint, drawn)))


def _points(parts: Sequence[Any]) -> Iterator[int]:
    places = np.rint(shapely.get_coordinates(parts)).astype(int)
    yield len(places) << 3 | _MOVE
    yield from _steps(places, [0, 0])


def _lines(parts: Sequence[Any]) -> Iterator[int]:
    at = [0, 0]
    for part in parts:
        places = np.rint(shapely.get_coordinates(part)).astype(int)
        yield from _path(places, at)


def _polygons(parts: Sequence[Any]) -> Iterator[int]:
    """Outer rings run clockwise as they are seen, holes the other way (4.3.4.4)."""
    at = [0, 0]
    for part in parts:
        turned = shapely.orient_polygons(part)  # y goes down here: counter-clockwise in numbers is clockwise to the eye
        for ring in (turned.exterior, *turned.interiors):
            places = np.rint(shapely.get_coordinates(ring)).astype(int)[:-1]
            yield from _path(places, at)
            yield 1 << 3 | _CLOSE


def _path(places: Any, at: list[int]) -> Iterator[int]:
    yield 1 << 3 | _MOVE
    yield from _steps(places[:1], at)
    yield (len(places) - 1) << 3 | _LINE_TO
    yield from _steps(places[1:], at)


def _steps(places: Any, at: list[int]) -> Iterator[int]:
    """Each place by its distance to the one before, zigzag."""
    for x, y in places.tolist():
        for step in (x - at[0], y - at[1]):
            yield step << 1 if step >= 0 else (-step << 1) - 1
        at[:] = x, y


def _value(value: str | float | bool) -> bytes:
    if isinstance(value, bool):
        return _number(7, int(value))
    if isinstance(value, str):
        return _message(1, value.encode("utf-8", "replace"))
    return _varint(3 << 3 | 1) + struct.pack("<d", value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
