"""The worker as a process: sources that break off, hang or send rubbish; hard kills; a second worker that waits."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.faults.houses import free_ports
from tests.faults.test_import_kill import ALLMENDE, allmende, look
from tests.homes import put_database
from tests.web.outside import make_town, people
from tests.web.servers import serving

pytestmark = pytest.mark.faults


class Worker:
    """`allmende worker`, and what it logs."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.lines: list[dict[str, object]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", ALLMENDE, "worker", "--json"], env=environ, stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(json.loads(line) if line.startswith("{") else {"event": line})

    def said(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.lines if line["event"] == event]

    def wait_for(self, event: str, seconds: float = 60) -> None:
        wait_until(lambda: bool(self.said(event)) or self.process.poll() is not None, seconds)
        assert self.said(event), self.lines

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.lines


def wait_until(condition, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


@pytest.fixture
def town(tmp_path):
    """Gives a function that makes the town with its sources; ends its workers."""
    workers: list[Worker] = []
    environ: dict[str, str] = {}

    def build(**addresses: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
        mqtt, websocket = map(str, free_ports(2))
        environ.update(
            kept,
            ALLMENDE_HOME=str(tmp_path / "home"),
            ALLMENDE_DISK_FLOOR="0",
            ALLMENDE_MQTT_PORT=mqtt,
            ALLMENDE_MQTT_WEBSOCKET_PORT=websocket,
            **make_town(tmp_path, **addresses),
        )
        put_database(tmp_path / "home")
        allmende(environ, "init", "--city", str(tmp_path / "town"))
        return environ

    def start() -> Worker:
        workers.append(Worker(environ))
        return workers[-1]

    build.start = start
    yield build
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait(60)


def sources(environ: dict[str, str]) -> dict[str, dict[str, object]]:
    return {source["id"]: source for source in json.loads(allmende(environ, "sources", "--json"))}


def test_a_broken_cable_ends_in_a_clear_word(town, tmp_path):
    with serving() as server:
        server.body = people(5)
        names = ("good", "short", "garbage", "nonsense", "gone", "hang")
        environ = town(**{name: server.url(name) for name in names})
        worker = town.start()
        worker.wait_for("working")
        wait_until(lambda: server.asked["good"] > 4 and all(server.asked[name] for name in names), 90)
        wait_until(lambda: len(worker.said("a source fails")) >= 4, 60)
        # While one source hangs, the worker still ends at once.
        worker.stop()
        listed = sources(environ)
        assert listed["good"]["state"] in ("working", "late")
        assert listed["good"]["accepted"] == 5
        for name, words in {
            "short": "broke off in the middle",
            "nonsense": "broke off in the middle",
            "gone": "answered with 503",
            "garbage": "could be read",
        }.items():
            assert listed[name]["state"] == "failing"
            assert words in str(listed[name]["last_error"])
            # Asked again and again, logged once.
            assert len([line for line in worker.said("a source fails") if line["source"] == name]) == 1
        assert listed["short"]["accepted"] == 0
        there, counted, accepted = look(Path(environ["ALLMENDE_HOME"]) / "allmende.sqlite3")
        assert there == counted == accepted


def test_a_second_worker_waits_and_takes_over(town):
    with serving() as server:
        server.body = people(3)
        environ = town(good=server.url("good"))
        first = town.start()
        first.wait_for("working")
        second = town.start()
        second.wait_for("another worker is at work; waiting")
        assert not second.said("working")
        first.process.kill()
        first.process.wait(60)
        second.wait_for("working", 60)
        asked = server.asked["good"]
        wait_until(lambda: server.asked["good"] > asked, 60)
        second.stop()
        # The lease was given back: the next one need not wait.
        third = town.start()
        third.wait_for("working", 60)
        assert not third.said("another worker is at work; waiting")
        third.stop()
        assert sources(environ)["good"]["accepted"] == 3
