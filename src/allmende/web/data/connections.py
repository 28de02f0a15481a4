"""Django's connections, handed to storage, so that paperwork and measured data share transactions and tests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import DatabaseError, InterfaceError, connections, transaction

from allmende.domain.errors import StorageBusy

_STEPS = 50_000
"""Steps of SQLite's machine between two looks at the clock: about a millisecond."""


class DjangoConnections:
    """A :class:`allmende.storage.connections.Connections` over one of Django's databases."""

    def __init__(self, alias: str = "default", *, seconds: float = 10.0) -> None:
        """``seconds`` is how long a question may take. Outside of transactions PostgreSQL's own setting says it of each
        statement, and storage sees to all of them together."""
        self._alias = alias
        self.seconds = seconds

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """This thread's raw connection; reads need no transaction, but end after a time."""
        wrapper = connections[self._alias]
        if wrapper.vendor == "postgresql" and not wrapper.in_atomic_block and wrapper.pool is not None:
            # Straight from the pool: what Django sets up with each connection is not needed to read.
            raw = wrapper.lend()
            try:
                yield raw
            finally:
                wrapper.take_back(raw)
            return
        with self._plain_errors():
            raw = self._raw()
            if wrapper.vendor == "postgresql":
                with _limited(raw, self.seconds) if self.in_transaction() else nullcontext():
                    yield raw
                return
            deadline = time.monotonic() + self.seconds
            raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            try:
                yield raw
            finally:
                raw.set_progress_handler(None, 0)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction (on SQLite: one that holds the house's write lock from its start), or a savepoint of the outer.

        How long a question may take says nothing of writing: PostgreSQL's time limit is off inside.
        """
        with self._plain_errors():
            wrapper = connections[self._alias]
            postgres = wrapper.vendor == "postgresql"
            if postgres and not wrapper.in_atomic_block:
                wrapper.ensure_connection()
                wrapper.unlimit()
            with transaction.atomic(self._alias):
                raw = self._raw()
                if postgres and not wrapper.unlimited:
                    raw.execute("SET LOCAL statement_timeout = 0")
                yield raw

    def in_transaction(self) -> bool:
        """Whether this thread is inside of ``transaction.atomic``."""
        return connections[self._alias].in_atomic_block

    def _raw(self) -> Any:
        wrapper = connections[self._alias]
        wrapper.ensure_connection()
        return wrapper.connection

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """The driver's errors instead of Django's wrapping; a connection that broke is not used again."""
        try:
            yield
        except (DatabaseError, InterfaceError) as error:
            if error.__cause__ is not None:
                raise error.__cause__ from error
            raise StorageBusy(str(error)) from error
        finally:
            wrapper = connections[self._alias]
            if getattr(wrapper.connection, "broken", False) and not wrapper.in_atomic_block:
                wrapper.close()


@contextmanager
def _limited(raw: Any, seconds: float) -> Iterator[None]:
    """PostgreSQL's time limit for a question inside of a transaction that has none; such a transaction goes on behind
    a question that was stopped."""
    raw.execute(f"SAVEPOINT question; SET LOCAL statement_timeout = {round(seconds * 1000)}")
    try:
        yield
    except BaseException:
        if not raw.closed:
            raw.execute("ROLLBACK TO SAVEPOINT question; RELEASE SAVEPOINT question")
        raise
    raw.execute("SET LOCAL statement_timeout = 0; RELEASE SAVEPOINT question")
