"""Whether a board's texts would tell everybody a name that not everybody may know."""

import re
from collections.abc import Sequence

from django.http import HttpRequest

from allmende.domain.boards import BoardContent
from allmende.web.boards import streams
from allmende.web.boards.seeing import as_anybody, texts_of, visible
from allmende.web.boards.words import say

_MOST_NAMES = 5000
_SHORT = 4
"""Names of fewer letters are words that stand anywhere."""
_TOKEN = re.compile(r"[^\s,;()\[\]\"'<>]*~[^\s,;()\[\]\"'<>]*")


def hidden_names(request: HttpRequest, content: BoardContent) -> list[str]:
    """Names in what everybody would read that the person knows of and not everybody may: ids and titles of datasets,
    names of things and of what is measured, ids of streams.

    It looks for what the *person* may know, so that nobody learns from it what there is.
    """
    tiles = visible(as_anybody(request), content.tiles)
    return named_in(request, [say(content.title), say(content.description), *texts_of(tiles)])


def named_in(request: HttpRequest, said: Sequence[str]) -> list[str]:
    """The same of texts that everybody would read."""
    anybody = as_anybody(request)
    text = "\n".join(said).casefold()
    found = {name for name in _known_to(request) - _known_to(anybody) if _stands_in(name, text)}
    ids = {token for part in said for token in _TOKEN.findall(part)}
    if ids:
        found |= set(streams.of(request, sorted(ids)[:200])) - set(streams.of(anybody, sorted(ids)[:200]))
    return sorted(found)


def _known_to(request: HttpRequest) -> set[str]:
    house = request.house  # type: ignore[attr-defined]
    names = {name for listed in house.store.names(house.reader, _MOST_NAMES).values() for name in listed}
    for dataset in house.datasets:
        names |= {dataset.id, *dataset.title.values()}
    return names


def _stands_in(name: str, text: str) -> bool:
    plain = name.casefold().strip()
    return len(plain) >= _SHORT and re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", text) is not None
