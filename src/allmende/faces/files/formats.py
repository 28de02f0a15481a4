"""The formats that a selection can be had in."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from types import MappingProxyType
from typing import NamedTuple

from allmende.domain.errors import InvalidInput
from allmende.faces.files.columnar import GeoPackageWriter, ParquetWriter
from allmende.faces.files.csv import CsvWriter
from allmende.faces.files.geojson import GeoJsonWriter
from allmende.faces.files.sheet import SheetWriter
from allmende.faces.files.writer import Open


class FileFormat(NamedTuple):
    """A format by its key."""

    key: str
    title: str
    suffix: str
    media: str
    open: Open
    geometry: bool
    """Whether places are shapes in it."""
    needs: str = ""
    """The package that not every house has."""

    @property
    def is_here(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


def _all() -> Mapping[str, FileFormat]:
    german: Callable[..., CsvWriter] = partial(CsvWriter, german=True)
    plain: Callable[..., CsvWriter] = partial(CsvWriter, german=False)
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    listed = (
        FileFormat("csv-de", "CSV (deutsch)", "csv.zip", "application/zip", german, False),
        FileFormat("csv", "CSV (international)", "csv.zip", "application/zip", plain, False),
        FileFormat("xlsx", "Excel (XLSX)", "xlsx", sheet, SheetWriter, False, "xlsxwriter"),
        FileFormat("parquet", "Parquet (GeoParquet)", "parquet", "application/vnd.apache.parquet", ParquetWriter, True),
        FileFormat("geojson", "GeoJSON", "geojson", "application/geo+json", GeoJsonWriter, True),
        FileFormat(
            "gpkg", "GeoPackage", "gpkg", "application/geopackage+sqlite3", GeoPackageWriter, True, "pyogrio"
        ),
    )  # fmt: skip
    return MappingProxyType({each.key: each for each in listed})


FORMATS = _all()


def format_of(key: str) -> FileFormat:
    """The format of a key; raises InvalidInput for one that is none, or that this house cannot write."""
    found = FORMATS.get(key)
    here = ", ".join(each.key for each in FORMATS.values() if each.is_here)
    if found is None:
        raise InvalidInput(f"{key[:20]!r} is no format; there are {here}", where="format")
    if not found.is_here:
        raise InvalidInput(f"this house does not write {found.title}; it writes {here}", where="format")
    return found
