"""Hands the catalogue to a piveau hub: each dataset by PUT as Turtle when it has changed, and DELETE when it is gone.

The hub's API is that of piveau-hub-repo: ``/catalogues/{catalogue}/datasets/origin?originalId={id}`` with the header
``X-API-Key``. PUT answers 200, 201, 204, or 304 where it has the same already; DELETE 200 or 204, or 404 where there is
none. What was handed over is remembered, so that a restart hands over nothing twice.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

import httpx
import structlog
from rdflib import Graph

from allmende.connectors.fetching import USER_AGENT
from allmende.domain.catalogue import Catalogue, Entry
from allmende.faces.dcat.describe import describe_alone, describe_catalogue
from allmende.faces.dcat.formats import FORMATS, write
from allmende.faces.dcat.names import NEWEST
from allmende.web.catalogue.models import Pushed

TURTLE = FORMATS[0]
SECONDS = 30.0
_TAKEN = (200, 201, 202, 204, 304)

log = structlog.get_logger("allmende.catalogue")


class HubError(Exception):
    """A hub does not take something; says what and why, without the key."""


class Done(NamedTuple):
    """What was handed over, and what was taken back."""

    put: list[str]
    deleted: list[str]
    failed: dict[str, str]


class Hub:
    """One catalogue at one hub. ``transport`` is for tests of what a network does."""

    def __init__(self, address: str, catalogue: str, key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.name = f"{address.rstrip('/')}/catalogues/{quote(catalogue, safe='')}"
        self._client = httpx.Client(
            headers={"X-API-Key": key, "User-Agent": USER_AGENT}, timeout=SECONDS, transport=transport,
            follow_redirects=False,
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def push(self, catalogue: Catalogue, now: int) -> Done:
        """Hand over what has changed since the last time, and take back what is no longer there.

        A dataset that the hub refuses stands in nobody's way; it is tried again at the next time. Raises HubError where
        the hub takes not even the catalogue. ``now`` in microseconds.
        """
        known = {each.dataset: each.digest for each in Pushed.objects.filter(hub=self.name)}
        self._push_catalogue(catalogue, known.pop("", ""), now)
        done = Done([], [], {})
        for entry, body, digest in self._bodies(catalogue):
            if known.pop(entry.id, None) == digest:
                continue
            fault = self._ask("PUT", entry.id, body)
            if fault:
                done.failed[entry.id] = fault
                continue
            self._remember(entry.id, digest, now)
            done.put.append(entry.id)
        for name in known:
            fault = self._ask("DELETE", name)
            if fault:
                done.failed[name] = fault
                continue
            Pushed.objects.filter(hub=self.name, dataset=name).delete()
            done.deleted.append(name)
        return done

    def _push_catalogue(self, catalogue: Catalogue, known: str, now: int) -> None:
        graph = describe_catalogue(catalogue, [], NEWEST, all_entries=[])
        digest = _digest(graph)
        if digest == known:
            return
        fault = self._request("PUT", self.name, write(graph, TURTLE))
        if fault:
            raise HubError(f"the hub does not take the catalogue: {fault}")
        self._remember("", digest, now)

    def _bodies(self, catalogue: Catalogue) -> Iterator[tuple[Entry, bytes, str]]:
        for entry in catalogue.entries:
            graph = describe_alone(entry, catalogue, NEWEST)
            yield entry, write(graph, TURTLE), _digest(graph)

    def _remember(self, dataset: str, digest: str, now: int) -> None:
        Pushed.objects.update_or_create(hub=self.name, dataset=dataset, defaults={"digest": digest, "at": now})

    def _ask(self, method: str, dataset: str, body: bytes = b"") -> str:
        return self._request(method, f"{self.name}/datasets/origin?originalId={quote(dataset, safe='')}", body)

    def _request(self, method: str, address: str, body: bytes) -> str:
        """What went wrong in words, "" if nothing."""
        headers = {"Content-Type": "text/turtle"} if body else {}
        try:
            answer = self._client.request(method, address, content=body or None, headers=headers)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        if answer.status_code in _TAKEN or (method == "DELETE" and answer.status_code == 404):
            return ""
        return f"{answer.status_code} {answer.reason_phrase}: {answer.text[:200]}".strip(": ")


def _digest(graph: Graph) -> str:
    """Of what a graph says: blank nodes have other names each time."""
    words = ([node.n3() for node in triple] for triple in graph)
    lines = sorted(" ".join("_" if word.startswith("_:") else word for word in triple) for triple in words)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
