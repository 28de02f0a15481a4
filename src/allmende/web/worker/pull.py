"""Gets what lies at an address, within bounds of time and size, and only when it has changed."""

import time
from typing import Any

import httpx

import allmende
from allmende.domain.framing import MAX_BYTES
from allmende.web.worker.trouble import PullError

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 120.0
USER_AGENT = f"allmende/{allmende.__version__} (open urban data platform)"


class Puller:
    """Plain GETs. Remembers, in memory, by which sign an address told its last state. Used by one thread."""

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        read_seconds: float = READ_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._max_bytes = max_bytes
        self._total = total_seconds
        self._known: dict[str, dict[str, str]] = {}
        self._fresh: dict[str, str] = {}
        # No environment: a proxy variable of the machine must not decide where a city's data comes from.
        self._client = httpx.Client(
            timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
            headers={"User-Agent": USER_AGENT, "Accept": "*/*"},
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,
        )

    def get(self, address: str) -> bytes | None:
        """The body, or None where it has not changed since :meth:`done` was told. Raises httpx's errors, PullError."""
        until = time.monotonic() + self._total
        with self._client.stream("GET", address, headers=self._known.get(address, {})) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if response.status_code != httpx.codes.OK:
                raise PullError(f"The host answered with {response.status_code} {response.reason_phrase}.")
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self._max_bytes:
                    raise PullError(f"The answer is larger than {self._max_bytes:,} bytes and was not taken.")
                if time.monotonic() > until:
                    raise PullError(f"The answer did not come to its end within {self._total:g} seconds.")
            self._fresh = _signs(response.headers)
        return bytes(body)

    def done(self, address: str) -> None:
        """What :meth:`get` gave last is kept; from now on ask for changes alone."""
        self._known[address] = self._fresh

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _signs(headers: Any) -> dict[str, str]:
    signs = {}
    if etag := headers.get("ETag"):
        signs["If-None-Match"] = etag
    if modified := headers.get("Last-Modified"):
        signs["If-Modified-Since"] = modified
    return signs
