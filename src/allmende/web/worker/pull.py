"""Gets what lies at an address, within bounds of time and size, and only when it has changed."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from allmende.connectors.fetching import READ_SECONDS, TOTAL_SECONDS, download, open_client
from allmende.domain.connector import Source
from allmende.domain.framing import MAX_BYTES

_IN_MEMORY = 4 * 1024 * 1024
"""Bytes of an answer from which it goes to the disk."""


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
        folder: Path | None = None,
    ) -> None:
        """``folder``: where large answers lie while they are read; the machine's for temporary files without."""
        self._max_bytes = max_bytes
        self._total = total_seconds
        self._folder = folder
        self._known: dict[str, dict[str, str]] = {}
        self._fresh: dict[str, str] = {}
        self._client = open_client(source, read_seconds=read_seconds)

    def get(self, address: str) -> BinaryIO | None:
        """The body from its start, to be closed; None where it has not changed since :meth:`done` was told. Raises
        httpx's errors, FetchError, OSError where a large one finds no room on the disk.

        It is there as a whole before anything of it is read: a source that breaks off in the middle gives nothing.
        """
        file = cast(BinaryIO, SpooledTemporaryFile(_IN_MEMORY, dir=self._folder))  # noqa: SIM115  the caller closes it
        try:
            headers = download(
                self._client,
                address,
                file,
                max_bytes=self._max_bytes,
                total_seconds=self._total,
                headers=self._known.get(address, {}),
            )
            if headers is not None:
                self._fresh = _signs(headers)
                file.seek(0)
                return file
        except BaseException:
            file.close()
            raise
        file.close()
        return None

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
