"""Features of others, as GeoJSON or GML: OGC API - Features (17-069r4), WFS 2.0, or a plain file of GeoJSON."""

from allmende.connectors.geojson import features_of, read_features
from allmende.connectors.objects import nothing
from allmende.connectors.ogc_features.pages import is_page
from allmende.connectors.vector import read_vector
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed

TITLE = {"de": "Objekte", "en": "Features"}


def parse(payload: Payload, source: Source) -> Parsed:
    """A document with features; settings: see ``geojson.py``. XML is read as GML, ids are its ``gml:id``."""
    if payload.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"<":
        return read_features(payload, source, title=TITLE, page=is_page(payload.name))
    try:
        document = read_vector(
            payload.body, layer=str(source.settings.get("layer") or ""), crs=source.settings.get("crs")
        )
    except InvalidInput as error:
        return nothing(payload, str(error))
    return features_of(document, payload, source, title=TITLE, page=True)
