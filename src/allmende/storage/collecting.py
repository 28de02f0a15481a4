"""Writing collections and their features: what is new, what changed, what a delivery held no more.

The row of the collection is locked first, so that two deliveries at once come one after the other. A feature that is as
it was costs one update of ``seen``; what a change replaces goes to ``item_history`` with the times of its deliveries.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from allmende.domain.batch import Batch, Receipt
from allmende.domain.creation import encode
from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.features import FeatureRow, NewFeatures
from allmende.domain.records import Collection
from allmende.storage.connections import Connection
from allmende.storage.entities import dataset_key
from allmende.storage.logs import log_entity

_PART = 500
_SAID = ("geometry", "properties", "valid_from", "valid_to")
_FIELDS = {"geometry": "geometry", "properties": "properties", "valid_from": "validTime", "valid_to": "validTime"}
_ROW = ("id", "geometry", "west", "south", "east", "north", "properties", "valid_from", "valid_to", "digest")
_NEW = ("collection", *_ROW, "first_seen", "since", "seen", "origin")
_CHANGED = "changed_at = CASE WHEN changed_at >= ? THEN changed_at + 1 ELSE ? END"
"""The batches of one delivery have one time, and older deliveries may come later: each change is told from the last."""
_INSERT = f"INSERT INTO item ({', '.join(_NEW)}) VALUES ({', '.join('?' * len(_NEW))})"
_UPDATE = (
    f"UPDATE item SET {', '.join(f'{name} = ?' for name in _ROW[1:])}, since = ?, seen = ?, gone_at = NULL, origin = ?"
    " WHERE pk = ?"
)
_KEEP = (
    f"INSERT INTO item_history (item, since, until, {', '.join(_SAID)}, origin)"
    f" SELECT pk, since, coalesce(gone_at, ?), {', '.join(_SAID)}, origin FROM item WHERE pk = ?"
)
_encoder = msgspec.msgpack.Encoder(order="deterministic")


class _Known(NamedTuple):
    pk: int
    digest: bytes
    seen: int
    gone: bool


def append_features(connection: Connection, batch: Batch, receipt: Receipt, origin: int) -> None:
    """Everything that a batch says of collections, in the transaction that is open."""
    keys = {c.id: _declare(connection, c, batch) for c in sorted(batch.collections, key=lambda c: c.id)}
    for features in batch.features:
        key = keys.get(features.collection)
        if key is None:
            raise InvalidInput(f"the collection {features.collection!r} is not declared")
        _append(connection, key, features, batch, receipt, origin)
    for name in batch.delivered:
        receipt.gone += _sweep(connection, name, batch)


def _declare(connection: Connection, declared: Collection, batch: Batch) -> int:
    """The key of a collection, which is locked to the end of the transaction."""
    digest = blake2b(_encoder.encode((batch.origin, batch.dataset, declared)), digest_size=16).digest()
    row = _find(connection, declared.id)
    if row is not None and bytes(row[1]) == digest:
        return int(row[0])
    owner = dataset_key(connection, batch.dataset)
    if row is not None and (row[2], row[3]) != (owner, batch.origin):
        raise Conflict(
            f"the collection {declared.id!r} belongs to the source {row[3]!r}"
            + ("" if row[2] == owner else " and to another dataset")
        )
    said = (declared.title, declared.description, int(declared.snapshot), encode(declared.fields), digest)
    if row is None:
        connection.execute(
            "INSERT INTO collection (title, description, snapshot, fields, declared, id, dataset, source)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*said, declared.id, owner, batch.origin),
        )
        log_entity(connection, "Collection", declared.id, "create")
        row = _find(connection, declared.id)
        assert row is not None, "it was inserted above"
        return int(row[0])
    connection.execute(
        "UPDATE collection SET title = ?, description = ?, snapshot = ?, fields = ?, declared = ? WHERE pk = ?",
        (*said, row[0]),
    )
    log_entity(connection, "Collection", declared.id, "update")
    return int(row[0])


def _find(connection: Connection, name: str) -> tuple[Any, ...] | None:
    locking = connection.dialect.locking
    row: tuple[Any, ...] | None = connection.execute(
        f"SELECT d.pk, d.declared, d.dataset, d.source FROM collection d WHERE d.id = ? {locking}", (name,)
    ).fetchone()
    return row


def _append(
    connection: Connection, key: int, features: NewFeatures, batch: Batch, receipt: Receipt, origin: int
) -> None:
    now = batch.received_at
    known = _read_known(connection, key, [row.id for row in features.rows])
    fresh: list[FeatureRow] = []
    changed: list[tuple[FeatureRow, _Known]] = []
    same: list[int] = []
    for row in features.rows:
        before = known.get(row.id)
        if before is None:
            fresh.append(row)
        elif before.seen > now or (before.digest == row.digest and not before.gone):
            receipt.repeated += 1
            if before.seen < now:
                same.append(before.pk)
        else:
            changed.append((row, before))
    receipt.accepted += len(fresh)
    receipt.corrected += len(changed)
    connection.executemany(_INSERT, [(key, *row, now, now, now, origin) for row in fresh])
    lines = [(f"{features.collection}/{row.id}", "create", "") for row in fresh]
    lines += _change(connection, changed, features.collection, now, origin)
    _log(connection, lines)
    _mark(connection, same, now)
    if features.unread:
        missed = _read_known(connection, key, features.unread)
        _mark(connection, [before.pk for before in missed.values() if before.seen < now], now)
    if fresh or changed:
        back = sum(before.gone for _, before in changed)
        _grow(connection, key, [*fresh, *(row for row, _ in changed)], len(fresh) + back, now)


def _read_known(connection: Connection, key: int, names: Sequence[str]) -> dict[str, _Known]:
    found: dict[str, _Known] = {}
    for part in _parts(names):
        condition, values = connection.dialect.one_of("i.id", part)
        rows = connection.execute(
            f"SELECT i.id, i.pk, i.digest, i.seen, i.gone_at FROM item i WHERE i.collection = ? AND {condition}",
            (key, *values),
        )
        for name, pk, digest, seen, gone_at in rows:
            found[name] = _Known(pk, bytes(digest), seen, gone_at is not None)
    return found


def _change(
    connection: Connection, changed: Sequence[tuple[FeatureRow, _Known]], collection: str, now: int, origin: int
) -> list[tuple[str, str, str]]:
    """Keep what was said before, write what is said now; gives the lines of the log."""
    if not changed:
        return []
    was: dict[int, tuple[Any, ...]] = {}
    for part in _parts([before.pk for _, before in changed]):
        condition, values = connection.dialect.one_of("i.pk", part)
        columns = ", ".join(f"i.{name}" for name in _SAID)
        for pk, *said in connection.execute(f"SELECT i.pk, {columns} FROM item i WHERE {condition}", values):
            was[pk] = tuple(said)
    connection.executemany(_KEEP, [(now, before.pk) for _, before in changed])
    connection.executemany(_UPDATE, [(*row[1:], now, now, origin, before.pk) for row, before in changed])
    lines = []
    for row, before in changed:
        differing = [name for name, old in zip(_SAID, was[before.pk], strict=True) if getattr(row, name) != old]
        fields = dict.fromkeys(_FIELDS[name] for name in differing)
        lines.append((f"{collection}/{row.id}", "update", ",".join([*fields, *(["gone"] if before.gone else [])])))
    return lines


def _mark(connection: Connection, keys: Sequence[int], now: int) -> None:
    for part in _parts(keys):
        condition, values = connection.dialect.one_of("pk", part)
        connection.execute(f"UPDATE item SET seen = ? WHERE {condition}", (now, *values))


def _log(connection: Connection, lines: Iterable[tuple[str, str, str]]) -> None:
    connection.executemany("INSERT INTO entity_log (entity, id, kind, fields) VALUES ('Feature', ?, ?, ?)", list(lines))


def _grow(connection: Connection, key: int, rows: Sequence[FeatureRow], more: int, now: int) -> None:
    """The figures of a collection after these rows came. An extent that something left is worked out by a sweep."""
    boxes = list(zip(*(row[2:6] for row in rows if row.west is not None), strict=True)) or [()] * 4
    west, south, east, north = boxes
    starts = [row.valid_from for row in rows if row.valid_from is not None]
    ends = [row.valid_to for row in rows if row.valid_to is not None]
    lowest = {"west": west, "south": south, "first": starts}
    highest = {"east": east, "north": north, "last": ends}
    sets: list[str] = []
    values: list[Any] = []
    for pick, sign, found in ((min, "<", lowest), (max, ">", highest)):
        for name, given in found.items():
            if given:
                sets.append(f"{name} = CASE WHEN {name} {sign} ? THEN {name} ELSE ? END")
                values += [pick(given)] * 2
    sets += ["count = count + ?", _CHANGED]
    connection.execute(f"UPDATE collection SET {', '.join(sets)} WHERE pk = ?", (*values, more, now, now, key))


def _sweep(connection: Connection, name: str, batch: Batch) -> int:
    """Everything that a complete delivery did not hold has gone; gives how many that are."""
    row = _find(connection, name)
    if row is None or row[3] != batch.origin:
        return 0
    key, now = int(row[0]), batch.received_at
    gone = connection.execute(
        "SELECT i.pk, i.id FROM item i WHERE i.collection = ? AND i.gone_at IS NULL AND i.seen < ?", (key, now)
    ).fetchall()
    if not gone:
        return 0
    for part in _parts([pk for pk, _ in gone]):
        condition, values = connection.dialect.one_of("pk", part)
        connection.execute(f"UPDATE item SET gone_at = ? WHERE {condition}", (now, *values))
    _log(connection, [(f"{name}/{identifier}", "update", "gone") for _, identifier in gone])
    figures = {
        "count": "count(*)", "west": "min(west)", "south": "min(south)", "east": "max(east)", "north": "max(north)",
        "first": "min(valid_from)", "last": "max(valid_to)",
    }  # fmt: skip
    found = connection.execute(
        f"SELECT {', '.join(figures.values())} FROM item WHERE collection = ? AND gone_at IS NULL", (key,)
    ).fetchone()
    sets = ", ".join(f"{column} = ?" for column in figures)
    connection.execute(f"UPDATE collection SET {sets}, {_CHANGED} WHERE pk = ?", (*found, now, now, key))
    return len(gone)


def _parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for place in range(0, len(keys), _PART):
        yield keys[place : place + _PART]
