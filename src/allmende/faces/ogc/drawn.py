"""Tiles and schemas as they were made, for as long as their collection is the same."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import msgspec

from allmende import __version__
from allmende.domain.face import Request, Response
from allmende.domain.policy import ANONYMOUS
from allmende.faces.tags import etag_of, names_tag

_BESIDE = 1000
"""Bytes that an entry takes beside its body, roughly."""


class Drawn:
    """The answers that were asked for last, up to so many bytes; safe for threads.

    One for each store, and for what anybody may see alone: whoever asks has been found to be allowed to see the
    collection before anything is looked for here, and who may see more than others is given nothing of it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._tiles: OrderedDict[Hashable, Response] = OrderedDict()
        self._lock = Lock()

    def answer(self, request: Request, key: Hashable, make: Callable[[], Response]) -> Response:
        """What a key stands for, made where it is not here; a reader who has it already is told so before. The key
        says all that the answer depends on beside the version of the house."""
        tag = etag_of(repr((__version__, key)).encode())
        if request.if_none_match and names_tag(request.if_none_match, tag):
            return Response(status=304, headers={"ETag": tag})
        shared = request.reader.name == ANONYMOUS.name
        found = self.get(key) if shared else None
        if found is None:
            found = make()
            found = msgspec.structs.replace(found, headers={**found.headers, "ETag": tag})
            if shared:
                self.keep(key, found)
        return found

    def get(self, key: Hashable) -> Response | None:
        """The tile of a key, if it is here."""
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
            return found

    def keep(self, key: Hashable, tile: Response) -> None:
        """Keep a tile; those that nobody asked for longest go. One that is larger than all room is not kept."""
        size = len(tile.body) + _BESIDE
        if size > self._most:
            return
        with self._lock:
            before = self._tiles.pop(key, None)
            self._held += size - (len(before.body) + _BESIDE if before is not None else 0)
            self._tiles[key] = tile
            while self._held > self._most:
                _, oldest = self._tiles.popitem(last=False)
                self._held -= len(oldest.body) + _BESIDE
