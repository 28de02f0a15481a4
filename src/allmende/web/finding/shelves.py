"""The indexes of the search, kept in the process for each set of grants and language.

As for datasets (decision 50): what a reader may not know of is not in the index that they ask. Things are on a shelf
that the languages share. All are read anew after ``ALLMENDE_SEARCH_AGE``.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from typing import NamedTuple, TypeVar

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from allmende.city.finding import Asked, Findable, Kind
from allmende.domain.search.index import Index
from allmende.domain.search.shelf import Document, Part, Shelf
from allmende.domain.wording import meaning_the_same

TITLE, SUMMARY, MORE = 16.0, 3.0, 2.0
"""Weights: a title is more than all else."""
_KEPT = 24

T = TypeVar("T")


class Shelved(NamedTuple):
    """What there is of some kinds, by kind and key, and the shelf where its words stand."""

    found: dict[str, tuple[Kind, Findable]]
    shelf: Shelf


class Everything(NamedTuple):
    """What one reader finds in one language."""

    found: dict[str, tuple[Kind, Findable]]
    index: Index


class _Place:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: tuple[float, object, object] | None = None


class _Kept:
    """What was made, by key; who asks for what is being made waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()

    def get(self, key: Hashable, profile: object, make: Callable[[], T]) -> T:
        """What is kept under the key, no older than the setting and of this profile; or what is made now."""
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            while len(self._places) > _KEPT:
                self._places.popitem(last=False)
        with place.lock:
            now = time.monotonic()
            if place.made is None or place.made[1] is not profile or now - place.made[0] > settings.ALLMENDE.search_age:
                place.made = now, profile, make()
            return place.made[2]  # type: ignore[return-value]

    def clear(self) -> None:
        with self._lock:
            self._places.clear()


_kept = _Kept()


def forget() -> None:
    """Know nothing, as a process that has just started."""
    _kept.clear()


@cache
def kinds() -> tuple[Kind, ...]:
    """Of all applications, in the order of the page."""
    found = [kind for config in apps.get_app_configs() for kind in getattr(config, "finds", ())]
    return tuple(sorted(found, key=lambda kind: kind.order))


@cache
def asked() -> tuple[Asked, ...]:
    """Those of all applications that are found by an index of their own."""
    return tuple(each for config in apps.get_app_configs() for each in getattr(config, "answers", ()))


def everything(request: HttpRequest) -> Everything:
    """All that whoever asks may find, in their language."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    language = get_language() or settings.LANGUAGE_CODE
    grants = (house.store, house.reader.sees_all, house.reader.datasets)
    profile = house.profile

    def make() -> Everything:
        fixed = _kept.get(grants, profile, lambda: _shelve(request, profile.languages[0], spoken=False))
        said = _shelve(request, language.split("-")[0], spoken=True)
        same = meaning_the_same(profile.properties.values(), profile.synonyms.values())
        return Everything(fixed.found | said.found, Index(fixed.shelf, said.shelf, same=same))

    return _kept.get((*grants, language), profile, make)


def _shelve(request: HttpRequest, language: str, *, spoken: bool) -> Shelved:
    found = {
        f"{kind.name}/{one.key}": (kind, one) for kind in kinds() if kind.spoken == spoken for one in kind.read(request)
    }
    return Shelved(found, Shelf([_document(key, one, language) for key, (_, one) in found.items()]))


def _document(key: str, one: Findable, language: str) -> Document:
    said = ((TITLE, one.title), (SUMMARY, one.summary), (MORE, one.more))
    return Document(key, tuple(Part(weight, text, language) for weight, text in said if text))
