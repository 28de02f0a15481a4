"""A list of any form as rows of texts, each with its geometry and with bytes that hold it alone."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from shapely import wkt
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape

from allmende.connectors.columns import header_of, lines_of
from allmende.connectors.geodesy import epsg, in_degrees
from allmende.connectors.table.listed import listed_at, table_of
from allmende.connectors.table.sheets import as_csv
from allmende.domain.connector import Payload
from allmende.domain.errors import InvalidInput


class Row(NamedTuple):
    """One entry of a list."""

    cells: Mapping[str, str]
    geometry: Mapping[str, Any] | None
    """As it is drawn, in the list's own system."""
    body: bytes
    where: str
    problem: str = ""


def rows_of(payload: Payload, settings: Mapping[str, Any]) -> tuple[Iterator[Row], int]:
    """The rows, and the number of the system of their geometries. Raises InvalidInput for what is no list."""
    code = epsg(settings.get("crs") or "EPSG:4326")
    body = payload.body.removeprefix(b"\xef\xbb\xbf")
    if body.lstrip(b" \t\r\n")[:1] in (b"{", b"["):
        document = _document(body)
        path = str(settings.get("records") or _path(document))
        return _objects(document, path), _system(document, code)
    if body.startswith((b"PK\x03\x04", b"PAR1")):
        text = as_csv(body, settings)
        payload = msgspec.structs.replace(payload, body=text)
        settings = {**settings, "separator": ";", "encoding": "utf-8"}
    return _lines(payload, settings), code


def _document(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"this is no JSON: {error}") from None


def _path(document: Any) -> str:
    """GeoJSON and ArcGIS keep their list at a place that everybody knows."""
    return "features" if isinstance(document, dict) and isinstance(document.get("features"), list) else ""


def _system(document: Any, code: int) -> int:
    """The system that the document names itself."""
    if not isinstance(document, dict):
        return code
    crs, arcgis = document.get("crs"), document.get("spatialReference")
    if isinstance(crs, dict) and isinstance(crs.get("properties"), dict) and crs["properties"].get("name"):
        return epsg(crs["properties"]["name"])
    if isinstance(arcgis, dict) and isinstance(arcgis.get("wkid"), int):
        return epsg(arcgis["wkid"])
    return code


def _objects(document: Any, path: str) -> Iterator[Row]:
    items = listed_at(document, path)
    names, *rows = table_of(items)
    for number, (item, row) in enumerate(zip(items, rows, strict=True), 1):
        cells = {str(name): _text(value) for name, value in zip(names, row, strict=True)}
        drawn = item.get("geometry") if isinstance(item, dict) else None
        # an empty outline is what drawing programs write of a place that is not known
        geometry = drawn if isinstance(drawn, dict) and "type" in drawn and drawn.get("coordinates") != [] else None
        if isinstance(drawn, dict) and {"x", "y"} <= drawn.keys():
            geometry = {"type": "Point", "coordinates": [drawn["x"], drawn["y"]]}
        problem = "" if isinstance(item, dict) else "it is no object"
        yield Row(cells, geometry, _alone(document, path, item), f"entry {number}", problem)


def _alone(document: Any, path: str, item: Any) -> bytes:
    """The document with one entry."""
    if not path:
        return msgspec.json.encode([item])
    *outer, last = path.split(".")
    copy = found = dict(document)
    for step in outer:
        found[step] = dict(found[step])
        found = found[step]
    found[last] = [item]
    return msgspec.json.encode(copy)


def _lines(payload: Payload, settings: Mapping[str, Any]) -> Iterator[Row]:
    encoding = str(settings.get("encoding") or "utf-8")
    names, sign = header_of(payload, str(settings.get("separator") or ""), encoding)
    column = str(settings.get("wkt") or "")
    for line in lines_of(payload, names, sign, encoding):
        geometry, problem = None, line.problem
        if not problem and column and line.cells.get(column):
            try:
                geometry = mapping(wkt.loads(line.cells[column]))
            except (ShapelyError, ValueError) as error:
                problem = f"{column} is no WKT: {error}"[:200]
        yield Row(line.cells, geometry, line.body, f"line {line.number}", problem)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "\n".join(" ".join(line.split()) for line in str(value).splitlines()).strip()


def place_of(geometry: Mapping[str, Any], code: int) -> tuple[float, float, dict[str, Any] | None]:
    """Longitude, latitude, and the outline if it is more than a point. Raises InvalidInput for what is no geometry."""
    try:
        turned = in_degrees(geometry, code)
        drawn = shape(turned)
        if drawn.is_empty:
            raise InvalidInput("its geometry is empty")
        middle = drawn.representative_point()
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise InvalidInput(f"its geometry cannot be read: {error}"[:200]) from None
    if not (-180 <= middle.x <= 180 and -90 <= middle.y <= 90):
        raise InvalidInput("its geometry lies beyond the Earth")
    return round(middle.x, 7), round(middle.y, 7), None if drawn.geom_type == "Point" else turned
