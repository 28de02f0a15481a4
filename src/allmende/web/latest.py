"""A stream's latest reading, for those who find it retained on its topic."""

from collections.abc import Iterator
from typing import Any

from allmende.domain.model import STREAMS
from allmende.domain.policy import Reader
from allmende.domain.query import Expand, Order, Path, Query, Step
from allmende.domain.store import Store

_NEWEST = (Order(Path(("phenomenonTime",)), descending=True),)
_MOST = 500


def latest_reading(store: Store, reader: Reader, stream: tuple[str, str]) -> list[tuple[Any, ...]]:
    """The row of a stream's (by its type and id) newest reading that the reader may see, or nothing."""
    path = (Step(*stream, "Observations"),)
    return store.find(Query(entity="Observation", reader=reader, path=path, order=_NEWEST, top=1)).rows


def latest_readings(store: Store, reader: Reader) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """(id, type, row) of every stream that has one."""
    for entity in STREAMS:
        yield from _latest_of(store, reader, entity)


def _latest_of(store: Store, reader: Reader, entity: str) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    newest = Expand(relation="Observations", query=Query(entity="Observation", reader=reader, order=_NEWEST, top=1))
    after = None
    while True:
        streams = Query(entity=entity, reader=reader, select=("id",), expand=(newest,), top=_MOST, after=after)
        page = store.find(streams)
        for row in page.rows:
            for reading in page.expanded["Observations"][row[0]].rows:
                yield str(row[1]), entity, reading
        if page.next is None:
            return
        after = page.next
