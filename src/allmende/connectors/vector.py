"""Vector files of others as GeoJSON, read with GDAL (pyogrio): GeoPackage, Shapefile (zipped), FlatGeobuf, GML.

The bytes stay in memory, and only files of these kinds are handed to GDAL: others that it knows (VRT) may name files
and addresses, which it would then open.
"""

import io
import zipfile
from functools import lru_cache
from typing import Any

import msgspec
import shapely
from shapely.errors import ShapelyError

from allmende.connectors.geodesy import epsg
from allmende.connectors.xml import name_of, read_xml
from allmende.domain.errors import InvalidInput, LimitExceeded

UNPACKED_BYTES = 512 * 1024 * 1024
_GEOPACKAGE = b"SQLite format 3\x00"
_FLATGEOBUF = b"fgb\x03"
_PARTS = frozenset({"shp", "shx", "dbf", "prj", "cpg", "qix", "qmd", "sbn", "sbx", "xml", "txt", "md", "pdf", "html"})
_GDAL = {"GML_DOWNLOAD_SCHEMA": "NO", "GML_SKIP_RESOLVE_ELEMS": "ALL", "OGR_GPKG_ALLOW_LOAD_EXTENSIONS": "NO"}


def read_vector(body: bytes, *, layer: str = "", crs: object = None) -> dict[str, Any]:
    """The file's layer as a FeatureCollection in its own system, which ``crs`` names as GeoJSON of 2008 did.

    Ids are those of GDAL: a GeoPackage's key, a GML's ``gml:id``; the place of a row in a Shapefile is none. Raises
    InvalidInput for what is no such file, for several layers of which none is named, and where nobody names a system.
    """
    kind = kind_of(body)
    if not kind:
        raise InvalidInput("this is no GeoPackage, zipped Shapefile, FlatGeobuf or GML")
    pyogrio = _pyogrio()
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError

    try:
        found = [str(name) for name, geometry in pyogrio.list_layers(body) if geometry is not None]
        chosen = _choose(found, layer)
        meta, table = pyogrio.raw.read_arrow(body, layer=chosen, return_fids=True, datetime_as_string=True)
        code = _system(crs or meta.get("crs"))
        rows, shapes = _rows(table, meta)
    except (DataSourceError, DataLayerError, FieldError, RuntimeError, ValueError, ShapelyError) as error:
        raise InvalidInput(f"this {kind} cannot be read: {error}") from None
    features = [
        {"type": "Feature", "id": _id(row, kind), "properties": row, "geometry": shape}
        for row, shape in zip(rows, shapes, strict=True)
    ]
    return {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": f"EPSG:{code}"}},
        "features": features,
    }


def kind_of(body: bytes) -> str:
    """What kind of vector file it is, by what is in it; "" for none. Raises InvalidInput for another zip."""
    if body.startswith(_GEOPACKAGE):
        return "GeoPackage"
    if body.startswith(_FLATGEOBUF):
        return "FlatGeobuf"
    if body.startswith(b"PK\x03\x04"):
        _check_zip(body)
        return "Shapefile"
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        root = read_xml(body)
        return "GML" if name_of(root) == "FeatureCollection" else ""
    return ""


def _check_zip(body: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidInput(f"this zip cannot be read: {error}") from None
    if sum(entry.file_size for entry in listed) > UNPACKED_BYTES:
        raise LimitExceeded("this zip is too large when it is unpacked", setting="UNPACKED_BYTES")
    names = [
        entry.filename.lower() for entry in listed if not entry.is_dir() and "__macosx" not in entry.filename.lower()
    ]
    strange = [name for name in names if name.rpartition(".")[2] not in _PARTS]
    shapes = [name for name in names if name.endswith(".shp")]
    if strange or len(shapes) != 1:
        raise InvalidInput(f"a zipped Shapefile holds one .shp and what belongs to it, not {(strange or shapes)[:3]}")


def _choose(found: list[str], wanted: str) -> str:
    if wanted and wanted not in found:
        raise InvalidInput(f"it has no layer {wanted!r}; there are {', '.join(found)[:200] or 'none'}")
    if not wanted and len(found) != 1:
        raise InvalidInput(f"it has {len(found)} layers; settings.layer names one: {', '.join(found)[:200]}")
    return wanted or found[0]


def _system(named: object) -> int:
    """The number of the system, also of one that is written out."""
    if not named:
        raise InvalidInput("it names no coordinate reference system; settings.crs does, e.g. EPSG:25832")
    try:
        return epsg(named)
    except InvalidInput:
        from pyproj import CRS
        from pyproj.exceptions import CRSError

        try:
            code = CRS.from_user_input(str(named)).to_epsg(min_confidence=25)
        except CRSError:
            code = None
    if code is None:
        raise InvalidInput("its coordinate reference system is none of EPSG; settings.crs names it")
    return int(code)


def _rows(table: Any, meta: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    column = meta.get("geometry_name") or "wkb_geometry"
    written = table.column(column).to_pylist()
    texts = shapely.to_geojson(shapely.from_wkb(written)).tolist() if written else []
    shapes = [None if text is None else msgspec.json.decode(text) for text in texts]
    return table.drop_columns([column]).to_pylist(), shapes


def _id(row: dict[str, Any], kind: str) -> Any:
    number = row.pop("OGC_FID", row.pop("fid", None))
    if kind == "GML":
        return row.pop("gml_id", None)
    return number if kind == "GeoPackage" else None


@lru_cache(maxsize=1)
def _pyogrio() -> Any:
    # a third of a second, for those alone who read such files
    try:
        import pyogrio
    except ImportError:
        raise InvalidInput("vector files need pyogrio: pip install 'allmende[files]'") from None
    pyogrio.set_gdal_config_options(_GDAL)
    return pyogrio
