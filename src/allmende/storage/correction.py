"""Changing an observation: a correction of one stream, or a move from one to another."""

from typing import Any

from msgspec import structs

from allmende.domain.batch import Amendment
from allmende.domain.bounds import check_fit
from allmende.domain.creation import keep_row
from allmende.domain.errors import ChangedMeanwhile, NotFound
from allmende.domain.model import STREAMS
from allmende.domain.query import ResultKind
from allmende.storage.connections import OBSERVATION, Connection
from allmende.storage.entities import check_writable, origin_key
from allmende.storage.find import find_one
from allmende.storage.readings import is_range_flag, judged_quality, keep_document, log_change
from allmende.storage.removal import Doomed, forget_observations
from allmende.storage.schema import COLUMNS
from allmende.storage.state import Stream, at_the_end, lock_streams, recount_state, write_states
from allmende.storage.values import decode_number

_KEPT = tuple(f"o.{column}" for column in OBSERVATION if column not in ("result_kind", "result"))


def change_observation(connection: Connection, amendment: Amendment, number: int, linked: dict[str, list[int]]) -> None:
    """A correction: the row is written anew, what it said is kept."""
    there = connection.execute("SELECT datastream FROM observation WHERE id = ?", (number,)).fetchone()
    if there is None:
        raise NotFound("there is nothing here any more")
    old_stream = int(there[0])
    new_stream = next((key for name in STREAMS for key in linked.get(name, ())), old_stream)
    streams = lock_streams(connection, [old_stream, new_stream])
    find_one(connection, amendment.target, amendment.seen)
    if {old_stream, new_stream} - streams.keys():
        raise ChangedMeanwhile("the Datastream was deleted at the same moment")
    kept = connection.execute(f"SELECT {', '.join(_KEPT)} FROM observation o WHERE o.id = ?", (number,)).fetchone()
    if kept is None:
        raise NotFound("there is nothing here any more")
    old = dict(zip((name.removeprefix("o.") for name in _KEPT), kept, strict=True))
    if old["datastream"] != old_stream:
        raise ChangedMeanwhile("somebody else moved this at the same moment")
    new = {**old, **_columns(amendment, linked), "datastream": new_stream, "received_at": amendment.received_at}
    new["origin"] = origin_key(connection, amendment.origin, "")
    if (new["datastream"], new["phenomenon_start"]) != (old["datastream"], old["phenomenon_start"]):
        # At its new time there may be a declared reading already, and its source's next one is none of this.
        new["disc"] = number
    source, target = streams[old_stream], streams[new_stream]
    for stream in (source, target):
        check_writable(connection, stream.dataset, amendment.target.reader, "Datastream")
    if not amendment.values and not linked:
        return
    if "result" in amendment.values or source.pk != target.pk:
        result = amendment.values.get("result") or _result_of(connection, number)
        amendment = _fitting(amendment, source, target, result)
        kind, value = amendment.values.get("result", result)
        check_fit(target.observation_type, kind, value, "result")
        if is_range_flag(new["quality"]):
            new["quality"] = judged_quality(target, result, None)
    new["change"] = _log(connection, amendment, source, target, old, new)
    _keep_history(connection, old, new)
    _write(connection, amendment, old, new)
    _restate(connection, source, target, old, new)


def _result_of(connection: Connection, number: int) -> tuple[int, Any]:
    """The result that is kept, in kept form."""
    kind, value = connection.execute(
        f"SELECT o.result_kind, {connection.dialect.result('o')} FROM observation o WHERE o.id = ?", (number,)
    ).fetchone()
    return kind, decode_number(kind, value)


def _fitting(amendment: Amendment, source: Stream, target: Stream, result: tuple[int, Any]) -> Amendment:
    """The change with a result as its stream takes it: a MultiDatastream's are lists of one length."""
    if not source.width and not target.width:
        return amendment
    kept = min(result[0], ResultKind.JSON), result[1]
    fitting = keep_row(result, target.width, "result") if target.width else kept
    return structs.replace(amendment, values={**amendment.values, "result": fitting})


def _columns(amendment: Amendment, linked: dict[str, list[int]]) -> dict[str, Any]:
    """What the change says, by column, but the result."""
    columns: dict[str, Any] = {}
    for name, value in amendment.values.items():
        if name == "phenomenonTime":
            columns["phenomenon_start"], columns["phenomenon_end"] = value
        elif name == "validTime":
            columns["valid_start"], columns["valid_end"] = value or (None, None)
        elif name != "result":
            columns[COLUMNS["Observation"][name]] = value
    if "FeatureOfInterest" in linked:
        columns["feature"] = next(iter(linked["FeatureOfInterest"]), None)
    return columns


def _log(
    connection: Connection,
    amendment: Amendment,
    source: Stream,
    target: Stream,
    old: dict[str, Any],
    new: dict[str, Any],
) -> int:
    before, after, at = old["phenomenon_start"], new["phenomenon_start"], amendment.received_at
    if source.pk == target.pk:
        first, last = min(before, after), max(before, after)
        return log_change(connection, source, "correction", first, last, 1, new["origin"], at)
    log_change(connection, source, "deletion", before, before, 1, new["origin"], at)
    return log_change(connection, target, "append", after, after, 1, new["origin"], at)


def _keep_history(connection: Connection, old: dict[str, Any], new: dict[str, Any]) -> None:
    connection.execute(
        "INSERT INTO observation_history (datastream, phenomenon_start, disc, id, result_kind, result, quality,"
        " received_at, origin, change, replaced_at, replaced_by)"
        f" SELECT o.datastream, o.phenomenon_start, o.disc, o.id, o.result_kind, {connection.dialect.result('o')},"
        " o.quality, o.received_at, o.origin, o.change, ?, ? FROM observation o WHERE o.id = ?",
        (new["received_at"], new["change"], old["id"]),
    )


def _write(connection: Connection, amendment: Amendment, old: dict[str, Any], new: dict[str, Any]) -> None:
    assignments = [f"{name} = ?" for name in new]
    values: list[Any] = list(new.values())
    if "result" in amendment.values:
        kind, value = amendment.values["result"]
        connection.execute("DELETE FROM observation_document WHERE id = ?", (old["id"],))
        if kind >= ResultKind.JSON:
            value = keep_document(connection, old["id"], value)
        text, parameters = connection.dialect.set_result(kind, value)
        assignments += ["result_kind = ?", text]
        values += [kind, *parameters]
    key = ("datastream", "phenomenon_start", "disc")
    connection.execute(
        f"UPDATE observation SET {', '.join(assignments)} WHERE {' AND '.join(f'{name} = ?' for name in key)}",
        (*values, *(old[name] for name in key)),
    )


def _restate(connection: Connection, source: Stream, target: Stream, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Both streams' states, from what is kept now."""
    gone = Doomed(*(old[name] for name in _DOOMED))
    if new["feature"] is not None:
        target.features.add(new["feature"])
    if source.pk != target.pk:
        forget_observations(connection, source, [gone])
        recount_state(connection, target, 1, (), walk=True)
    else:
        walk = any(at_the_end(source, _end(row), row["result_time"]) for row in (old, new))
        changed = [] if old["feature"] in (None, new["feature"]) else [old["feature"]]
        recount_state(connection, source, 0, changed, walk=walk)
    write_states(connection, {source.pk: source, target.pk: target}.values())


_DOOMED = ("datastream", "phenomenon_start", "disc", "id", "phenomenon_end", "result_time", "feature")


def _end(row: dict[str, Any]) -> int:
    end: int = row["phenomenon_start"] if row["phenomenon_end"] is None else row["phenomenon_end"]
    return end
