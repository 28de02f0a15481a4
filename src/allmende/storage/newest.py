"""The newest reading of each of many streams, by what is known of each stream at a glance (``stream_state``).

Two questions lead here: the standard's ``$expand=Observations($orderby=phenomenonTime desc;$top=1)``, one look-up by
key for each stream instead of a walk that has to look into every partition; and ``Datastreams/latest``, which does not
read observations at all.
"""

from collections.abc import Sequence
from typing import Any

from allmende.domain.aggregation import Column, Table
from allmende.domain.model import STREAMS
from allmende.domain.query import Expand, Order, Path, Query
from allmende.storage.compile import behind, columns_of, conditions_of, order_by, sort_keys
from allmende.storage.connections import Connection, Dialect
from allmende.storage.relations import JOINS
from allmende.storage.sql import Scope, Sql, all_of, sql_join
from allmende.storage.values import decode_number

_NEWEST_FIRST = (Order(Path(("phenomenonTime",)), True),)
_COLUMNS = (
    Column(("Thing", "id"), "id"),
    Column(("phenomenonTime",), "instant"),
    Column(("result",), "result"),
    Column(("resultQuality",), "json"),
)


def asks_newest(parent: str, expand: Expand) -> bool:
    """Whether an expansion asks for the newest observation of each stream and nothing else."""
    query = expand.query
    return (
        parent in STREAMS
        and expand.relation == "Observations"
        and (query.top, query.skip, query.filter, query.after) == (1, 0, None, None)
        and len(query.order) == 1
        and query.order[0].descending
        and isinstance(query.order[0].path, Path)
        and query.order[0].path.parts == ("phenomenonTime",)
    )


def find_newest_of_each(connection: Connection, expand: Expand, streams: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows as the expansion's own statement gives them: the stream, the columns, the sort keys.

    One row for a stream with one observation, the same row twice where there are more: so the page knows that it goes
    on, as it does by one row too many.
    """
    sql = compile_newest(expand, streams, connection.dialect)
    return [row[:-1] for row in connection.execute(sql.text, sql.params) for _ in range(min(row[-1], 2))]


def compile_newest(expand: Expand, streams: Sequence[Any], dialect: Dialect) -> Sql:
    """The statement for the newest observations of streams, with the number of all of them at the end."""
    query = expand.query
    scope = Scope("Observation", query.reader, dialect, simulated=query.simulated)
    alias = scope.alias
    keys = [key.sql for key in sort_keys(scope, query, ("Datastream", JOINS["Datastream", "Observations"], "s"))]
    key = f"{alias}.datastream = s.datastream AND {alias}.phenomenon_start = s.latest_start"
    rules = [Sql(f"{key} AND {alias}.disc = s.latest_disc"), *conditions_of(scope, query)]
    marks = Sql(f"s.datastream IN ({', '.join('?' * len(streams))})", tuple(streams))
    wanted = sql_join(", ", [columns_of(query, scope), *keys])
    if dialect.lateral:
        # LIMIT holds the planner to looking up each key; it would else read all observations of a small house.
        inner = "SELECT " + wanted + " FROM " + scope.tables() + " WHERE " + all_of(rules) + " LIMIT 1"
        return (
            "SELECT s.datastream, x.*, s.count FROM stream_state s CROSS JOIN LATERAL (" + inner + ") x WHERE " + marks
        )
    tables = "stream_state s CROSS JOIN " + scope.tables()
    return "SELECT s.datastream, " + wanted + ", s.count FROM " + tables + " WHERE " + marks + " AND " + all_of(rules)


def find_latest(connection: Connection, query: Query) -> Table:
    """The newest reading of the streams that a question leads to, in its order; streams without one are absent."""
    scope = Scope(query.entity, query.reader, connection.dialect, simulated=query.simulated)
    rules = conditions_of(scope, query)
    thing = scope.to_one(query.entity, scope.alias, "Thing")
    keys = sort_keys(scope, query)
    source = " FROM " + scope.tables() + f" JOIN stream_state s ON s.datastream = {scope.alias}.pk WHERE "
    total = "SELECT count(*)" + source + all_of(rules)
    if query.after is not None:
        rules = [*rules, behind(keys, query.after)]
    taken = f"{scope.alias}.id, {thing}.id, s.latest_start, s.latest_kind, s.latest_result, s.latest_quality"
    sql = "SELECT " + sql_join(", ", [Sql(taken), *(key.sql for key in keys)]) + source + all_of(rules) + order_by(keys)
    sql = sql + Sql(" LIMIT ? OFFSET ?", (query.top + 1, query.skip))
    rows = connection.execute(sql.text, sql.params).fetchall()
    columns = (Column((query.entity, "id"), "id"), *_COLUMNS)
    table = Table(columns=columns, rows=[_row(row) for row in rows[: query.top]])
    if len(rows) > query.top:
        table.next = tuple(rows[query.top - 1][6:]) if query.top else None
    if query.count:
        table.count = connection.execute(total.text, total.params).fetchone()[0]
    return table


def _row(row: Sequence[Any]) -> tuple[Any, ...]:
    stream, thing, start, kind, value, quality = row[:6]
    return stream, thing, start, (kind, decode_number(kind, value) if isinstance(value, str) else value), quality
