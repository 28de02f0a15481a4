"""Django's connections, handed to storage, so that paperwork and measured data share transactions and tests."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connections, transaction

from allmende.domain.errors import StorageBusy


class DjangoConnections:
    """A :class:`allmende.storage.connections.Connections` over one of Django's databases."""

    def __init__(self, alias: str = "default") -> None:
        self._alias = alias

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's raw connection; reads need no transaction."""
        yield self._raw()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the house's write lock from its start, or a savepoint of the outer one."""
        try:
            with transaction.atomic(self._alias):
                yield self._raw()
        except OperationalError as error:
            cause = error.__cause__
            if isinstance(cause, sqlite3.Error):
                raise cause from error
            raise StorageBusy(str(error)) from error

    def in_transaction(self) -> bool:
        """Whether this thread is inside of ``transaction.atomic``."""
        return connections[self._alias].in_atomic_block

    def _raw(self) -> sqlite3.Connection:
        wrapper = connections[self._alias]
        wrapper.ensure_connection()
        raw: sqlite3.Connection = wrapper.connection
        return raw
