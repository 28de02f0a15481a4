"""What speaks at an address, and the way through all that it has."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import httpx

from allmende.connectors.fetching import FetchError
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.asking import Asker, Fetched, Known
from allmende.connectors.harvesting.ckan import Walk, action
from allmende.connectors.harvesting.dcat import fetch_dcat, fetch_piveau
from allmende.connectors.harvesting.rdf import ACCEPT, format_of


class Way(NamedTuple):
    """Pages, and what is known when they were read."""

    pages: Iterator[Fetched]
    complete: bool
    """Whether what is in none of the pages is gone."""
    gone: Callable[[Mapping[str, str]], list[str]]
    """Of our ids by the origin's names: those that are gone, where that can be asked for."""


def start(kind: str, asker: Asker, known: Mapping[str, Known], since: str) -> Way:
    """Begin a pass. ``since``: CKAN is asked for what changed since then; "" for all."""
    if kind == "ckan":
        walk = Walk(asker, since)
        return Way(walk.pages(), not since, walk.gone)
    fetch = fetch_piveau if kind == "piveau" else fetch_dcat
    return Way(fetch(asker, known), True, lambda names: [])


def recognise_kind(asker: Asker) -> str:
    """What speaks there: RDF, a hub's catalogue, or a CKAN. Raises FetchError, Refused, httpx's errors."""
    address = asker.harvest.address
    if "/api/3" in address or "/api/action" in address:
        return "ckan"
    if "/catalogues/" in address:
        return "piveau"
    problem = "Neither RDF nor a CKAN was found there; say which with `kind`."
    try:
        body, headers = asker.get(address, ACCEPT, {})
        format_of(body or b"", headers.get("content-type", ""))
        if "json" not in headers.get("content-type", "") or b"@context" in (body or b""):
            return "dcat"
    except Refused:
        pass  # a page for people: perhaps that of a CKAN
    except FetchError as error:
        problem = str(error)  # a CKAN need not have anything at its root
    try:
        action(asker, "status_show")
    except (FetchError, Refused, httpx.HTTPError):
        raise FetchError(problem) from None
    return "ckan"
