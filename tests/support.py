"""What tests of several rooms share: plain connections, a small town of records, and where captured data lies."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest

from allmende.domain import times
from allmende.domain.batch import Batch, Receipt, Ref
from allmende.domain.bounds import Bounds
from allmende.domain.creation import plan_creation
from allmende.domain.policy import Reader, house_reader
from allmende.domain.query import Page, Query
from allmende.domain.records import (
    Declaration,
    Position,
    Property,
    Rejection,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.store import DatasetRecord, Store
from allmende.storage.postgres import PostgresStore
from allmende.storage.schema import SQLITE
from allmende.storage.sqlite import SqliteStore
from tests.cluster import cluster

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ALLMENDE_SHARED_DATA", ROOT.parent / "shared" / "data"))
HOUSE = house_reader("test")
AHEAD = Bounds(earliest=times.EARLIEST, future=times.LATEST)
"""The clock of a test may stand still long before its readings, and its calendar has no ends."""


def captured(*parts: str) -> Path:
    """A file of the captured data; skips the test, visibly, where it is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"captured data is not here: {path}")
    return path


@cache
def _empty_layout() -> bytes:
    """A database without rows, as its file: to copy one takes a tenth of the time that its statements take."""
    with closing(sqlite3.connect(":memory:")) as made:
        for statements in SQLITE.values():
            for statement in statements:
                made.execute(statement)
        made.commit()
        return made.serialize()


_OUTER = ("BEGIN IMMEDIATE", "ROLLBACK", "COMMIT")
_NESTED = ("SAVEPOINT outside", "ROLLBACK TO outside", "RELEASE outside")


class PlainConnections:
    """Connections to one SQLite file, one per thread, without Django."""

    seconds = 60.0
    made: ClassVar[list["PlainConnections"]] = []
    """All that are still open: tests/conftest.py closes those of a test behind it."""

    def __init__(self, path: Path | str, *, fresh: bool = True) -> None:
        self.path = str(path)
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._busy = threading.RLock()
        self.made.append(self)
        if not fresh:
            return
        Path(path).write_bytes(_empty_layout())

    def raw(self) -> sqlite3.Connection:
        """This thread's connection."""
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = sqlite3.connect(self.path, isolation_level=None, timeout=30, check_same_thread=False)
            self._opened.append(known)
            known.execute("PRAGMA journal_mode = WAL")
            known.execute("PRAGMA synchronous = OFF")  # no test pulls the plug: what dies is a process
            known.execute("PRAGMA foreign_keys = ON")
            self._local.connection = known
        return known

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with."""
        yield self.raw()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, or a savepoint of the one that this thread has opened."""
        with self._busy:
            connection = self.raw()
            begin, undo, end = _NESTED if connection.in_transaction else _OUTER
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute(undo)
                    if begin == _NESTED[0]:
                        connection.execute(end)
                raise
            connection.execute(end)

    def in_transaction(self) -> bool:
        """Whether this thread has opened one."""
        return self.raw().in_transaction

    def close(self) -> None:
        """Close the connections of all threads, once the writer has ended its transaction."""
        self.made.remove(self)
        with self._busy:
            for connection in self._opened:
                connection.close()


class PostgresConnections:
    """Connections to one PostgreSQL database, one per thread, without Django."""

    seconds = 60.0

    def __init__(self, address: str) -> None:
        self.address = address
        self._local = threading.local()
        self._opened: list[psycopg.Connection[Any]] = []
        self._closed = False
        PlainConnections.made.append(self)  # type: ignore[arg-type]  # closed the same way

    def raw(self) -> "psycopg.Connection[Any]":
        """This thread's connection."""
        known: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if self._closed:
            raise psycopg.OperationalError("the test is over, and its database another one's")
        if known is None:
            known = psycopg.connect(self.address, autocommit=True, prepare_threshold=3)
            self._opened.append(known)
            self._local.connection = known
        return known

    @contextmanager
    def reading(self) -> "Iterator[psycopg.Connection[Any]]":
        """A connection to read with."""
        yield self.raw()

    @contextmanager
    def writing(self) -> "Iterator[psycopg.Connection[Any]]":
        """A transaction."""
        connection = self.raw()
        with connection.transaction():
            yield connection

    def in_transaction(self) -> bool:
        """Whether this thread has opened one."""
        return self.raw().info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def close(self) -> None:
        """Close the connections of all threads, and give the database back."""
        self._closed = True
        PlainConnections.made.remove(self)  # type: ignore[arg-type]
        for connection in self._opened:
            connection.close()
        cluster().give_back(self.address)


DATASETS = (
    DatasetRecord(id="parking", title={"de": "Parken", "en": "Parking"}, licence="dl-de/by-2-0"),
    DatasetRecord(id="hidden", access="restricted"),
    DatasetRecord(id="simulated", simulated=True),
)


def declaration(stream: str = "garage~free", *, high: float | None = 100, position: bool = True) -> Declaration:
    """A small garage's stream of free spaces."""
    thing = stream.split("~", maxsplit=1)[0]
    return Declaration(
        stream=stream,
        name=f"Free spaces {thing}",
        thing=ThingDeclaration(
            id=thing,
            name=thing.title(),
            properties={"zone": "1"},
            position=Position(11.58, 50.92) if position else None,
        ),
        sensor=SensorDeclaration(id="barriers", name="Barriers"),
        observed_property=Property(id="free-parking-spaces", name="Free spaces", definition="https://example.org/free"),
        unit=Unit("spaces", "{space}"),
        observation_type="any",
        low=0,
        high=high,
    )


def batch(
    *series: Series,
    dataset: str = "parking",
    origin: str = "feed",
    at: int = 1_700_000_000_000_000,
    rejections: tuple[Rejection, ...] = (),
) -> Batch:
    """A batch of declared series."""
    return Batch(
        origin=origin,
        dataset=dataset,
        reader=HOUSE,
        received_at=at,
        declarations=[declaration(s.stream) for s in series],
        series=series,
        rejections=rejections,
    )


def sqlite_store(folder: Path) -> Store:
    """An empty SQLite engine in a folder of its own."""
    return SqliteStore(PlainConnections(folder / "commons.sqlite3"))


def postgres_store(folder: Path) -> Store:
    """An empty store in a database of its own; skips, by name, where there is no PostgreSQL."""
    return PostgresStore(PostgresConnections(cluster().create_database()))


ENGINES: Mapping[str, Callable[[Path], Store]] = {"sqlite": sqlite_store, "postgres": postgres_store}
"""Every engine that has to keep the contract in tests/storage, by name."""


def ask(store: Store, entity: str, *, reader: Reader = HOUSE, **more: Any) -> Page:
    """Answer a question of the house's."""
    return store.find(Query(entity=entity, reader=reader, **more))


def create(
    store: Store,
    entity: str,
    body: Any,
    *,
    reader: Reader = HOUSE,
    dataset: str = "commons",
    links: Mapping[str, str] | None = None,
    now: int = 1_700_000_000_000_000,
) -> Receipt:
    """Create what a body asks for; ``links`` are ids by relation."""
    refs = {relation: Ref(id=name) for relation, name in (links or {}).items()}
    entities = plan_creation(entity, body, now=now, links=refs, bounds=AHEAD)
    return store.append(Batch(origin=reader.name, dataset=dataset, reader=reader, received_at=now, entities=entities))
