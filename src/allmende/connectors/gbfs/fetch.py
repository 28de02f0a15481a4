"""The list of files, and the three that matter, as one document."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urljoin

import msgspec

from allmende.connectors.fetching import FetchError, open_client, read
from allmende.connectors.gathering import Refused, listed, read_json, same_host, table
from allmende.domain.connector import Payload, Source

_FILES = {
    "station_information": "information",
    "station_status": "status",
    "free_bike_status": "vehicles",
    "vehicle_status": "vehicles",
}


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """One payload. Raises FetchError where the list names none of the files, or one on another host."""
    with open_client(source) as client:
        body = read(client, source.address)
        try:
            named = dict(_named(read_json(body)))
        except Refused as refused:
            raise FetchError(f"{source.address}: {refused.reason}") from None
        if not named:
            raise FetchError(f"{source.address} names none of the files {', '.join(_FILES)}.")
        parts: dict[str, Any] = {}
        for part, address in named.items():
            place = urljoin(source.address, address)
            if not same_host(place, source.address):
                raise FetchError(f"The file {place[:200]} lies on another host and was not asked for.")
            try:
                parts[part] = read_json(read(client, place))
            except Refused as refused:
                raise FetchError(f"{place}: {refused.reason}") from None
    yield Payload(body=msgspec.json.encode(parts), name=source.address, received_at=now)


def _named(document: Any) -> Iterator[tuple[str, str]]:
    """The parts that a list names: version 2 has a list for each language, of which the first is taken."""
    data = table(table(document).get("data"))
    feeds = data.get("feeds")
    if feeds is None:
        feeds = next((table(inner).get("feeds") for inner in data.values()), None)
    for feed in listed(feeds):
        name, address = table(feed).get("name"), table(feed).get("url")
        if isinstance(name, str) and isinstance(address, str) and name in _FILES:
            yield _FILES[name], address
