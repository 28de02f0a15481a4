"""The backend. ``ENGINE = "allmende.web.postgresql"``; OPTIONS as Django's own, with a ``pool``.

Django asks the server before it hands out a pooled connection, a round trip for each request. Here the socket is looked
at instead: a server that ended a connection has closed it, or said so, and either can be seen without sending anything.
"""

import select
from typing import Any
from weakref import WeakSet

from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """One of Django's connections, from the process's pool."""

    @property
    def pool(self) -> "ConnectionPool[Connection[Any]] | None":
        """The pool of this process, made at first use; see Django's."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == base.NO_DB_ALIAS:
            return None
        if self.alias not in self._connection_pools:
            made = ConnectionPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,
                check=check_connection,
                reset=limit_again,
                **options,
            )
            # Of several threads that come here at once, the first one's is taken; none is open yet.
            self._connection_pools.setdefault(self.alias, made)
        return self._connection_pools[self.alias]

    @property
    def unlimited(self) -> bool:
        """Whether the time limit for statements is off for as long as this connection is used here."""
        return self.connection is not None and self.connection in _UNLIMITED

    def unlimit(self) -> None:
        """Take the time limit for statements off, until the connection goes back to the pool; outside of transactions.

        A thread that writes all day says so once, not in each transaction.
        """
        if not self.unlimited:
            self.connection.execute("SET statement_timeout = 0")
            _UNLIMITED.add(self.connection)

    def lend(self) -> "Connection[Any]":
        """A raw connection of the pool in autocommit, to be given to :meth:`take_back`."""
        pool = self.pool
        assert pool is not None
        if pool.closed:
            pool.open()
        return pool.getconn()

    def take_back(self, connection: "Connection[Any]") -> None:
        """The end of :meth:`lend`; one that broke is not used again."""
        pool = self.pool
        assert pool is not None
        pool.putconn(connection)


_UNLIMITED: "WeakSet[Connection[Any]]" = WeakSet()


def limit_again(connection: "Connection[Any]") -> None:
    """Set the time limit for statements back to the one that the connection was opened with."""
    if connection in _UNLIMITED:
        _UNLIMITED.discard(connection)
        connection.execute("RESET statement_timeout")


def check_connection(connection: "Connection[Any]") -> None:
    """Raise OperationalError where the server has ended a connection."""
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if socket.poll(0):
        # Nobody waits for an answer here, so it is a farewell, or news that any statement would read first.
        ConnectionPool.check_connection(connection)
