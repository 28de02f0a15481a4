"""The process that answers one question: reads a job from its input, writes the answer to its output, and ends.

It is started without an environment, as ``python -I``, by :mod:`allmende.knowledge.sql.run`. Before it looks at the
question it loads all that it will need, takes from itself what it will not (see :mod:`allmende.knowledge.sql.fence`),
and locks DuckDB: no file but those that the job names, no extension, no setting that can be changed. Nothing of the
house is imported here but this package.
"""

import os
import re
import sys
from typing import IO, Any

import duckdb
import msgspec

from allmende.knowledge.sql import fence
from allmende.knowledge.sql.job import READY, Answer, Column, Job, Trouble

_EXPLAIN = re.compile(r"\s*explain(?:\s+analyze)?(?:\s*\([\w\s,]*\))?\s", re.IGNORECASE)
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)
_BATCH = 500
_ENDS = 20
_ASKS = ("SELECT", "EXPLAIN")
_OPAQUE = ("query", "query_table", "json_execute_serialized_sql")
_WHOLE = {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"}
_BIG = {"hugeint", "uhugeint", "ubigint"}
_REAL = {"float", "double", "decimal"}
_NESTED = {"list", "array", "struct", "map", "union", "json", "variant"}
_INT64 = 2**63


def main() -> None:
    """Answer, or say why not. What kills this process is told by its end."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    fence.die_with(job.parent)
    # The answer alone: DuckDB draws a bar on the standard output once it has worked for two seconds.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        said: Answer | Trouble = _answer(job, out)
    except duckdb.Error as error:
        said = _trouble(error)
    except MemoryError:
        said = Trouble("memory")
    out.write(msgspec.json.encode(said))
    out.flush()
    os._exit(0)  # nothing is to be tidied up, and a damaged heap must not hold up the end


def _answer(job: Job, out: IO[bytes]) -> Answer | Trouble:
    connection = _connect(job)
    held = _fence(job)
    _lock(connection, job)
    out.write(READY)  # from now on the question's time counts
    out.flush()
    kind = _kind_of(connection, job.query)
    if kind not in _ASKS:
        return Trouble("statement", kind)
    try:
        answer = _explain(connection, job) if kind == "EXPLAIN" else _ask(connection, job)
    except duckdb.Error as error:
        return _trouble(error, 0 if kind == "EXPLAIN" else 1)
    answer.held, answer.tables = held, _tables_of(connection, job.query)
    return answer


def _connect(job: Job) -> Any:
    """DuckDB with what has to be said at its start; it looks at the machine then, and at no file."""
    limits = job.limits
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "1",  # further ones are started inside of the fence
            "memory_limit": f"{limits.memory}B",
            "temp_directory": job.folder,
            "max_temp_directory_size": f"{limits.temporary}B",
            "python_enable_replacements": "false",
            "python_scan_all_frames": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "enable_external_file_cache": "false",
        },
    )
    # modules that are loaded when a value of a kind comes first
    connection.execute("SELECT 1.5::DECIMAL(5, 2), DATE '2024-01-01', [1], uuid(), 1::HUGEINT, 'a'::BLOB").fetchmany(1)
    return connection


def _fence(job: Job) -> list[str]:
    """What the kernel holds from now on."""
    limits = job.limits
    fence.limit_resources(
        memory=limits.memory + limits.spare,
        seconds=limits.seconds * limits.threads + 1,
        file_bytes=limits.temporary,
        files=len(job.files) + 128,
    )
    held = [fence.RESOURCES]
    if fence.forbid_files(job.files, job.folder):
        held.append(fence.LANDLOCK)
    if fence.forbid_calls():
        held.append(fence.SECCOMP)
    return held


def _lock(connection: Any, job: Job) -> None:
    """The views of the job, and then nothing else.

    Values of settings and definitions of views take no parameters: quote() makes literals of what comes from the job,
    and allmende.knowledge.sql.views made the views' statements.
    """
    connection.execute(f"SET threads = {job.limits.threads:d}")
    connection.execute(f"SET TimeZone = {quote(job.zone)}")
    connection.execute("SET max_expression_depth = 250")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET allowed_paths = [{', '.join(map(quote, job.files))}]")
    connection.execute("SET enable_external_access = false")
    for statement in job.views:
        connection.execute(statement)
    connection.execute("SET lock_configuration = true")


def quote(text: str) -> str:
    """A literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def _kind_of(connection: Any, query: str) -> str:
    """The kind of the one statement, by DuckDB's own parser and not by the look of the text; ``none`` or ``many`` where
    there is not one."""
    found = connection.extract_statements(query)
    if len(found) != 1:
        return "many" if found else "none"
    kind = str(found[0].type).rpartition(".")[2]
    if kind == "EXPLAIN":
        # EXPLAIN ANALYZE does what it explains
        start = _EXPLAIN.match(query)
        inner = _kind_of(connection, query[start.end() :]) if start else kind
        return kind if inner == "SELECT" else f"{kind} {inner}"
    return kind


def _ask(connection: Any, job: Job) -> Answer:
    limits = job.limits
    inner = _without_end(connection, job.query)
    connection.execute(f"SELECT * FROM (\n{inner}\n) AS answer LIMIT 0")
    types = [each[1].id for each in connection.description]
    columns = [Column(name=each[0], kind=_plain_kind(each[1].id), type=str(each[1])) for each in connection.description]
    chosen = ", ".join(_plain(place, type_) for place, type_ in enumerate(types, 1))
    connection.execute(f"SELECT {chosen} FROM (\n{inner}\n) AS answer LIMIT {limits.rows + 1:d}")
    rows: list[bytes] = []
    size, cut = 0, ""
    while not cut and (batch := connection.fetchmany(_BATCH)):
        for row in batch:
            encoded = _encode(row, columns)
            size += len(encoded) + 1
            if len(rows) >= limits.rows or size > limits.bytes:
                cut = "rows" if len(rows) >= limits.rows else "bytes"
                break
            rows.append(encoded)
    return Answer(columns=columns, rows=msgspec.Raw(b"[" + b",".join(rows) + b"]"), count=len(rows), cut=cut)


def _explain(connection: Any, job: Job) -> Answer:
    """The plan, which DuckDB gives as rows of two texts."""
    rows = connection.execute(job.query).fetchmany(job.limits.rows)
    encoded = msgspec.json.encode([[str(value) for value in row] for row in rows])
    columns = [Column(name=name, kind="text", type="VARCHAR") for name in ("explain_key", "explain_value")]
    if len(encoded) > job.limits.bytes:
        return Answer(columns=columns, rows=msgspec.Raw(b"[]"), count=0, cut="bytes")
    return Answer(columns=columns, rows=msgspec.Raw(encoded), count=len(rows))


def _without_end(connection: Any, query: str) -> str:
    """The statement without a semicolon at its end, behind which comments may stand: it goes into brackets."""
    end = len(query)
    for _ in range(_ENDS):
        end = query.rfind(";", 0, end)
        if end < 0:
            break
        try:
            if len(connection.extract_statements(query[:end])) == 1 and not connection.extract_statements(
                query[end + 1 :]
            ):
                return _without_end(connection, query[:end])
        except duckdb.ParserException:
            continue  # it stands in a comment or a text
    return query


def _tables_of(connection: Any, query: str) -> list[str] | None:
    """Names of the tables that a question names; None where its parser does not say, or where it makes names itself."""
    start = _EXPLAIN.match(query)
    rows = connection.execute("SELECT json_serialize_sql($1)", [query[start.end() :] if start else query]).fetchall()
    said = msgspec.json.decode(rows[0][0])
    if said.get("error"):
        return None
    names: set[str] = set()
    waiting = [said]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
            if str(each.get("function_name", "")).lower() in _OPAQUE:
                return None
            names.update(str(each[key]) for key in ("table_name", "table") if isinstance(each.get(key), str))
    return sorted(names - {""})


def _plain_kind(type_: str) -> str:
    if type_ in _WHOLE:
        return "integer"
    if type_ in _BIG:
        return "big"
    if type_ in _REAL:
        return "number"
    if type_ in _NESTED:
        return "json"
    return {"boolean": "boolean", "timestamp with time zone": "instant"}.get(type_, "text")


def _plain(place: int, type_: str) -> str:
    """A column as what JSON can say: by its place, since names may be double."""
    kind = _plain_kind(type_)
    if kind == "instant":
        return f"CASE WHEN isfinite(#{place}) THEN epoch_us(#{place}) END"
    if kind == "number":
        return f"CAST(#{place} AS DOUBLE)"
    if kind == "json":
        return f"CAST(to_json(#{place}) AS VARCHAR)"
    if type_.startswith("geometry"):
        return f"CAST(ST_AsGeoJSON(#{place}) AS VARCHAR)"
    return f"#{place}" if kind != "text" else f"CAST(#{place} AS VARCHAR)"


def _encode(row: tuple[Any, ...], columns: list[Column]) -> bytes:
    """A whole number beyond 64 bits becomes text; what is no number in JSON (NaN, infinite) null."""
    values = [
        str(value) if column.kind == "big" and value is not None and not -_INT64 <= value < _INT64 else value
        for value, column in zip(row, columns, strict=True)
    ]
    return msgspec.json.encode(values)


def _trouble(error: duckdb.Error, lines: int = 0) -> Trouble:
    """In DuckDB's words, which tell of a line; ``lines`` stood before the question."""
    full = isinstance(error, duckdb.IOException) and "write" in str(error)  # of what is put aside; nothing else is
    if full or isinstance(error, duckdb.OutOfMemoryException):
        return Trouble("memory")
    if isinstance(error, duckdb.InternalException | duckdb.FatalException | duckdb.IOException):
        return Trouble("fault", type(error).__name__)
    words = _LINE.sub(lambda found: f"LINE {int(found[1]) - lines}:", str(error))
    return Trouble("query", words[:4_000])
