"""Tombstones: what is left to say of a dataset that is given out no more."""

from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.domain.dataset import DatasetProfile, Texts


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """Of one dataset that everybody, or whoever asks, could know of. Days are ISO text, "" where nobody knows."""

    id: str
    address: str
    title: Texts
    description: Texts = {}
    publisher: str = ""
    withdrawn: str = ""
    start: str = ""
    end: str = ""
    """The days between which its data lie: until when they went."""
    reason: Texts = {}
    successor: str = ""
    """Id of the dataset that took its place."""


def bury(dataset: DatasetProfile, root: str, *, day: str = "", reason: Texts | None = None, end: str = "") -> Tombstone:
    """The tombstone of a description. ``day``, ``reason`` and ``end`` hold where it does not say them itself."""
    withdrawn, period = dataset.withdrawn, dataset.period
    return Tombstone(
        id=dataset.id,
        address=f"{root}/dataset/{dataset.id}",
        title=dataset.title,
        description=dataset.description,
        publisher=dataset.publisher,
        withdrawn=withdrawn.date if withdrawn else day,
        start=period.start if period else "",
        end=(period.end if period else "") or end,
        reason=withdrawn.reason if withdrawn else reason or {},
        successor=withdrawn.successor if withdrawn else "",
    )


def in_words(stone: Tombstone, reason: str) -> dict[str, Any]:
    """What an interface for programs says, without what is not known."""
    said: Mapping[str, str] = {
        "withdrawn": stone.withdrawn,
        "data_until": stone.end,
        "reason": reason,
        "successor": stone.successor,
        "address": stone.address,
    }
    return {name: text for name, text in said.items() if text}
