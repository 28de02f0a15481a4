"""The datastreams of another server, and of each what is new, page by page."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import httpx
import msgspec

from allmende.connectors.fetching import FetchError, Patience, open_client, read
from allmende.connectors.gathering import Refused, listed, read_json, same_host, table
from allmende.domain.connector import Payload, Source
from allmende.domain.times import format_instant, parse_duration

_EXPANDED = {
    "Datastreams": "Thing($expand=Locations),Sensor,ObservedProperty",
    "MultiDatastreams": "Thing($expand=Locations),Sensor,ObservedProperties",
}


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """A payload for each page of each datastream: ``{"datastream", "observations"}``; at least one for each."""
    settings = source.settings
    first = now - _duration(settings.get("backfill"), "P7D")
    start = first if since is None else min(now, max(first, since - _duration(settings.get("overlap"), "P1D")))
    page, most = _number(settings.get("page"), 1000), _number(settings.get("most_pages"), 1000)
    root = source.address.rstrip("/")
    sets = ["Datastreams", *(["MultiDatastreams"] if settings.get("multi") is True else [])]
    patience = Patience()
    with open_client(source) as client:
        for name in sets:
            wanted = {"$expand": _EXPANDED[name], "$top": str(min(page, 100)), "$orderby": "id"}
            if isinstance(settings.get("filter"), str) and settings["filter"]:
                wanted["$filter"] = settings["filter"]
            for stream in _values(client, source, f"{root}/{name}?{_query(wanted)}", most):
                asked = {
                    "$select": "phenomenonTime,resultTime,result,resultQuality",
                    "$orderby": "phenomenonTime asc",
                    "$filter": f"phenomenonTime gt {format_instant(start)}",
                    "$top": str(page),
                }
                address = f"{root}/{name}({_key(table(stream).get('@iot.id'))})/Observations?{_query(asked)}"
                kind = "datastream" if name == "Datastreams" else "multi"
                with patience:
                    for place, values in _pages(client, source, address, most):
                        body = msgspec.json.encode({kind: stream, "observations": values})
                        yield Payload(body=body, name=place, received_at=now)
        patience.end()


def _values(client: httpx.Client, source: Source, address: str, most: int) -> Iterator[Any]:
    for _, values in _pages(client, source, address, most):
        yield from values


def _pages(client: httpx.Client, source: Source, address: str, most: int) -> Iterator[tuple[str, list[Any]]]:
    for _ in range(most):
        try:
            document = table(read_json(read(client, address)))
        except Refused as refused:
            raise FetchError(f"{address}: {refused.reason}") from None
        yield address, list(listed(document.get("value")))
        following = document.get("@iot.nextLink")
        if not isinstance(following, str) or not following:
            return
        address = urljoin(address, following)
        if not same_host(address, source.address):
            raise FetchError(f"The next page {address[:200]} lies on another host and was not asked for.")
    raise FetchError(f"The list has more than {most} pages (settings.most_pages).")


def _query(asked: dict[str, str]) -> str:
    return urlencode(asked, quote_via=quote, safe="$,()/'")


def _key(id_: Any) -> str:
    """An id as it stands in an address: a number bare, a text in quotes."""
    if isinstance(id_, int) and not isinstance(id_, bool):
        return str(id_)
    if not isinstance(id_, str) or not id_:
        raise FetchError("The other server lists an entity without @iot.id.")
    return quote("'" + id_.replace("'", "''") + "'", safe="'")


def _duration(said: Any, usual: str) -> int:
    return abs(parse_duration(said if isinstance(said, str) else usual))


def _number(said: Any, usual: int) -> int:
    return said if isinstance(said, int) and not isinstance(said, bool) and said > 0 else usual
