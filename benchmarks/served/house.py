"""A served house: the processes that `allmende web` starts, on a database of its own, and the time that they use."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.served.database import Database, installed, private_database
from benchmarks.start_up import free_ports


class House(NamedTuple):
    """Where it answers, how its processes are found, and a token that may write."""

    engine: str
    url: str
    pid: int
    environ: dict[str, str]
    token: str
    database: Database | None

    @property
    def home(self) -> Path:
        """The folder of its data."""
        return Path(self.environ["ALLMENDE_HOME"])

    def seconds(self) -> "Seconds":
        """Processor time that its processes have used so far."""
        return Seconds(used_seconds(self.pid), used_seconds(self.database.pid) if self.database else 0.0)


class Seconds(NamedTuple):
    """Processor time of the house's processes and of the database's."""

    web: float
    database: float

    def since(self, before: "Seconds") -> "Seconds":
        """What was used in between."""
        return Seconds(self.web - before.web, self.database - before.database)


def used_seconds(pid: int) -> float:
    """Of a process and all below it. Those that ended meanwhile stand in their parent's account."""
    root = psutil.Process(pid)
    times = [root.cpu_times()]
    for child in root.children(recursive=True):
        try:
            times.append(child.cpu_times())
        except psutil.NoSuchProcess:
            continue
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def engines(chosen: str) -> list[str]:
    """The engines to measure: those asked for (``all``: every one that is installed here)."""
    if chosen != "all":
        return [chosen]
    if installed() is None:
        print("PostgreSQL is not installed: SQLite alone is measured")
        return ["sqlite"]
    return ["postgresql", "sqlite"]


@contextmanager
def open_house(
    engine: str, *, before: "tuple[str, ...]" = (), keep: Path | None = None, **settings: str
) -> Iterator[House]:
    """A house that answers. ``before`` is a command (of Python) that fills its database before it is served. With
    ``keep`` its home and its database stand in that folder, as they were left there, and stay."""
    home = keep or Path(tempfile.mkdtemp(prefix="allmende-bench-"))
    home.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    environ = {
        **os.environ,
        "ALLMENDE_HOME": str(home),
        "ALLMENDE_CITY": "example",
        "ALLMENDE_RATE_LIMIT": "0",  # one client asks all the questions
        "ALLMENDE_TOKEN_RATE_LIMIT": "0",
        "PORT": str(port),
        **settings,
    }
    tools = installed()
    try:
        if engine == "postgresql" and tools is not None:
            with private_database(tools, keep and keep / "cluster") as database:
                environ["ALLMENDE_DATABASE_URL"] = database.url
                with _serve(engine, environ, before, database) as house:
                    yield house
        else:
            with _serve(engine, environ, before, None) as house:
                yield house
    finally:
        if keep is None:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _serve(
    engine: str, environ: dict[str, str], before: "tuple[str, ...]", database: Database | None
) -> Iterator[House]:
    _run(environ, "-c", PREPARE)
    if before:
        _run(environ, *before)
    made = _run(environ, "-m", "allmende", "token", "create", f"bench-{os.getpid()}", "--write")  # one is there if kept
    token = next(word for word in made.split() if word.startswith("allmende_"))
    log = Path(environ["ALLMENDE_HOME"]) / "web.log"
    with log.open("wb") as errors:
        web = subprocess.Popen([sys.executable, "-m", "allmende", "web"], env=environ, stdout=errors, stderr=errors)
    url = f"http://127.0.0.1:{environ['PORT']}"
    try:
        _wait_for(f"{url}/ready", web, log)
        yield House(engine, url, web.pid, environ, token, database)
    finally:
        web.send_signal(signal.SIGINT)
        web.wait(30)


PREPARE = (
    "from allmende.web.config import load_config; from allmende.web.serve import make_home;"
    "from allmende.web.parts import prepare; config = load_config(); make_home(config.home); prepare(config)"
)


def _run(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def _wait_for(address: str, web: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and web.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the house does not answer: {log.read_text('utf-8', 'replace')[-2000:]}")
