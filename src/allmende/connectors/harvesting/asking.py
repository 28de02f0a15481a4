"""Asking a catalogue of others: what every kind has in common."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from rdflib import URIRef
from rdflib.namespace import DCTERMS

from allmende.connectors.fetching import FetchError, exchange, open_client
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.cut import Cut, identifier_of
from allmende.connectors.harvesting.reading import names_of, page_of, read_said
from allmende.domain.connector import Source
from allmende.domain.harvest import HarvestProfile, Piece

_PORTS = {"http": 80, "https": 443}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a catalogue is taken."""

    page_bytes: int = 20_000_000
    page_statements: int = 200_000
    pages: int = 2_000
    piece_bytes: int = 2_000_000
    seconds: float = 120.0
    """For one answer."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it was met the last time."""

    signs: Mapping[str, str]
    """Headers by which to ask whether it is another one now."""
    next: str
    total: int | None = None
    members: int = 0


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A page. ``pieces`` is None where it is as it was."""

    address: str
    pieces: tuple[Piece, ...] | None
    rest: bytes = b""
    next: str = ""
    total: int | None = None
    members: int = 0
    """Datasets that are in it, also those that are not wanted or cannot be kept."""
    signs: Mapping[str, str] = {}
    faults: tuple[str, ...] = ()
    """What could not be kept, in words."""
    newest: str = ""
    """CKAN: the newest change in it, as CKAN writes times."""


def source_of(harvest: HarvestProfile) -> Source:
    """A harvest as the client for all sources knows it."""
    return Source(id=harvest.id, connector="harvest", dataset="", address=harvest.address, headers=harvest.headers)


class Asker:
    """Asks for one harvest; to be closed. Raises ConfigurationError where a header names a variable that is not set."""

    def __init__(self, harvest: HarvestProfile, limits: Limits, language: str) -> None:
        self.harvest, self.limits = harvest, limits
        self.language = harvest.language or language
        self._client = open_client(source_of(harvest))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, address: str, accept: str, signs: Mapping[str, str]) -> tuple[bytes | None, Mapping[str, str]]:
        """Body and headers; no body where it is as it was. Raises FetchError, httpx's errors."""
        return exchange(
            self._client, address, max_bytes=self.limits.page_bytes, total_seconds=self.limits.seconds,
            headers={"Accept": accept, **signs},
        )  # fmt: skip

    def json(self, address: str, **parameters: str) -> Any:
        """A JSON value. Raises FetchError, httpx's errors, Refused."""
        body, _ = exchange(
            self._client, address, max_bytes=self.limits.page_bytes, total_seconds=self.limits.seconds,
            headers={"Accept": "application/json"}, params=parameters,
        )  # fmt: skip
        try:
            return msgspec.json.decode(body or b"")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused("unreadable", f"the answer cannot be read as JSON: {error}") from None

    def piece(self, found: Cut, source: bytes = b"") -> Piece | str:
        """A dataset as it is kept, or why it cannot be."""
        key = found.called
        if key.startswith("_:"):
            key = identifier_of([triple for triple in found.triples if triple[0] == found.node])
        if not key:
            return "a dataset has neither a URI nor a dct:identifier"
        if len(found.lines) > self.limits.piece_bytes:
            return f"{key[:200]} is described in more than {self.limits.piece_bytes:,} bytes"
        return Piece(
            key=key,
            node=found.called,
            digest=found.digest,
            lines=found.lines,
            names=tuple(dict.fromkeys([key, *names_of(found.node, found.triples)])),
            said=read_said(found.node, found.triples, self.language),
            page=page_of(found.node, found.triples),
            publishers=tuple(
                str(value)
                for _, name, value in found.triples
                if name == DCTERMS.publisher and isinstance(value, URIRef)
            ),
            source=source,
        )

    def wanted(self, piece: Piece) -> bool:
        """Whether the profile asks for it."""
        harvest, said = self.harvest, piece.said
        if harvest.themes and not set(harvest.themes) & set(said.themes):
            return False
        known = {said.publisher.casefold(), said.publisher_page, *piece.publishers} - {""}
        return not harvest.publishers or any(name in known or name.casefold() in known for name in harvest.publishers)


def fresh_signs(headers: Mapping[str, str]) -> dict[str, str]:
    """By which headers to ask whether an answer is still the same."""
    signs = {"If-None-Match": headers.get("etag", ""), "If-Modified-Since": headers.get("last-modified", "")}
    return {name: value[:1000] for name, value in signs.items() if value}


def follow(here: str, named: str) -> str:
    """The address of a next page that a page names. Raises FetchError where it lies at another host.

    Many name ``http`` behind a proxy that speaks ``https``: the scheme stays ours.
    """
    address = urljoin(here, named)
    ours, theirs = urlsplit(here), urlsplit(address)
    if theirs.scheme not in _PORTS or theirs.hostname != ours.hostname or not _one_port(here, address):
        raise FetchError("The next page lies at another host, which is not followed.")
    return theirs._replace(scheme=ours.scheme, netloc=ours.netloc, fragment="").geturl()


def _one_port(here: str, there: str) -> bool:
    first, second = urlsplit(here), urlsplit(there)
    try:
        ports = first.port, second.port
    except ValueError:
        return False
    plain = [_PORTS[parts.scheme] if port is None else port for parts, port in zip((first, second), ports, strict=True)]
    return plain[0] == plain[1] or (ports[0] is None and ports[1] is None)
