"""What is known of each stream at a glance, set right from its observations, a stream at a time, while others write."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from allmende.storage.committer import translated
from allmende.storage.connections import Connection, Connections, Engine
from allmende.storage.state import lock_streams, recount_state, write_states

STREAMS = 20
"""Streams looked at in one statement."""


class Recounted(NamedTuple):
    """How many streams were looked at, and the ids of those whose state was wrong."""

    streams: int
    mended: list[str]


class Recount:
    """Looks at all streams of one database.

    A state holds what its stream's observations add up to, since both are written in one transaction. Where the numbers
    differ in one and the same view of the database, the state is worked out anew, with the stream locked.
    """

    def __init__(
        self,
        connections: Connections,
        engine: Engine,
        *,
        looking: Callable[[], AbstractContextManager[Any]] | None = None,
        streams: int = STREAMS,
    ) -> None:
        """``looking`` gives connections to count with, which takes long: they should have no time limit, and keep
        nobody waiting."""
        self._connections = connections
        self._engine = engine
        self._looking = looking or connections.reading
        self._streams = streams

    def run(self, progress: Callable[[int], None] | None = None) -> Recounted:
        """Look at every stream once; ``progress`` gets how many were looked at so far."""
        mended: list[str] = []
        looked, last = 0, 0
        while True:
            with translated(self._engine), self._looking() as raw:
                rows = _counts(self._engine.wrap(raw), last, self._streams)
            if not rows:
                return Recounted(looked, mended)
            for key, said, counted in rows:
                if said != counted:
                    mended += self._mend(key)
            looked, last = looked + len(rows), rows[-1][0]
            if progress is not None:
                progress(looked)

    def _mend(self, key: int) -> list[str]:
        with translated(self._engine), self._connections.writing() as raw:
            return mend(self._engine.wrap(raw), key)


def _counts(connection: Connection, after: int, streams: int) -> list[tuple[int, int, int]]:
    """The next streams by their keys: what is said of their number of observations, and how many there are."""
    rows: list[tuple[int, int, int]] = connection.execute(
        "SELECT d.pk, coalesce(s.count, 0), (SELECT count(*) FROM observation o WHERE o.datastream = d.pk)"
        " FROM datastream d LEFT JOIN stream_state s ON s.datastream = d.pk WHERE d.pk > ? ORDER BY d.pk LIMIT ?",
        (after, streams),
    ).fetchall()
    return rows


def mend(connection: Connection, key: int) -> list[str]:
    """Work out the state of one stream, in the transaction that is open; gives its id if it was wrong, and is there."""
    names = []
    for stream in lock_streams(connection, [key]).values():
        # Counted again: it is locked now, and somebody else may have mended it meanwhile.
        counted = connection.execute("SELECT count(*) FROM observation WHERE datastream = ?", (key,)).fetchone()[0]
        if counted != stream.count:
            recount_state(connection, stream, counted - stream.count, (), walk=True)
            write_states(connection, [stream])
            names.append(stream.id)
    return names
