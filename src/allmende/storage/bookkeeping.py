"""What the house knows of its own work: sources and rejections."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from allmende.domain.batch import Receipt
from allmende.domain.errors import NotFound
from allmende.domain.ingest import names_reading
from allmende.domain.records import Rejection
from allmende.domain.store import KeptRejection, SourceState
from allmende.storage.connections import Connection

_SOURCE = "id, last_received, last_success, last_error, last_error_at, newest, accepted, repeated, corrected, rejected"
_BODY = "coalesce(b.body, r.body)"
# not the length of what _BODY gives: a column's own is known without reading it
_SIZE = "coalesce(length(b.body), length(r.body))"
_REJECTION = f"r.number, r.source, r.name, r.reason, r.code, r.place, r.received_at, {_SIZE}"
_FROM_REJECTIONS = "FROM rejection r LEFT JOIN rejection_body b ON b.digest = r.body_digest"
_SHARED_BYTES = 200
"""Bytes of several rejections are kept by themselves from this size on."""


def count_receipt(
    connection: Connection, source: str, receipt: Receipt, *, received_at: int, newest: int | None
) -> None:
    """Add a receipt to a source's counts, in the transaction that made it true."""
    connection.execute(
        "INSERT INTO source_state (id, last_received, newest, accepted, repeated, corrected, rejected)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " last_received = CASE WHEN excluded.last_received > coalesce(source_state.last_received, 0)"
        " THEN excluded.last_received ELSE source_state.last_received END,"
        " newest = CASE WHEN excluded.newest IS NULL OR source_state.newest > excluded.newest"
        " THEN source_state.newest ELSE excluded.newest END,"
        " accepted = source_state.accepted + excluded.accepted,"
        " repeated = source_state.repeated + excluded.repeated,"
        " corrected = source_state.corrected + excluded.corrected,"
        " rejected = source_state.rejected + excluded.rejected",
        (source, received_at, newest, receipt.accepted, receipt.repeated, receipt.corrected, receipt.rejected),
    )


def note_attempt(connection: Connection, source: str, at: int, error: str) -> None:
    """Remember that a source was asked; a success clears the last error's claim to be the present state."""
    column = "last_error_at" if error else "last_success"
    text = ", last_error = excluded.last_error" if error else ""
    connection.execute(
        f"INSERT INTO source_state (id, {column}, last_error) VALUES (?, ?, ?)"
        f" ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}{text}",
        (source, at, error[:1000]),
    )


def read_sources(connection: Connection) -> dict[str, SourceState]:
    """All states by source."""
    rows = connection.execute(f"SELECT {_SOURCE} FROM source_state ORDER BY id").fetchall()
    names = [n.strip() for n in _SOURCE.split(",")]
    return {row[0]: SourceState(**dict(zip(names, row, strict=True))) for row in rows}


def keep_rejections(
    connection: Connection, rejections: Iterable[Rejection], *, source: str, name: str, received_at: int
) -> None:
    """Keep rejections with their bytes. The same bytes for the same reason are kept once and counted; bytes that
    several of these share are kept once for all of them."""
    rejections = list(rejections)
    shared = _keep_bodies(connection, rejections)
    for rejection in rejections:
        digest = blake2b(digest_size=16)
        # Two readings of one payload are two; the same line of a file that was cut otherwise is one.
        place = rejection.where if names_reading(rejection.where) else ""
        named = (source, rejection.code, rejection.reason, place)
        for part in (*(text.encode() for text in named), rejection.body):
            digest.update(len(part).to_bytes(8, "big") + part)
        connection.execute(
            "INSERT INTO rejection (source, name, reason, code, place, received_at, body, body_digest, digest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET seen = rejection.seen + 1,"
            " received_at = excluded.received_at, replayed_at = NULL",
            (
                source, name, rejection.reason[:1000], rejection.code, rejection.where, received_at,
                b"" if id(rejection.body) in shared else rejection.body, shared.get(id(rejection.body)),
                digest.digest(),
            ),
        )  # fmt: skip


def _keep_bodies(connection: Connection, rejections: Sequence[Rejection]) -> dict[int, bytes]:
    """Keep the bytes that several share; gives their digests by their identity."""
    times = Counter(id(rejection.body) for rejection in rejections)
    bodies = {id(r.body): r.body for r in rejections if times[id(r.body)] > 1 and len(r.body) >= _SHARED_BYTES}
    shared = {identity: blake2b(body, digest_size=16).digest() for identity, body in bodies.items()}
    for digest, body in sorted({digest: bodies[identity] for identity, digest in shared.items()}.items()):
        # "seen" tells who prunes at the same moment that they are wanted again
        connection.execute(
            "INSERT INTO rejection_body (digest, body) VALUES (?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET seen = rejection_body.seen + 1",
            (digest, body),
        )
    return shared


def list_rejections(connection: Connection, source: str, code: str, limit: int, text: str = "") -> list[KeptRejection]:
    """The newest first, without bytes. ``text`` stands in the reason, the place, the name or the bytes, in any case."""
    if text:
        return _search(connection, source, code, limit, text)
    rows = connection.execute(
        f"SELECT {_REJECTION}, NULL, r.replayed_at {_FROM_REJECTIONS} WHERE (? = '' OR r.source = ?)"
        " AND (? = '' OR r.code = ?) ORDER BY r.number DESC LIMIT ?",
        (source, source, code, code, limit),
    )
    return [_rejection(row) for row in rows]


_SEARCHED = 200
"""Rejections whose bytes are held at once."""


def _search(connection: Connection, source: str, code: str, limit: int, text: str) -> list[KeptRejection]:
    """Looked for here and not by the engines: what they call the small letter of a byte differs."""
    found: list[KeptRejection] = []
    below = 2**63 - 1
    while len(found) < limit:
        rows = connection.execute(
            f"SELECT {_REJECTION}, {_BODY}, r.replayed_at {_FROM_REJECTIONS} WHERE (? = '' OR r.source = ?)"
            " AND (? = '' OR r.code = ?) AND r.number < ? ORDER BY r.number DESC LIMIT ?",
            (source, source, code, code, below, _SEARCHED),
        ).fetchall()
        if not rows:
            break
        below = rows[-1][0]
        for each in map(_rejection, rows):
            said = f"{each.reason}\n{each.where}\n{each.name}".casefold()
            if text.casefold() in said or text.encode().lower() in each.body.lower():
                found.append(msgspec.structs.replace(each, body=b""))
    return found[:limit]


def read_rejection(connection: Connection, number: int) -> KeptRejection:
    """One rejection with its bytes."""
    row = connection.execute(
        f"SELECT {_REJECTION}, {_BODY}, r.replayed_at {_FROM_REJECTIONS} WHERE r.number = ?", (number,)
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no rejection {number}")
    return _rejection(row)


def _rejection(row: tuple[Any, ...]) -> KeptRejection:
    number, source, name, reason, code, place, received_at, size, body, replayed_at = row
    return KeptRejection(
        number=number,
        source=source,
        name=name,
        reason=reason,
        code=code,
        where=place,
        received_at=received_at,
        size=size,
        body=bytes(body or b""),
        replayed_at=replayed_at,
    )


def prune_rejections(
    connection: Connection, older_than: int, keep_bytes: int, source_bytes: int | None, source_count: int | None
) -> int:
    """Delete what is too old, then the oldest until the rest fits: of each source, then of all. Gives how many went."""
    gone = connection.execute("DELETE FROM rejection WHERE received_at < ?", (older_than,)).rowcount
    # one source that sends nothing but nonsense must not push out what others could not read
    gone += connection.execute(
        "DELETE FROM rejection WHERE number IN (SELECT number FROM (SELECT number,"
        " sum(size) OVER (PARTITION BY source ORDER BY number DESC) AS total,"
        f" row_number() OVER (PARTITION BY source ORDER BY number DESC) AS place FROM {_SIZED}) AS counted"
        " WHERE total > ? OR place > ?)",
        (2**62 if source_bytes is None else source_bytes, 2**62 if source_count is None else source_count),
    ).rowcount
    over = connection.execute(
        f"SELECT max(number) FROM (SELECT number, sum(size) OVER (ORDER BY number DESC) AS total FROM {_SIZED})"
        " AS counted WHERE total > ?",
        (keep_bytes,),
    ).fetchone()[0]
    if over is not None:
        gone += connection.execute("DELETE FROM rejection WHERE number <= ?", (over,)).rowcount
    _prune_bodies(connection)
    return int(gone)


# What several share is counted at the newest of them, which goes last.
_SIZED = (
    "(SELECT number, source, CASE WHEN turn = 1 THEN size ELSE 0 END AS size FROM (SELECT r.number, r.source,"
    f" {_SIZE} AS size, row_number() OVER (PARTITION BY coalesce(r.body_digest, r.digest)"
    f" ORDER BY r.number DESC) AS turn {_FROM_REJECTIONS}) AS each_of) AS sized"
)


def forget_rejections(connection: Connection, source: str) -> None:
    """Delete all of one source."""
    connection.execute("DELETE FROM rejection WHERE source = ?", (source,))
    _prune_bodies(connection)


def _prune_bodies(connection: Connection) -> None:
    """Delete bytes that no rejection holds any more, but not those that somebody keeps again just now."""
    alone = connection.execute(
        "SELECT b.digest, b.seen FROM rejection_body b"
        " WHERE NOT EXISTS (SELECT 1 FROM rejection r WHERE r.body_digest = b.digest)"
    ).fetchall()
    for digest, seen in alone:
        connection.execute("DELETE FROM rejection_body WHERE digest = ? AND seen = ?", (bytes(digest), seen))
