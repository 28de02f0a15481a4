"""What the one search of the portal finds: datasets, things, streams, places, addresses, services, alerts, pages.

An application whose pages hold things to be found says so in its AppConfig: ``finds = (Kind(…), …)``. One that has an
index of its own for very many of them is asked: ``answers = (Asked(…), …)``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.functional import Promise


class Findable(NamedTuple):
    """Something with a page of its own, in the words of the active language."""

    key: str
    """Unique within its kind."""
    title: str
    address: str
    summary: str = ""
    more: str = ""
    """Words that it is found by too, and that are not shown."""


@dataclass(frozen=True)
class Kind:
    """Things that are found alike. ``read`` gives those alone that the request's reader may know of: what it leaves out
    is neither found nor counted, nor proposed for a slip."""

    name: str
    """In addresses: ``?kind=things``."""
    title: str | Promise
    read: Callable[[HttpRequest], Iterable[Findable]]
    order: int = 50
    """Place on the page: small numbers first."""
    spoken: bool = True
    """Whether its words differ from language to language; else they are read once for all languages."""


@dataclass(frozen=True)
class Asked:
    """Things that an index of their own finds. ``ask`` gives as many as said at most, the best first, and those alone
    that the request's reader may know of."""

    name: str
    """In addresses: ``?kind=addresses``."""
    title: str | Promise
    ask: Callable[[HttpRequest, str, int], Sequence[Findable]]
    order: int = 50
    """Place on the page, among the kinds."""
