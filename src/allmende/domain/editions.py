"""Editions: each state that a dataset's description was in, with the reason why it became another one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from allmende.domain.dataset import DatasetProfile, Texts
from allmende.domain.plain import differences

_EMPTY = msgspec.to_builtins(DatasetProfile(id="", title={}, description={}, publisher="", licence="", attribution=""))
"""What says nothing. Titles and the like always say something."""


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, without what it said. Who changed it is not told to anybody."""

    number: int
    """Counts the editions of a dataset from 1; a part of its address."""
    at: int
    """Since when, in microseconds."""
    name: str = ""
    """The number that the publisher gave to this version, if any."""
    reason: Texts = {}
    changed: tuple[str, ...] = ()
    """The places of the description that are others than before, e.g. ``title.de``; none of the first."""
    public: bool = False
    """Whether everybody could know of the dataset then."""

    @property
    def day(self) -> str:
        """The day of UTC, ``2025-02-01``."""
        return datetime.fromtimestamp(self.at / 1_000_000, UTC).date().isoformat()


def body_of(dataset: DatasetProfile) -> dict[str, Any]:
    """All that is said of a dataset as plain data. What is not said is left out, so that a field that a later release
    of the house knows makes no edition."""
    said: dict[str, Any] = msgspec.to_builtins(dataset)
    return {name: value for name, value in said.items() if value != _EMPTY[name]}


def dataset_of(body: Mapping[str, Any]) -> DatasetProfile:
    """What an edition's body said; what this release of the house knows no more is left out."""
    known = {name: value for name, value in body.items() if name in _EMPTY}
    needed = {name: _EMPTY[name] for name in ("title", "description", "publisher", "licence", "attribution")}
    return msgspec.convert({**needed, **known}, DatasetProfile)


def succeed(
    last: Edition | None,
    before: Mapping[str, Any] | None,
    dataset: DatasetProfile,
    *,
    at: int,
    public: bool,
    reason: Texts,
) -> Edition:
    """The edition that follows the ``last`` one, whose body was ``before``.

    A version that the publisher names for the first time gives name and reason; else the ``reason`` is that of whoever
    released the change, if one was given.
    """
    named = dataset.version
    known = {version["number"] for version in (before or {}).get("versions", ())}
    name = named.number if named and named.number not in known else ""
    places = [] if before is None else [found.place for found in differences(before, body_of(dataset))]
    return Edition(
        number=last.number + 1 if last else 1,
        at=at,
        name=name,
        reason=named.reason if named and name else reason,
        changed=tuple(dict.fromkeys(places)),
        public=public,
    )
