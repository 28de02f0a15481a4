"""What an engine is given: connections that somebody else opens, and turns to write."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Cursor(Protocol):
    """The part of DB-API's cursor that is used."""

    lastrowid: int | None
    rowcount: int

    def fetchone(self) -> Any:
        """The next row or None."""

    def fetchall(self) -> list[Any]:
        """All rows left."""

    def __iter__(self) -> Any:
        """Row by row."""


class Connection(Protocol):
    """The part of a raw SQLite connection that is used; it is in autocommit mode outside of ``writing``."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run one statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        """Run one statement for many rows."""


class Connections(Protocol):
    """Hands out this thread's connection. Web implements it with Django's."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read with; inside ``writing`` it is the same one."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A connection inside a transaction that holds the write lock from its start; joins an outer transaction.

        Commits at the end, rolls back on an exception; raises StorageBusy or StorageFull.
        """

    def in_transaction(self) -> bool:
        """Whether this thread is inside of a transaction that somebody else will end."""


class Committer(Protocol):
    """Runs a piece of writing in a transaction and returns after the commit."""

    def __call__(self, work: Callable[[Connection], T], /) -> T:
        """Raises what ``work`` raised; then nothing of it was written."""
