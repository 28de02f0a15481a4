"""Bare SQL for the buckets of a chart: in the asking process by the engine's driver, and the same served by HTTP.

The stream's key is known and nobody's rights are looked at. Where the house gives readings themselves, so does this.
The web server is the house's, with as many processes and threads; nothing stands before the SQL. Each statement is
prepared once for a connection, as the house's are, and SQLite's cache and mapped memory are the house's.
"""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from benchmarks.served.house import House
from benchmarks.start_up import free_ports

Ask = Callable[[int, int, int], bytes]
"""Number of a stream, start and end in microseconds; gives JSON."""
_FILE, _ADDRESS, _SAID = "BENCH_BARE_FILE", "BENCH_BARE_ADDRESS", "BENCH_BARE_SAID"


def asker(file: str, address: str, zone: str, step: int, points: int) -> Ask:
    """On a connection of its own, to SQLite's ``file`` or by a PostgreSQL ``address``. A stream has a reading each
    ``step``; no answer has more than about ``points`` buckets."""
    from allmende.knowledge.series.grid import choose_width, make_grid

    connection, mark, value = _connect(file, address)
    keys = dict(connection.execute("SELECT id, pk FROM datastream").fetchall())
    walk = f"FROM observation WHERE datastream = {mark} AND phenomenon_start >= {mark} AND phenomenon_start < {mark}"
    few = f"SELECT phenomenon_start, {value} {walk} ORDER BY phenomenon_start"
    many = (
        f"SELECT (phenomenon_start - {mark}) / {mark} AS b, min({value}), max({value}), avg({value}), count(*) {walk}"
        " GROUP BY b ORDER BY b"
    ).replace(mark, f"CAST({mark} AS bigint)", 2)

    def ask(stream: int, start: int, end: int) -> bytes:
        key = keys[f"s{stream}"]
        if (end - start) // step <= points:
            return msgspec.json.encode([tuple(row) for row in connection.execute(few, (key, start, end)).fetchall()])
        rows: list[Any] = []
        # one span, but where the clock was put forward or back in it
        for span in make_grid(start, end, choose_width(end - start, points), zone).spans:
            rows += connection.execute(many, (span.first, span.width, key, span.start, span.end)).fetchall()
        return msgspec.json.encode([tuple(row) for row in rows])

    return ask


def _connect(file: str, address: str) -> tuple[Any, str, str]:
    if address:
        import psycopg

        return psycopg.connect(address, autocommit=True), "%s", "result_number"
    from allmende.web.sqlite.base import PRAGMAS

    connection = sqlite3.connect(file)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection, "?", "result"


def here(house: House, zone: str, step: int, points: int) -> Ask:
    """Asks in this process."""
    return asker(*_places(house), zone, step, points)


def _places(house: House) -> tuple[str, str]:
    if house.database is not None:
        return "", house.database.address
    return str(next(house.home.glob("*.sqlite3"))), ""


@contextmanager
def served(house: House, zone: str, step: int, points: int) -> Iterator[House]:
    """The same by HTTP: ``/?stream=7&start=…&end=…``. It answers like a house, and has the house's processor time."""
    (port,) = free_ports(1)
    file, address = _places(house)
    said = {_FILE: file, _ADDRESS: address, _SAID: json.dumps([zone, step, points])}
    environ = {**house.environ, **said, "PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.served.bare"], env=environ)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process)
        yield house._replace(url=url, pid=process.pid, environ=environ)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/?stream=0&start=0&end=1", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("bare SQL is not served")


_mine = threading.local()


def app(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]) -> Iterable[bytes]:
    """WSGI."""
    if not hasattr(_mine, "ask"):
        _mine.ask = asker(os.environ[_FILE], os.environ[_ADDRESS], *json.loads(os.environ[_SAID]))
    said = dict(parse_qsl(environ["QUERY_STRING"]))
    body: bytes = _mine.ask(int(said["stream"]), int(said["start"]), int(said["end"]))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    from granian.constants import Interfaces
    from granian.server import Server

    from allmende.web.config import load_config

    config = load_config()
    Server(
        "benchmarks.served.bare:app", address="127.0.0.1", port=int(os.environ["PORT"]), interface=Interfaces.WSGI,
        workers=config.web_processes, blocking_threads=config.web_threads, websockets=False, log_enabled=False,
    ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
