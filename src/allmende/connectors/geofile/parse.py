"""Vector files as a collection: GeoJSON, GeoPackage, zipped Shapefile, FlatGeobuf, GML."""

from allmende.connectors.geojson import features_of, read_features
from allmende.connectors.objects import nothing
from allmende.connectors.vector import read_vector
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed

TITLE = {"de": "Objekte", "en": "Features"}


def parse(payload: Payload, source: Source) -> Parsed:
    """A file is a complete collection. Settings: ``layer``, and those of ``geojson.py``."""
    if payload.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return read_features(payload, source, title=TITLE)
    try:
        document = read_vector(
            payload.body, layer=str(source.settings.get("layer") or ""), crs=source.settings.get("crs")
        )
    except InvalidInput as error:
        return nothing(payload, str(error))
    return features_of(document, payload, source, title=TITLE)
