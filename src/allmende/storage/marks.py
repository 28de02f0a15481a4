"""Marks: see :mod:`allmende.domain.marks`."""

from allmende.domain.marks import Mark
from allmende.storage.connections import Connection


def put(connection: Connection, mark: Mark) -> None:
    """Write one, and forget those that it says."""
    connection.execute("DELETE FROM mark WHERE name = ? AND number < ?", (mark.name, mark.forget))
    connection.execute(
        "INSERT INTO mark (name, number, body) VALUES (?, ?, ?)"
        " ON CONFLICT (name, number) DO UPDATE SET body = excluded.body",
        (mark.name, mark.number, mark.body),
    )


def read(connection: Connection, name: str) -> list[Mark]:
    """Those of a name, in order."""
    rows = connection.execute("SELECT number, body FROM mark WHERE name = ? ORDER BY number", (name,))
    return [Mark(name=name, number=number, body=bytes(body)) for number, body in rows]
