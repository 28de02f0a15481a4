"""All pages of a collection. If one is missing the delivery fails, and nothing is taken for gone."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import msgspec

from allmende.connectors.fetching import FetchError, open_client, read
from allmende.connectors.gathering import same_host
from allmende.connectors.ogc_features.pages import page_name
from allmende.domain.connector import Payload, Source

_COUNTS = re.compile(rb"\s(numberMatched|numberReturned)=[\"'](\d{1,12})[\"']", re.ASCII)
PAGES = 1000
SIZE = 1000


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """Settings: ``service`` (``ogc-api``, ``wfs`` or ``plain``), ``page_size``, ``pages`` (at most), ``type_names``,
    ``output_format``, ``srs_name`` (of a WFS), ``query`` (further parameters)."""
    del since  # a collection is complete each time
    service = str(source.settings.get("service", "ogc-api"))
    pages = {"ogc-api": _linked, "wfs": _counted, "plain": _single}.get(service)
    if pages is None:
        raise FetchError(f"settings.service is ogc-api, wfs or plain, not {service[:40]!r}.")
    with open_client(source) as client:
        for number, body in enumerate(pages(client, source)):
            if number >= int(source.settings.get("pages", PAGES)):
                raise FetchError(f"There are more than {number} pages (settings.pages).")
            yield Payload(body=body, name=page_name(source.address, number + 1), received_at=now)


def _single(client: httpx.Client, source: Source) -> Iterable[bytes]:
    yield read(client, _with(source.address, _query(source)))


def _linked(client: httpx.Client, source: Source) -> Iterable[bytes]:
    """Items of OGC API - Features, 7.14: a page says by a link where the next one is."""
    size = int(source.settings.get("page_size", SIZE))
    address = _with(source.address, {"f": "json", "limit": str(size), **_query(source)})
    matched: int | None = None
    returned = 0
    while address:
        body = read(client, address, headers={"Accept": "application/geo+json, application/json"})
        yield body
        page = _decoded(body)
        items = page.get("features")
        returned += len(items) if isinstance(items, list) else 0
        matched = page["numberMatched"] if isinstance(page.get("numberMatched"), int) else matched
        following = _next(page, address)
        if following and not same_host(following, source.address):
            raise FetchError("The link to the next page leads to another host.")
        if following == address or (following and not items):
            raise FetchError("The link to the next page leads nowhere.")
        address = following
    if matched is not None and returned < matched:
        raise FetchError(f"Only {returned} of {matched} features came.")


def _counted(client: httpx.Client, source: Source) -> Iterable[bytes]:
    """GetFeature of WFS 2.0 (09-025r2, 7.7.4.4): pages by count and startIndex."""
    size = int(source.settings.get("page_size", SIZE))
    asked = {
        "service": "WFS",
        "version": "2.0.0",
        "request": "GetFeature",
        "typeNames": str(source.settings.get("type_names", "")),
        "outputFormat": str(source.settings.get("output_format", "application/json")),
        "srsName": str(source.settings.get("srs_name", "EPSG:4326")),
        **_query(source),
    }
    returned = 0
    while True:
        body = read(client, _with(source.address, {**asked, "count": str(size), "startIndex": str(returned)}))
        yield body
        page = _decoded(body)
        items = page.get("features")
        count = len(items) if isinstance(items, list) else 0
        returned += count
        matched = page.get("numberMatched", page.get("totalFeatures"))
        if isinstance(matched, int) and returned < matched and not count:
            raise FetchError(f"Only {returned} of {matched} features came.")
        if not count or (returned >= matched if isinstance(matched, int) else count < size):
            return


def _query(source: Source) -> dict[str, str]:
    said = source.settings.get("query")
    return {str(k): str(v) for k, v in said.items()} if isinstance(said, Mapping) else {}


def _with(address: str, more: Mapping[str, str]) -> str:
    """The address with parameters; those that it has already win."""
    known = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    return str(httpx.URL(address).copy_with(params={**more, **known}))


def _decoded(body: bytes) -> dict[str, Any]:
    """A page of JSON; of GML its two counts, as if it were one."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        counts = {name.decode(): int(number) for name, number in _COUNTS.findall(body[:10_000])}
        return {**counts, "features": [None] * counts.get("numberReturned", 0)}
    try:
        page = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return page if isinstance(page, dict) else {}


def _next(page: Mapping[str, Any], address: str) -> str:
    links = page.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            return urljoin(address, link["href"])
    return ""
