"""Gets what lies at an address, within bounds of time and size, and only when it has changed."""

from collections.abc import Mapping

from allmende.connectors.fetching import READ_SECONDS, TOTAL_SECONDS, exchange, open_client
from allmende.domain.connector import Source
from allmende.domain.framing import MAX_BYTES


class Puller:
    """Plain GETs. Remembers, in memory, by which sign an address told its last state. Used by one thread.

    Raises ConfigurationError where a header of the source names a variable that is not set.
    """

    def __init__(
        self,
        source: Source,
        *,
        max_bytes: int = MAX_BYTES,
        read_seconds: float = READ_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._max_bytes = max_bytes
        self._total = total_seconds
        self._known: dict[str, dict[str, str]] = {}
        self._fresh: dict[str, str] = {}
        self._client = open_client(source, read_seconds=read_seconds)

    def get(self, address: str) -> bytes | None:
        """The body, or None where it has not changed since :meth:`done` was told. Raises httpx's errors, FetchError."""
        body, headers = exchange(
            self._client,
            address,
            max_bytes=self._max_bytes,
            total_seconds=self._total,
            headers=self._known.get(address, {}),
        )
        if body is not None:
            self._fresh = _signs(headers)
        return body

    def done(self, address: str) -> None:
        """What :meth:`get` gave last is kept; from now on ask for changes alone."""
        self._known[address] = self._fresh

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _signs(headers: Mapping[str, str]) -> dict[str, str]:
    signs = {}
    if etag := headers.get("ETag"):
        signs["If-None-Match"] = etag
    if modified := headers.get("Last-Modified"):
        signs["If-Modified-Since"] = modified
    return signs
