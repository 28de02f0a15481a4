"""Hostile questions: nothing is read but the files of open data, nothing is written, nothing is left running, and the
next question is answered."""

import ctypes
import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from allmende.knowledge.sql import child, fence
from allmende.knowledge.sql import run as running
from allmende.knowledge.sql.job import Answer, Job, Trouble
from allmende.knowledge.sql.views import OpenData, files_of, views
from tests.knowledge.sql.conftest import LIMITS, Ask

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's fences are Linux's")

NOT_ASKED = (
    "COPY (SELECT 1) TO '{place}/x.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{place}/x.csv'",
    "EXPLAIN/**/ANALYZE COPY (SELECT 1) TO '{place}/x.csv'",
    "SELECT 1; COPY (SELECT 1) TO '{place}/x.csv'",
    "ATTACH '{place}/x.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "SET lock_configuration = false",
    "CREATE TABLE x AS SELECT 1",
    "WITH a AS (SELECT 1) DELETE FROM trees",
    "DROP VIEW trees",
    "PREPARE a AS SELECT 1",
    "CALL pragma_version()",
    "EXPORT DATABASE '{place}'",
    "-- nothing",
    "SELECT 1 -- \0; SELECT 2\n; SELECT 3",
)
REFUSED = (
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('/proc/self/environ')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM glob('/etc/*')",
    "FROM '/etc/passwd'",
    "FROM read_parquet('{folder}/secret/2024-03.parquet')",
    "FROM read_parquet('{folder}/trees/../secret/2024-03.parquet')",
    "FROM read_parquet('{folder}/*/2024-03.parquet')",
    "FROM parquet_metadata('{folder}/secret/2024-03.parquet')",
    "FROM read_csv('http://127.0.0.1:1/x')",
    "FROM read_parquet('s3://bucket/x')",
    "SELECT getenv('HOME')",
    "FROM query('COPY (SELECT 1) TO ''{place}/x.csv''')",
    "SELECT * FROM job, limits",
    "FROM enable_logging('QueryLog', storage = 'file', storage_path = '{place}')",
    "FROM enable_profiling(save_location = '{place}/x')",
    "FROM read_duckdb('{place}/x.db', table_name = 'x')",
    "FROM arrow_scan(1, 1, 1)",
    "FROM pandas_scan(1)",
    "SELECT $1",
)
BREAKS_OUT = "SELECT 1) AS a; COPY (SELECT 1) TO '{place}/x.csv'; SELECT * FROM (SELECT 1"
"""Out of the brackets into which a question goes."""
TOO_MUCH = {
    "SELECT repeat('x', 2000000000)": "memory",
    "SELECT list_sort(range(100000000))": "memory",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)": "memory",
    "SELECT " + "(" * 100_000 + "1" + ")" * 100_000: "",
    "SELECT 1" + " + 1" * 50_000: "query",
    "SELECT " + "[" * 5_000 + "1" + "]" * 5_000: "",
    "SELECT count(*) FROM (FROM range(60000000) ORDER BY hash(range) OFFSET 59999999)": "memory",
}


@pytest.fixture(scope="module")
def locked(data: list[OpenData], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """DuckDB as the process locks it, here and without the kernel's fences: each lock is tried by itself."""
    job = Job(
        query="", views=[each.statement for each in views(data)], files=files_of(data), zone="Europe/Berlin",
        folder=str(tmp_path_factory.mktemp("aside")), limits=LIMITS, parent=0,
    )  # fmt: skip
    connection = child._connect(job)
    child._lock(connection, job)
    yield connection
    connection.close()


@pytest.mark.parametrize("query", NOT_ASKED)
def test_what_does_not_ask_is_known_by_its_kind(locked: Any, query: str) -> None:
    try:
        kind = child._kind_of(locked, query)
    except duckdb.ParserException:
        return
    assert kind not in child._ASKS


@pytest.mark.parametrize("query", REFUSED)
def test_duckdb_reaches_nothing_else(locked: Any, folder: Path, tmp_path: Path, query: str) -> None:
    query = query.replace("{place}", str(tmp_path)).replace("{folder}", str(folder))
    with pytest.raises(duckdb.Error) as caught:
        locked.execute(query).fetchmany(1)
    assert "root:" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", [NOT_ASKED[2], NOT_ASKED[3], REFUSED[0], REFUSED[7], BREAKS_OUT])
def test_the_process_does_not_either(ask: Ask, folder: Path, tmp_path: Path, query: str) -> None:
    said = ask(query.replace("{place}", str(tmp_path)).replace("{folder}", str(folder)))
    assert isinstance(said, Trouble)
    assert said.kind in ("statement", "query")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("query", "kind"), TOO_MUCH.items(), ids=range(len(TOO_MUCH)))
def test_too_much_ends_one_process_and_nothing_else(ask: Ask, tmp_path: Path, query: str, kind: str) -> None:
    said = ask(query, memory=128 << 20, temporary=8 << 20)
    assert isinstance(said, Trouble)
    assert not kind or said.kind == kind
    assert list(tmp_path.iterdir()) == []


def children() -> set[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    )
    return {int(line.split()[0]) for line in found.stdout.splitlines() if "knowledge.sql" in line}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c",
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t",
    ],
)
def test_without_end_is_ended_at_its_deadline(ask: Ask, query: str) -> None:
    assert ask(query, seconds=0.5) == Trouble("time")
    assert children() == set()
    assert isinstance(ask("SELECT 1"), Answer)


def start(query: str, data: list[OpenData], tmp_path: Path, parent: int) -> "subprocess.Popen[bytes]":
    """The process by itself."""
    job = Job(
        query=query, views=[], files=files_of(data), folder=str(tmp_path), zone="UTC", limits=LIMITS, parent=parent
    )
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", running._START, running._SOURCE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={},
    )  # fmt: skip
    process.stdin.write(msgspec.json.encode(job))
    process.stdin.close()
    return process


def test_whoever_loses_its_house_ends(data: list[OpenData], tmp_path: Path) -> None:
    process = start("SELECT 1", data, tmp_path, parent=1)
    assert process.wait(30) == 1
    assert process.stdout.read() == b""
    process.stdout.close()


@LINUX
def test_it_dies_with_who_waits_for_it(data: list[OpenData], tmp_path: Path) -> None:
    """The one that waits is killed, as by ``kill -9``, while its question runs."""
    code = (
        "import sys; from pathlib import Path; from allmende.knowledge.sql.run import run;"
        "from allmende.knowledge.sql.job import Limits;"
        "run('SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c', views=[], files=[], zone='UTC',"
        f"limits=Limits(seconds=60, memory=1<<28, temporary=0, rows=1, bytes=1000), folder=Path({str(tmp_path)!r}))"
    )
    waiting = subprocess.Popen([sys.executable, "-c", code])

    def running_children() -> list[str]:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(waiting.pid)], capture_output=True, text=True, check=False
        )
        return found.stdout.split()

    while not (begun := running_children()):
        time.sleep(0.05)
    waiting.kill()
    waiting.wait()
    for _ in range(200):
        if not Path(f"/proc/{begun[0]}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{begun[0]}").exists()


ESCAPES = {
    "open('/etc/passwd').read()": PermissionError,
    "open(PLACE + '/../outside', 'w')": PermissionError,
    "open(FILE, 'ab')": PermissionError,
    "os.listdir('/')": PermissionError,
    "socket.socket()": PermissionError,
    "os.fork()": PermissionError,
    "os.execv('/bin/true', ['true'])": PermissionError,
    "os.kill(os.getppid(), 0)": PermissionError,
    "os.setpriority(os.PRIO_PROCESS, 0, 1)": PermissionError,
    "resource.prlimit(os.getppid(), resource.RLIMIT_CORE)": PermissionError,
    "os.chmod(FILE, 0o777)": PermissionError,
    "bytearray(1 << 30)": MemoryError,
    "resource.getrlimit(resource.RLIMIT_CORE)": None,
    "open(FILE, 'rb').read(4) == b'PAR1' or 1 / 0": None,
    "open(PLACE + '/aside', 'w').close()": None,
    "threading.Thread(target=print).start()": None,
}


@LINUX
def test_a_kernel_without_fences_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest holds, and the answer tells which."""

    def missing(*_: object) -> int:
        ctypes.set_errno(errno.ENOSYS)
        return -1

    monkeypatch.setattr(fence, "_syscall", missing)
    monkeypatch.setattr(fence, "_call", lambda *_: 0)
    assert not fence.forbid_files(["/etc/passwd"], "")
    assert not fence.forbid_calls()


@LINUX
def test_the_kernel_holds_where_duckdb_would_not(data: list[OpenData], tmp_path: Path) -> None:
    """Not SQL but Python behind the same fence: as if a question had taken the process over."""
    aside = tmp_path / "aside"
    aside.mkdir()
    [file, *_] = files_of(data)
    code = f"""
import os, resource, socket, threading
from allmende.knowledge.sql import fence
PLACE, FILE = {str(aside)!r}, {file!r}
fence.limit_resources(memory=64 << 20, seconds=10, file_bytes=1000, files=64)
held = fence.forbid_files([FILE], PLACE), fence.forbid_calls()
found = [held]
for attempt in {list(ESCAPES)!r}:
    try:
        eval(attempt)
        found.append(None)
    except BaseException as error:
        found.append(type(error).__name__)
print(found)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    (files, calls), *found = eval(done.stdout)
    if not (files and calls):
        pytest.skip("this kernel has no Landlock, or this machine's calls are not known")
    assert dict(zip(ESCAPES, found, strict=True)) == {
        attempt: error and error.__name__ for attempt, error in ESCAPES.items()
    }
