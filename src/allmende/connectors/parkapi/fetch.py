"""All pages of the list of parking sites."""

from collections.abc import Iterable
from urllib.parse import urljoin

from allmende.connectors.fetching import FetchError, open_client, read
from allmende.connectors.gathering import Refused, read_json, same_host, table
from allmende.domain.connector import Payload, Source

_PAGES = 100


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """A payload for each page."""
    said = source.settings.get("most_pages")
    most = said if isinstance(said, int) and not isinstance(said, bool) else _PAGES
    address = source.address
    with open_client(source) as client:
        for _ in range(most):
            body = read(client, address)
            yield Payload(body=body, name=address, received_at=now)
            try:
                following = table(read_json(body)).get("next_path")
            except Refused:
                return  # parse has said so
            if not isinstance(following, str) or not following:
                return
            address = urljoin(address, following)
            if not same_host(address, source.address):
                raise FetchError(f"The next page {address[:200]} lies on another host and was not asked for.")
    raise FetchError(f"The list has more than {most} pages (settings.most_pages).")
