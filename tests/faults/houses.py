"""A running house for tests that kill: `allmende serve` with a home and ports of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from tests.homes import put_database

CODE = """
import sys
from allmende.domain.errors import AllmendeError
from allmende.web.config import load_config
from allmende.web.serve import serve
try:
    serve(load_config(), lambda line: print(line, flush=True))
except AllmendeError as error:
    sys.exit(f"allmende: {error}")
"""


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class House:
    """`allmende serve` on a home of its own."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.home = home
        self.environ = environ
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environ['PORT']}"

    def start(self) -> "House":
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, words: str, seconds: float = 90) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.lines):
                if words in line:
                    return line
            assert self.process
            if self.process.poll() is not None:
                time.sleep(0.2)
                break
            time.sleep(0.02)
        for line in self.lines:
            if words in line:
                return line
        raise AssertionError(f"{words!r} was not said:\n" + "\n".join(self.lines))

    def processes(self) -> dict[str, psutil.Process]:
        """All processes of the house: ``serve``, ``web``, ``worker``, ``broker``, and the web server's own."""
        assert self.process
        top = psutil.Process(self.process.pid)
        found = {"serve": top}
        for child in top.children(recursive=True):
            part = child.cmdline()[-1] if "allmende.web.parts" in child.cmdline() else ""
            if part:
                found[part if child.ppid() == top.pid else f"{part}-inner"] = child
        return found

    def answers(self, path: str = "/ready") -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)


def environment(home: Path, **environ: str) -> dict[str, str]:
    """The environment of a house at ``home``, with free ports and nothing of the test's own settings; its database is
    migrated already."""
    if "ALLMENDE_DATABASE_URL" not in environ:
        put_database(home)
    port, mqtt, websocket = map(str, free_ports(3))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "PROMETHEUS"))}
    return {
        **kept,
        "PORT": port,
        "ALLMENDE_HOME": str(home),
        "ALLMENDE_CITY": os.environ["ALLMENDE_CITY"],
        "ALLMENDE_MQTT_PORT": mqtt,
        "ALLMENDE_MQTT_WEBSOCKET_PORT": websocket,
        "ALLMENDE_LOG_FORMAT": "json",
        **environ,
    }


def gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether all have ended within a time; what has not is killed."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        process.kill()
    return not alive
