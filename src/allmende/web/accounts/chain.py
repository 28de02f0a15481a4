"""The digests that make the audit log a chain.

The digest of an entry is over the digest of the entry before it, its time, its action, and the digest of its payload;
that of the payload is over a random salt and the payload. Without salt and payload nobody can guess from what is left
who it was, and the chain still holds. The written form is a contract: entries of old are checked by it for a year.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

START = ""
"""What stands before the first entry."""
PRUNED = "audit.prune"
"""The action of the entry that says which digest stands before the oldest one that is left."""


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What can be erased of an entry."""

    actor: str
    object: str
    detail: dict[str, Any]
    request_id: str


def new_salt() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(16)


def payload_digest(salt: str, payload: Payload) -> str:
    """SHA-256 in hex."""
    return _digest(salt, payload.actor, payload.object, _plain(payload.detail), payload.request_id)


def entry_digest(before: str, at: datetime, action: str, payload: str) -> str:
    """SHA-256 in hex; ``at`` is aware and exact to the microsecond, ``payload`` the payload's digest."""
    return _digest(before, at.astimezone(UTC).isoformat(timespec="microseconds"), action, payload)


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """The first place where the chain does not hold; ``entry`` is None where it is missing itself."""

    entry: int | None
    what: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is checked; without ``salt`` its payload was erased."""

    id: int
    at: datetime
    action: str
    payload: Payload
    salt: str
    payload_digest: str
    digest: str


def first_break(links: Iterable[Link], before: str) -> tuple[Break | None, str, int]:
    """Walk along the chain from the digest ``before`` it: the first break, the last digest, how many held."""
    held = 0
    for link in links:
        if link.salt and payload_digest(link.salt, link.payload) != link.payload_digest:
            return Break(entry=link.id, what="who, what or the details were changed"), before, held
        if not link.salt and link.payload != _ERASED:
            return Break(entry=link.id, what="it was erased, and says something again"), before, held
        if entry_digest(before, link.at, link.action, link.payload_digest) != link.digest:
            what = "it was changed or put in, or what stood before it was changed or is missing"
            return Break(entry=link.id, what=what), before, held
        before = link.digest
        held += 1
    return None, before, held


_ERASED = Payload(actor="", object="", detail={}, request_id="")


def _digest(*parts: Any) -> str:
    # JSON keeps the parts apart: no two lists of parts have the same text.
    text = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As it comes back from either engine: PostgreSQL writes 1e20 out, and tuples are lists."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
