"""Which stream an observation belongs to, for formats that put those of one stream together."""

import msgspec

from allmende.domain.model import ENTITIES, Relation
from allmende.domain.query import Expand, Query


def stream_relations() -> list[Relation]:
    """The relations by which an observation belongs to a stream; it has one of them."""
    relations = ENTITIES["Observation"].relations
    return [r for r in relations if not r.many and r.target.endswith("Datastream")]


def with_streams(query: Query) -> Query:
    """The same question, bringing along the ids of the streams, where its path does not name the one stream."""
    if stream_of_path(query) is not None:
        return query
    expands = (
        Expand(relation=r.name, query=Query(entity=r.target, reader=query.reader, select=("id",), top=1))
        for r in stream_relations()
    )
    return msgspec.structs.replace(query, expand=tuple(expands))


def stream_of_path(query: Query) -> tuple[str, str] | None:
    """Relation and id of the one stream that the path names."""
    last = query.path[-1] if query.path else None
    if last is None or last.id is None:
        return None
    names = [r.name for r in stream_relations() if r.target == last.entity]
    return (names[0], last.id) if names else None
