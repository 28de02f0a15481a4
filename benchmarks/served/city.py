"""A worker of Jena's house, with a broker and a database of its own: what comes through, and how far behind."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg
from tests.mosquitto import Mosquitto

from benchmarks.served.house import used_seconds
from benchmarks.served.sender import prepare
from benchmarks.served.traffic import Message, set_ups

UNANSWERED = 1000
"""``max_inflight_messages`` of the broker, as docs/reference/mqtt.md advises for a city."""
SOURCES = ("chirpstack", "ilsa", "miv", "traficam")
_COUNTS = (
    "SELECT coalesce(sum(accepted), 0), coalesce(sum(repeated), 0), coalesce(sum(corrected), 0),"
    f" coalesce(sum(rejected), 0) FROM source_state WHERE id IN {SOURCES}"
)
_BEHIND = (
    "SELECT f.name, (SELECT min(c.received_at) FROM change_log c WHERE c.number ="
    " (SELECT min(n.number) FROM change_log n WHERE n.number > f.number)) FROM follower f WHERE f.name IN"
    " ('mqtt', 'rules')"
)
_READY_SECONDS = 60.0


class Counts(NamedTuple):
    """Readings, as the sources' own counts have them."""

    accepted: int
    repeated: int
    corrected: int
    rejected: int

    @property
    def read(self) -> int:
        """All of them."""
        return sum(self)


class City:
    """Its worker is started and killed at will; everything is ended and removed by :meth:`close`."""

    def __init__(self, postgres: str = "", database_pid: int = 0) -> None:
        """``postgres``: the address of an empty database; SQLite without."""
        self.home = Path(tempfile.mkdtemp(prefix="allmende-traffic-"))
        self.postgres = postgres
        self._database_pid = database_pid
        self.broker = Mosquitto(self.home / "broker", unanswered=UNANSWERED, careful=False).start()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ALLMENDE_", "PROMETHEUS"))}
        self.environ = {
            **kept,
            "ALLMENDE_HOME": str(self.home),
            "ALLMENDE_CITY": "jena",
            "ALLMENDE_BROKER_URL": self.broker.url,
            "ALLMENDE_LOG_FORMAT": "json",
            "ALLMENDE_DISK_FLOOR": "0",
        }
        if postgres:
            self.environ["ALLMENDE_DATABASE_URL"] = postgres
        self._run("init", "--city", "jena")
        self.worker: subprocess.Popen[bytes] | None = None
        self._sender: subprocess.Popen[str] | None = None
        self._asking: Any = None

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "allmende", *arguments]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True).stdout

    @property
    def log(self) -> str:
        """What the worker said."""
        return (self.home / "worker.log").read_text("utf-8", "replace")

    def start_worker(self) -> None:
        """Start it, and wait until the broker has its subscription."""
        path = self.home / "worker.log"
        with path.open("ab") as log:
            begun = log.tell()
            command = [sys.executable, "-m", "allmende", "worker"]
            self.worker = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        until = time.monotonic() + _READY_SECONDS
        while b"listening to the broker" not in path.read_bytes()[begun:]:
            if self.worker.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the worker does not listen: {self.log[-2000:]}")
            time.sleep(0.05)

    def kill_worker(self) -> None:
        """As a power cut would."""
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait()

    def set_up(self, now: int) -> None:
        """Tell what brokers hold of signal installations, and wait until it is known."""
        messages = list(set_ups(now))
        self.send(messages, 1e6).wait()
        until = time.monotonic() + _READY_SECONDS
        while not self.ask("SELECT count(*) FROM thing WHERE id LIKE 'K9%'")[0][0] >= len(messages):
            if time.monotonic() > until:
                raise RuntimeError("the installations did not become known")
            time.sleep(0.1)

    def send(self, messages: Iterable[Message], speed: float) -> "Sending":
        """Begin to send messages, each when its time has come."""
        folder = self.home / "sender"
        folder.mkdir(exist_ok=True)
        known: list[Message] = []

        def note() -> Iterable[tuple[int, str, bytes]]:
            for message in messages:
                known.append(message)
                yield message.at, message.topic, message.body

        prepare(folder, note())
        begin = time.monotonic() + 0.5
        told = [sys.executable, "-m", "benchmarks.served.sender", self.broker.port, folder, speed, begin]
        self._sender = subprocess.Popen(list(map(str, told)), stdout=subprocess.PIPE, text=True)
        return Sending(self._sender, begin, speed, known)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The database, straight."""
        if self._asking is None:
            self._asking = (
                psycopg.connect(self.postgres.replace("postgres:", "postgresql:", 1), autocommit=True)
                if self.postgres
                else sqlite3.connect(f"file:{self.home / 'allmende.sqlite3'}?mode=ro", uri=True, timeout=20)
            )
        return list(self._asking.execute(sql).fetchall())

    def count(self) -> Counts:
        """What the sources' books say."""
        return Counts(*map(int, self.ask(_COUNTS)[0]))

    def behind(self) -> dict[str, float]:
        """Seconds since the first change came in that a follower (publisher, rules) has not dealt with."""
        now = time.time_ns() // 1000
        return {name: 0.0 if at is None else max(0.0, (now - at) / 1e6) for name, at in self.ask(_BEHIND)}

    def processes(self) -> dict[str, int]:
        """Ids of the processes that have a part in it."""
        found = {"worker": self.worker.pid if self.worker else 0, "database": self._database_pid}
        found["broker"] = self.broker.process.pid if self.broker.process else 0
        found["sender"] = self._sender.pid if self._sender and self._sender.poll() is None else 0
        return {name: pid for name, pid in found.items() if pid}

    def seconds(self) -> dict[str, float]:
        """Processor time that each of them has used so far."""
        return {name: used_seconds(pid) for name, pid in self.processes().items()}

    def memory(self) -> dict[str, int]:
        """Bytes that worker and broker hold in memory."""
        found = self.processes()
        return {name: psutil.Process(found[name]).memory_info().rss for name in ("worker", "broker") if name in found}

    def close(self) -> None:
        """End everything."""
        if self._asking is not None:
            self._asking.close()
        for process in (self._sender, self.worker):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(30)
        self.broker.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Sending:
    """Messages on their way, and when each is due (monotonic)."""

    def __init__(
        self, process: "subprocess.Popen[str]", begin: float, speed: float, messages: Sequence[Message]
    ) -> None:
        self._process = process
        self.messages = messages
        self.due = [begin + (message.at - messages[0].at) / 1e6 / speed for message in messages]
        self.sums = list(accumulate(message.readings for message in messages))
        self.over = False

    def wait(self) -> tuple[float, float]:
        """Until all was sent: seconds, and the most that the sender was late."""
        out, _ = self._process.communicate()
        self.over = True
        if self._process.returncode:
            raise RuntimeError("the sender could not send")
        told = json.loads(out)
        return told["seconds"], told["late"]
