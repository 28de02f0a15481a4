"""Catalogues as RDF, page by page: by hydra's links, or a piveau hub's offsets.

A hub (piveau-hub-repo) gives ``/catalogues/{id}/datasets?valueType=metadata&limit=…&offset=…`` as RDF; its last page is
the first that holds no dataset.
"""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from allmende.connectors.fetching import FetchError
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.asking import Asker, Fetched, Known, follow, fresh_signs
from allmende.connectors.harvesting.cut import cut
from allmende.connectors.harvesting.rdf import ACCEPT, read_triples
from allmende.domain.harvest import Piece

_ROWS = 100


def fetch_dcat(asker: Asker, known: Mapping[str, Known]) -> Iterator[Fetched]:
    """All pages from the first to the last. Raises FetchError, Refused, httpx's errors: then it was not all."""
    yield from _pages(
        asker, known, asker.harvest.address, lambda here, page: follow(here, page.next) if page.next else ""
    )


def fetch_piveau(asker: Asker, known: Mapping[str, Known]) -> Iterator[Fetched]:
    """The same for a catalogue at a hub."""
    parts = urlsplit(asker.harvest.address)
    path = parts.path.rstrip("/")
    path = path if path.endswith("/datasets") else f"{path}/datasets"
    options = dict(parse_qsl(parts.query)) | {"valueType": "metadata", "limit": str(_ROWS)}

    def at(offset: int) -> str:
        return parts._replace(path=path, query=urlencode({**options, "offset": offset}), fragment="").geturl()

    def next_(here: str, page: Fetched) -> str:
        offset = int(dict(parse_qsl(urlsplit(here).query))["offset"])
        return at(offset + _ROWS) if page.members else ""

    yield from _pages(asker, known, at(0), next_)


def _pages(
    asker: Asker, known: Mapping[str, Known], first: str, next_: Callable[[str, Fetched], str]
) -> Iterator[Fetched]:
    seen: set[str] = set()
    address = first
    while address:
        if address in seen:
            raise FetchError("The pages of the catalogue lead in a circle.")
        if len(seen) >= asker.limits.pages:
            raise FetchError(f"The catalogue has more than {asker.limits.pages:,} pages.")
        seen.add(address)
        page = _page(asker, address, known.get(address))
        yield page
        address = next_(address, page)


def _page(asker: Asker, address: str, known: Known | None) -> Fetched:
    body, headers = asker.get(address, ACCEPT, known.signs if known else {})
    if body is None:
        if known is None:
            raise FetchError("The host says that nothing has changed (304), which it was not asked.")
        return Fetched(
            address=address, pieces=None, next=known.next, total=known.total, members=known.members, signs=known.signs
        )
    found = cut(read_triples(body, headers.get("content-type", ""), address, most=asker.limits.page_statements))
    pieces: list[Piece] = []
    faults: list[str] = []
    for each in found.cuts:
        piece = asker.piece(each)
        if isinstance(piece, str):
            faults.append(piece)
        elif asker.wanted(piece):
            pieces.append(piece)
    if len(found.rest) > asker.limits.page_bytes:
        raise Refused("too large", "what the catalogue says beside its datasets is too large")
    return Fetched(
        address=address,
        pieces=tuple(pieces),
        rest=found.rest,
        next=found.next,
        total=found.total,
        members=len(found.cuts),
        signs=fresh_signs(headers),
        faults=tuple(faults),
    )
