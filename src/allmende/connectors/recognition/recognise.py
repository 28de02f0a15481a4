"""From bytes to a proposal: which bundled connector reads them, and with which settings. Nothing is read twice: what a
proposal says is tried by the connector's own ``parse``."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import msgspec

from allmende.connectors.geodesy import epsg, to_degrees
from allmende.connectors.recognition import documents, markup
from allmende.connectors.recognition.text import ROWS, read_text
from allmende.connectors.table.sheets import NAIVE, as_csv
from allmende.connectors.vector import kind_of, read_vector
from allmende.domain.errors import AllmendeError, InvalidInput, LimitExceeded
from allmende.domain.framing import frames
from allmende.domain.recognition.model import Choice, Recognition, Words
from allmende.domain.recognition.names import slug
from allmende.domain.recognition.tables import Setting, recognise_table

HEAD = 2 * 1024 * 1024
"""Of a table as text, this much is looked at; other files are read whole."""
_ENDINGS = re.compile(r"(?:\.(?:csv|tsv|txt|gz|xlsx|parquet|json|geojson|gpkg|zip|xml|gml|fgb|dat))+\Z", re.IGNORECASE)
_BLANK = b"\xef\xbb\xbf \t\r\n"


class Found(NamedTuple):
    """Where something was found, and the city that it is for."""

    name: str
    """Of the file or the last part of the address."""
    address: str = ""
    """"" for a file."""
    language: str = "en"
    zone: str = "UTC"
    centre: tuple[float, float] | None = None
    """The city's lon, lat."""
    chosen: Mapping[str, str] = {}
    """Choices that were made: ``sheet``, ``layer``."""


def recognise(stream: BinaryIO, found: Found) -> Recognition:
    """What a seekable stream of bytes is. Never raises on what is in it: then no connector is proposed, and why."""
    try:
        head, cut = _begin(stream)
        if not head.strip(b"\x00" + _BLANK):
            return documents.told("?", "It is empty.")
        return _recognise(stream, head, cut, found)
    except AllmendeError as error:
        text = "It cannot be read: %(error)s"
        return Recognition(what="?", connector="", confidence=0.0, warnings=(Words(text, {"error": error.message}),))
    finally:
        stream.seek(0)


def name_of(path: str) -> str:
    """What a file is called, without its folder and ending."""
    last = path.split("?")[0].rstrip("/").replace("\\", "/").rpartition("/")[2]
    return _ENDINGS.sub("", last)


def _begin(stream: BinaryIO) -> tuple[bytes, bool]:
    """The first bytes, unpacked, and whether there are more."""
    import gzip
    import zlib

    stream.seek(0)
    plain: Any = gzip.GzipFile(fileobj=stream, mode="rb") if stream.read(2) == b"\x1f\x8b" else stream
    stream.seek(0)
    try:
        head = plain.read(HEAD + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(f"the gzip data is damaged or cut off: {error}") from None
    return head[:HEAD], len(head) > HEAD


def _whole(stream: BinaryIO) -> bytes:
    stream.seek(0)
    (payload,) = frames(stream, framing="whole", name="", received_at=0)
    return payload.body


def _recognise(stream: BinaryIO, head: bytes, cut: bool, found: Found) -> Recognition:
    begun = head.lstrip(_BLANK)[:1]
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(_whole(stream), found)
    if head.startswith(b"PAR1"):
        return _of_sheet("Parquet", _whole(stream), found, ())
    if begun in (b"{", b"["):
        return _of_json(_whole(stream), found)
    if begun == b"<":
        if head.lstrip(_BLANK)[:200].lower().startswith((b"<!doctype html", b"<html")):
            return documents.told("HTML", "It is a page for people; give the address of the file itself.")
        body = _whole(stream)
        return markup.of_xml(body, found.address) or _of_vector("GML", body, found)
    if kind := kind_of(head[:64]):
        return _of_vector(kind, _whole(stream), found)
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF")):
        return documents.told("?", "Old spreadsheets (.xls) and PDF are not read; save it as XLSX or CSV.")
    return _of_text("CSV", head, cut, found, {}, separator="")


def _setting(found: Found, units: Mapping[str, str]) -> Setting:
    def convert(code: int, x: float, y: float) -> tuple[float, float]:
        return to_degrees(code)([(x, y)])[0]

    return Setting(found.language, found.zone, found.centre, convert, name_of(found.name), units)


def _of_text(
    what: str, head: bytes, cut: bool, found: Found, base: Mapping[str, Any], *, separator: str
) -> Recognition:
    text = read_text(head, cut=cut, separator=separator)
    if text is None or not text.table:
        return documents.told("?", "It is neither a table nor a document that is known.")
    settings = {**base, **text.settings}
    known = recognise_table(what, text.table, settings, _setting(found, text.units))
    replaced: dict[str, Any] = {
        "reasons": (*text.reasons, *known.reasons), "warnings": (*text.warnings, *known.warnings), "interval": "P1D"
    }  # fmt: skip
    return msgspec.structs.replace(known, **replaced)


def _of_sheet(what: str, body: bytes, found: Found, sheets: Sequence[str]) -> Recognition:
    """As the ``table`` connector sees it: as the text that it would be."""
    chosen = found.chosen.get("sheet", "")
    written = as_csv(body, {"sheet": chosen})
    known = _of_text(what, written, False, found, {"sheet": chosen} if chosen else {}, separator=";")
    if known.plan is not None and known.plan.base.get("time_forms") == [NAIVE]:
        known.plan.base["time_forms"] = [NAIVE]
    choices = tuple(Choice(key="sheet", value=name, label=name) for name in sheets) if len(sheets) > 1 else ()
    return msgspec.structs.replace(known, choices=choices)


def _of_zip(body: bytes, found: Found) -> Recognition:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [entry.filename for entry in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidInput(f"this zip cannot be read: {error}") from None
    if "xl/workbook.xml" in names:
        return _of_sheet("XLSX", body, found, _sheets(body))
    if {"stops.txt", "routes.txt"} & set(names):
        reason = "It is a timetable (GTFS): stops and routes become objects."
        return documents.other("GTFS", "gtfs", reason, interval="P1D")
    if any(name.lower().endswith(".shp") for name in names):
        return _of_vector("Shapefile", body, found)
    return documents.told("ZIP", "A zip is read where it holds one Shapefile or a timetable (GTFS).")


def _sheets(body: bytes) -> list[str]:
    try:
        from openpyxl import load_workbook

        return list(load_workbook(io.BytesIO(body), read_only=True, keep_links=False).sheetnames)
    except Exception as error:  # openpyxl raises whatever its parsers meet in a damaged file
        raise InvalidInput(f"this spreadsheet cannot be read: {type(error).__name__}: {error}") from None


def _of_json(body: bytes, found: Found) -> Recognition:
    try:
        document = msgspec.json.decode(body.lstrip(_BLANK))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"this is no JSON: {error}") from None
    known = documents.of_interface(document, found.address)
    if known is not None:
        return known
    items = documents.features_at(document)
    if items is not None:
        return _of_geojson(document, items, found)
    lists = documents.lists_in(document)
    if not lists:
        return documents.told("JSON", "It holds neither GeoJSON nor a list of objects.")
    path, listed = lists[0]
    base = {"records": path} if path else {}
    table = documents.as_columns(listed)
    known = recognise_table("JSON", table, base, _setting(found, {}))
    reason = Words("The list of %(count)s objects stands at %(path)s.", {"count": len(listed), "path": path or "/"})
    return msgspec.structs.replace(known, reasons=(reason, *known.reasons), interval="PT15M")


def _of_geojson(document: Any, items: Sequence[Mapping[str, Any]], found: Found) -> Recognition:
    said = document.get("crs") if isinstance(document, Mapping) else None
    inner = said.get("properties") if isinstance(said, Mapping) else None
    crs = str(inner.get("name") or "") if isinstance(inner, Mapping) else ""
    base: dict[str, Any] = {}
    warnings: list[Words] = []
    shown = f"EPSG:{epsg(crs)}" if crs else ""
    if not crs and (guessed := _system(items, found)):
        base["crs"] = shown = f"EPSG:{guessed}"
        warnings.append(Words("The file names no coordinate system; by the numbers it is %(crs)s.", {"crs": shown}))
    service, connector = _service(found)
    known = documents.of_features("GeoJSON", items, connector=connector, crs=shown, base={**service, **base})
    replaced: dict[str, Any] = {"warnings": (*known.warnings, *warnings), "interval": "P1D"}
    return msgspec.structs.replace(known, **replaced)


def _service(found: Found) -> tuple[dict[str, Any], str]:
    """A file is read by ``geofile``; what an address gives by ``ogc_features``, which follows pages."""
    if not found.address:
        return {}, "geofile"
    if re.search(r"/collections/[^/]+/items/?(?:\?|\Z)", found.address):
        return {"service": "ogc-api"}, "ogc_features"
    return {"service": "plain"}, "ogc_features"


def _system(items: Sequence[Mapping[str, Any]], found: Found) -> int:
    """The system of coordinates that cannot be degrees; 0 where they can."""
    from allmende.domain.recognition.places import find_place

    points = [point for each in items[:ROWS] if (point := _first_point(each.get("geometry"))) is not None]
    if not points or all(abs(x) <= 180 and abs(y) <= 90 for x, y in points):
        return 0
    columns = {"x": [x for x, _ in points], "y": [y for _, y in points]}
    place = find_place(columns, _setting(found, {}).convert, found.centre)
    return place.crs if place and not place.swapped else 0


def _first_point(geometry: Any) -> tuple[float, float] | None:
    place = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    while isinstance(place, list) and place and isinstance(place[0], list):
        place = place[0]
    if not isinstance(place, list) or len(place) < 2 or not all(isinstance(part, int | float) for part in place[:2]):
        return None
    return float(place[0]), float(place[1])


def _of_vector(kind: str, body: bytes, found: Found) -> Recognition:
    chosen = found.chosen.get("layer", "")
    base = {"layer": chosen} if chosen else {}
    try:
        document = read_vector(body, layer=chosen)
    except LimitExceeded:
        raise
    except InvalidInput as error:
        names = _layers(body)
        if len(names) > 1 and not chosen:
            choices = tuple(Choice(key="layer", value=name, label=name) for name in names)
            told = Words("The file has %(count)s layers; choose one.", {"count": len(names)})
            return Recognition(what=kind, connector="geofile", confidence=0.9, warnings=(told,), choices=choices)
        raise error from None
    crs = str(document["crs"]["properties"]["name"])
    return documents.of_features(kind, document["features"], connector="geofile", crs=crs, base=base)


def _layers(body: bytes) -> list[str]:
    try:
        import pyogrio
        from pyogrio.errors import DataSourceError

        return [str(name) for name, geometry in pyogrio.list_layers(body) if geometry is not None]
    except (ImportError, DataSourceError, RuntimeError, ValueError):
        return []


def source_id(name: str) -> str:
    """A proposal for the id of a source."""
    return slug(name_of(name), "source")
