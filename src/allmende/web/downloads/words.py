"""What people read of orders: formats, states, mistakes."""

from django.utils.translation import gettext as _

from allmende.domain.errors import AllmendeError
from allmende.web.downloads.models import FAILED, MAKING, READY, WAITING


def words_of(error: AllmendeError) -> str:
    """A mistake in the language of who made it, as far as it is one of a form; else as programs are told."""
    known = {
        "start": _("From: give a day, a month or a year, such as 2024-05-01, 2024-05 or 2024."),
        "end": _("To: give a day, a month or a year that does not lie before the beginning."),
        "bbox": _("Area: give four numbers in degrees: west, south, east, north."),
        "bucket": _("Summed up: give a length such as PT15M, PT1H, P1D or P1M."),
        "collection": _("Such objects are not in this dataset, or were chosen together with streams."),
        "columns": _("One of these columns is none of this table."),
        "format": _("This does not go in this format: choose CSV or Parquet, or a shorter time."),
        "dataset": _("Choose a dataset."),
    }
    return known.get(error.where, str(error))


def titles() -> dict[str, tuple[str, str]]:
    """Formats by their key: what they are called, and what they are good for."""
    return {
        "csv-de": (_("CSV for Excel in German"), _("semicolons, decimal commas, local time beside UTC; in a ZIP")),
        "csv": (_("CSV, international"), _("commas, decimal points, UTC; in a ZIP")),
        "xlsx": (_("Excel workbook (XLSX)"), _("for up to 5 million rows")),
        "parquet": (_("Parquet (GeoParquet)"), _("smallest and fastest, for Python, R and DuckDB")),
        "geojson": (_("GeoJSON"), _("for web maps and QGIS; large")),
        "gpkg": (_("GeoPackage"), _("for QGIS and other GIS")),
    }


def states() -> dict[str, str]:
    """By what an order's state is called inside."""
    return {
        WAITING: _("waits"),
        MAKING: _("is being made"),
        READY: _("is ready"),
        FAILED: _("could not be made"),
    }
