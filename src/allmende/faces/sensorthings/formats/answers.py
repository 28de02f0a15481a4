"""A page in the format that was asked for, ready for the wire."""

from collections.abc import Callable

from allmende.domain.face import Response
from allmende.domain.model import ENTITIES
from allmende.domain.query import Page
from allmende.faces.sensorthings.formats.choice import ARROW, CSV, DATA_ARRAY, GEOJSON, PARQUET, Format, headers_of
from allmende.faces.sensorthings.formats.data_array import data_arrays
from allmende.faces.sensorthings.formats.flat import check_flat, flatten
from allmende.faces.sensorthings.formats.geojson import features
from allmende.faces.sensorthings.options import Asked
from allmende.faces.sensorthings.render import address_of, envelope, next_link
from allmende.faces.sensorthings.rows import text
from allmende.faces.tables import to_arrow, to_csv, to_parquet


def check_format(asked: Asked) -> None:
    """Raise InvalidQuery for what the format that is asked for has no room for."""
    if asked.format in (CSV, PARQUET, ARROW):
        check_flat(asked)


def render_format(page: Page, asked: Asked, root: str, path: str) -> Response:
    """A page, or the one entity in it, in another format than JSON.

    Where the format has no members of its own for them, headers name the next page (``Link``, RFC 8288) and the count
    that was asked for (``X-Total-Count``); GeoJSON has both, since few of its readers know our members.
    """
    address = address_of(root, path)
    headers: dict[str, str] = {}
    if asked.format is not DATA_ARRAY:
        more = page.next is not None and asked.metadata != "off"
        following = next_link(address, asked, page.next or ()) if more else None
        set_name = ENTITIES[asked.query.entity].set_name
        headers = headers_of(asked.format, set_name, following=following, count=page.count)
    body = _WRITERS[asked.format](page, asked, root, address)
    return Response(status=200, body=body, content_type=asked.format.content_type, headers=headers)


def _data_array(page: Page, asked: Asked, root: str, address: str) -> bytes:
    return envelope(page, asked, address, data_arrays(page, asked, root))


def _csv(page: Page, asked: Asked, root: str, address: str) -> bytes:
    return to_csv(flatten(page, asked, typed=False))


def _parquet(page: Page, asked: Asked, root: str, address: str) -> bytes:
    return to_parquet(flatten(page, asked, typed=True))


def _arrow(page: Page, asked: Asked, root: str, address: str) -> bytes:
    return to_arrow(flatten(page, asked, typed=True))


def _geojson(page: Page, asked: Asked, root: str, address: str) -> bytes:
    parts = ['"type":"FeatureCollection"']
    if page.next is not None and asked.metadata != "off":
        parts.append(f'"@iot.nextLink":{text(next_link(address, asked, page.next))}')
    if page.count is not None:
        parts.append(f'"@iot.count":{page.count}')
    parts.append(f'"features":[{",".join(features(page, asked, root))}]')
    return ("{" + ",".join(parts) + "}").encode()


_WRITERS: dict[Format, Callable[[Page, Asked, str, str], bytes]] = {
    DATA_ARRAY: _data_array,
    CSV: _csv,
    GEOJSON: _geojson,
    PARQUET: _parquet,
    ARROW: _arrow,
}
