"""Ready-made code for one dataset, from one place: what a page shows is what the tests run."""

from typing import NamedTuple

from django.utils.translation import gettext as _


class Snippet(NamedTuple):
    """A piece of code in a language, and where it is put."""

    key: str
    title: str
    code: str
    words: str = ""


_PYTHON = """import csv
import io
import urllib.request


def read(address):
    with urllib.request.urlopen(address) as answer:
        return list(csv.DictReader(io.TextIOWrapper(answer, "utf-8")))


streams = read("{streams}")
for stream in streams:
    print(stream["thing"], stream["name"], stream["result"], stream["unit"], sep=" | ")

# {comment}
for reading in read(streams[0]["readings"])[:10]:
    print(reading["phenomenonTime"], reading["result"])
"""
_R = """streams <- read.csv("{streams}", encoding = "UTF-8")
print(streams[, c("thing", "name", "result", "unit")])

# {comment}
readings <- read.csv(streams$readings[1], encoding = "UTF-8")
head(readings)
"""
_CURL = """curl --fail '{streams}'

# {comment}
curl --fail --globoff '{readings}'
"""
_QGIS = """from qgis.core import QgsProject, QgsVectorLayer

layer = QgsVectorLayer("{places}", "{name}", "ogr")
QgsProject.instance().addMapLayer(layer)
"""


_HISTORY = """import polars as pl

readings = pl.scan_parquet("{month}")
print(readings.group_by("stream").agg(pl.col("result").mean(), pl.len()).collect())
"""


def snippets(address: str, name: str, readings: str, month: str = "") -> list[Snippet]:
    """The code for the dataset at an address; ``readings`` is the address of the readings of one of its streams,
    ``month`` that of a dump."""
    comment = _("the newest readings of the first stream")
    streams, root = f"{address}/streams.csv", address.rpartition("/dataset/")[0]
    found = [
        Snippet("python", "Python", _PYTHON.format(streams=streams, comment=comment)),
        Snippet("r", "R", _R.format(streams=streams, comment=comment)),
    ]
    if readings:
        found.append(Snippet("curl", "curl", _CURL.format(streams=streams, readings=readings, comment=comment)))
    words = _(
        "In QGIS: Layer, Add Layer, Add WFS / OGC API Features Layer, with a new connection to %(features)s; or this "
        "in the Python console. For all readings: Add SensorThings Layer (QGIS 3.36 or newer) with %(readings)s."
    ) % {"features": f"{root}/ogc/v1", "readings": f"{root}/sta/v1.1"}
    if month:
        told = _("All readings of a month, from a file that is made each night.")
        found.append(Snippet("polars", "Python (polars)", _HISTORY.format(month=month), told))
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    # the file comes as it is written, without a length and in one piece
    places = f"/vsicurl_streaming/{address}/streams.geojson"
    return [*found, Snippet("qgis", "QGIS", _QGIS.format(places=places, name=quoted), words)]
