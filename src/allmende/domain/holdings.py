"""What the house holds of a person, place by place: each part of the house says it for itself, so that a request for
access or erasure (GDPR, Art. 15, 17 and 20) reaches all of it.

A part registers a :class:`Holding` when it is loaded (in a Django app: ``AppConfig.ready``). A test finds every table
that names a person and that no holding speaks for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, Protocol

import msgspec

from allmende.domain.records import Json

Choice = Literal["", "delete", "leave"]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a request is about: somebody with an account, or with an e-mail address alone."""

    user: int | None = None
    """The account's key."""
    name: str = ""
    """The account's name."""
    emails: frozenset[str] = frozenset()
    """In lower case."""
    tokens: frozenset[str] = frozenset()
    """Names of the tokens that the person answers for."""

    @property
    def actors(self) -> tuple[str, ...]:
        """How the audit log and the store call the person and what they answer for."""
        own = (f"user:{self.name}",) if self.name else ()
        return (*own, *(f"token:{name}" for name in sorted(self.tokens)))


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the person wants of their erasure, where there is a choice."""

    given: Choice = ""
    """What becomes of data that they gave to all: as they chose for each before, delete, or leave to the city without
    a tie to them."""
    pseudonym: str = ""
    """What stands in place of the person in what has to be kept."""


RECIPIENTS = "recipients"
"""Whom data are about may ask who received them (GDPR, Art. 15 and 19)."""
DECISIONS = "decisions"
"""The city's decisions have to be explained and undone."""
COMMONS = "commons"
"""What was given to all, without a tie to the person."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure leaves, and why; names nobody."""

    place: str
    what: str
    """Plain, in no language as far as that is possible: ``dataset:people, 3 h``."""
    why: str
    """RECIPIENTS, DECISIONS, COMMONS, or words of a service."""
    until: date | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """How a holding is called and what becomes of it, in words. (Lazy translations: made texts when they are shown.)"""

    place: str
    """A short word that does not change, e.g. ``own-sensors``."""
    title: Any
    fate: Any
    """What an erasure does with it."""
    order: int
    """Erasures go from the lowest to the highest: what hangs on an account before the account, the log last."""
    fields: Mapping[str, Sequence[str]]
    """By the label of each table (``grants.grant``) the columns that name the person or tell of them."""
    sections: Sequence[str]
    """The headings of docs/reference/personal-data.md that describe it."""


class Holding(Protocol):
    """One place where something of a person is held. All is called inside of a transaction."""

    named: Named

    def count(self, subject: Subject) -> int:
        """How many records it is."""

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """All records, as plain values without secrets."""

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """What is too much for :meth:`tell`: names of files with their content in pieces."""

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """Delete it, or cut what leads to the person; gives what has to stay."""


_registered: dict[str, Holding] = {}


def register(*made: Holding) -> None:
    """Make holdings known; the same place again replaces the one before."""
    for holding in made:
        _registered[holding.named.place] = holding


def holdings() -> list[Holding]:
    """All that are known, in the order of erasures."""
    return sorted(_registered.values(), key=lambda holding: (holding.named.order, holding.named.place))


def plain(value: Any) -> Json:
    """A value as JSON holds it: times in ISO 8601, keys as text."""
    made: Json = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
    return made
