"""CKAN's action API (version 3), read: all packages by pages, what is new since a time, what is still there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from allmende.connectors.fetching import FetchError
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.asking import Asker, Fetched
from allmende.connectors.harvesting.cut import cut
from allmende.connectors.harvesting.packages import triples_of
from allmende.domain.harvest import Piece

_ROWS = 100
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?\Z", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]{1,100}\Z")


def root_of(address: str) -> str:
    """The address of a CKAN, without what of its interface or pages stands in it."""
    parts = urlsplit(address)
    path = re.sub(r"/(?:api|dataset|organization)(?:/.*)?$", "", parts.path).rstrip("/")
    return parts._replace(path=path, query="", fragment="").geturl()


def action(asker: Asker, name: str, **parameters: str) -> Any:
    """What an action answers. Raises FetchError, Refused, httpx's errors."""
    answer = asker.json(f"{root_of(asker.harvest.address)}/api/3/action/{name}", **parameters)
    if not isinstance(answer, dict) or answer.get("success") is not True:
        raise FetchError(f"CKAN refuses {name}.")
    return answer.get("result")


class Walk:
    """Through all packages, or those that changed ``since``, as CKAN writes times."""

    def __init__(self, asker: Asker, since: str) -> None:
        self._asker, self._since = asker, since

    def pages(self) -> Iterator[Fetched]:
        """Raises FetchError, Refused, httpx's errors: then it was not all.

        All are read in the order of their ids, which no change moves; a deletion meanwhile is seen by the count.
        """
        begin = number = 0
        total = 1
        while begin < total:
            if number >= self._asker.limits.pages:
                raise FetchError(f"The catalogue has more than {self._asker.limits.pages:,} pages.")
            found = action(
                self._asker, "package_search", rows=str(_ROWS), start=str(begin), fq=self._filter(),
                sort="metadata_modified asc" if self._since else "id asc",
            )  # fmt: skip
            if not isinstance(found, dict) or not isinstance(found.get("count"), int):
                raise Refused("unreadable", "the answer of package_search holds no count")
            results = found.get("results")
            if not isinstance(results, list):
                raise Refused("unreadable", "the answer of package_search holds no results")
            total = found["count"]
            yield self._page(f"package_search:{begin}", results, total)
            if not results:
                return
            begin, number = begin + len(results), number + 1

    def gone(self, names: Mapping[str, str]) -> list[str]:
        """Of our ids by CKAN's names those that it has no more; none where it does not say what it has."""
        try:
            listed = action(self._asker, "package_list")
        except (FetchError, Refused, httpx.HTTPError):
            return []
        if not isinstance(listed, list):
            return []
        there = {name for name in listed if isinstance(name, str)}
        return [ours for name, ours in names.items() if name not in there]

    def _filter(self) -> str:
        asked = []
        names = self._asker.harvest.publishers
        if names and all(_NAME.match(name) for name in names):
            asked.append(f"organization:({' OR '.join(names)})")
        if self._since:
            asked.append(f"metadata_modified:[{self._since[:19]}Z TO *]")
        return " ".join(asked)

    def _page(self, address: str, packages: list[Any], total: int) -> Fetched:
        pieces: list[Piece] = []
        faults: list[str] = []
        newest = ""
        for package in packages:
            piece = self._piece(package)
            if isinstance(piece, str):
                faults.append(piece)
            elif self._asker.wanted(piece):
                pieces.append(piece)
            changed = package.get("metadata_modified") if isinstance(package, dict) else ""
            if isinstance(changed, str) and _TIME.match(changed):
                newest = max(newest, changed)
        return Fetched(
            address=address, pieces=tuple(pieces), total=None if self._since else total, members=len(packages),
            faults=tuple(faults), newest=newest,
        )  # fmt: skip

    def _piece(self, package: Any) -> Piece | str:
        if not isinstance(package, dict) or not all(isinstance(package.get(name), str) for name in ("id", "name")):
            return "a package has no id or no name"
        asker = self._asker
        triples = triples_of(package, root_of(asker.harvest.address))
        if len(triples) > asker.limits.page_statements:
            return f"{package['name'][:100]} says more than {asker.limits.page_statements:,} things"
        found = next(iter(cut(triples).cuts), None)
        piece = "a package says nothing" if found is None else asker.piece(found, msgspec.json.encode(package))
        if isinstance(piece, str):
            return piece
        body = package.get("organization")
        known = [body.get(name) for name in ("name", "id", "title")] if isinstance(body, dict) else []
        publishers = tuple(each for each in known if isinstance(each, str))
        names = tuple(dict.fromkeys([*piece.names, package["id"]]))
        return msgspec.structs.replace(piece, name=package["name"], publishers=publishers, names=names)
