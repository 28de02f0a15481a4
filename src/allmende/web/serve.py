"""``allmende serve``: starts all parts of the house, keeps them running, and ends them together."""

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from allmende.domain.errors import AllmendeError, ConfigurationError
from allmende.web.config import Config
from allmende.web.observability.shared import share_counters
from allmende.web.parentage import environment_of_child
from allmende.web.parts import CONFIGURATION_EXIT

_STOP_SECONDS = 7.0
"""From the polite signal to the hard one; with what comes after, all is over within 10 seconds."""
_QUICK_SECONDS = 30.0
_MOST_QUICK_DEATHS = 5
_LONGEST_PAUSE = 8.0
_READY_SECONDS = 60.0


class AlreadyRunning(ConfigurationError):
    """Another process serves this home."""


class PartFailed(AllmendeError):
    """A part of the house ended again and again, or cannot start at all."""


def _say(line: str) -> None:
    print(line, flush=True)


def serve(config: Config, say: Callable[[str], None] = _say) -> None:
    """Run the house until SIGINT, SIGTERM or SIGHUP. ``say`` gets the few lines meant for a person.

    Raises AlreadyRunning for a home that is served already, ConfigurationError for a port in use, PartFailed where a
    part would not run. When this returns or raises, no process of the house is left.
    """
    started = time.monotonic()
    make_home(config.home)
    with only_one(config.home, config.url):
        check_ports(config)
        share_counters(config.home, fresh=True)
        _prepare(config)
        Supervisor(config, say, started).run()


def make_home(home: Path) -> None:
    """Make the home, readable by its owner alone. Raises ConfigurationError."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "run").mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{home} cannot be used: {error.strerror}", where="ALLMENDE_HOME") from None


@contextmanager
def only_one(home: Path, url: str) -> Iterator[None]:
    """Hold the home's lock, which dies with this process. Raises AlreadyRunning."""
    path = home / "serve.lock"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 300, 0).decode("utf-8", "replace").strip() or "another process"
            raise AlreadyRunning(
                f"{home} is served already by {holder}; stop it first, or set ALLMENDE_HOME to another directory",
                where="ALLMENDE_HOME",
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()} at {url}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def check_ports(config: Config) -> None:
    """Raise ConfigurationError, naming port and setting, where one is taken.

    Asks again for two seconds: after a hard kill the old processes need a moment to go.
    """
    ports = {"PORT": config.port}
    if config.embedded_broker:
        ports |= {"ALLMENDE_MQTT_PORT": config.mqtt_port, "ALLMENDE_MQTT_WEBSOCKET_PORT": config.mqtt_websocket_port}
    until = time.monotonic() + 2
    for setting, port in ports.items():
        while port and (trouble := trouble_with(config.host, port)) is not None:
            if trouble.errno != errno.EADDRINUSE:
                raise ConfigurationError(f"cannot listen on {config.host}:{port}: {trouble.strerror}", where="HOST")
            if time.monotonic() > until:
                raise ConfigurationError(
                    f"port {port} is in use by another program; choose another one, e.g. {setting}={port + 1}",
                    where=setting,
                )
            time.sleep(0.1)


def trouble_with(host: str, port: int) -> OSError | None:
    """Why nobody could listen there now, or None."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _prepare(config: Config) -> None:
    """Migrate in a process of its own, so that the supervisor stays small and never holds the database open."""
    code = (
        "import sys; from allmende.domain.errors import AllmendeError; from allmende.web.config import load_config\n"
        "from allmende.web.parts import prepare\n"
        "try: prepare(load_config())\n"
        "except AllmendeError as error: sys.exit(f'allmende: {error}')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, stdin=subprocess.DEVNULL)  # noqa: S603  our own code
    if done.returncode:
        raise PartFailed("the database could not be prepared; the reason stands above")


class Part(msgspec.Struct):
    """One child and how it has fared."""

    name: str
    process: subprocess.Popen[bytes]
    started: float
    quick_deaths: int = 0
    due: float = 0.0
    """When to start it again; 0 while it runs."""


class Supervisor:
    """Starts the parts, starts them again when they end, and ends them all."""

    def __init__(self, config: Config, say: Callable[[str], None], started: float) -> None:
        self.config = config
        self.say = say
        self.started = started
        self._wake = threading.Event()
        self._stopping: signal.Signals | None = None
        names = ["web", "worker", *(["broker"] if config.embedded_broker else [])]
        self._parts = [Part(name=name, process=_start(name), started=time.monotonic()) for name in names]
        self._announced = False

    def run(self) -> None:
        """Keep all parts running until a signal asks to stop. Raises PartFailed."""
        before = {number: signal.signal(number, self._on_signal) for number in _signals()}
        try:
            while not self._stopping:
                for part in self._parts:
                    self._look_after(part)
                if not self._announced:
                    self._announce()
                self._wake.wait(0.1 if not self._announced else 0.3)
            self.say(f"Asked to end by {self._stopping.name}.")
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._stopping = signal.Signals(number)
        self._wake.set()

    def _look_after(self, part: Part) -> None:
        now = time.monotonic()
        if part.due:
            if now >= part.due:
                part.process, part.started, part.due = _start(part.name), now, 0.0
            return
        code = part.process.poll()
        if code is None:
            return
        _end_group(part.process)
        if code == CONFIGURATION_EXIT:
            raise PartFailed(f"{part.name} cannot start; the reason stands above")
        part.quick_deaths = part.quick_deaths + 1 if now - part.started < _QUICK_SECONDS else 1
        if part.quick_deaths >= _MOST_QUICK_DEATHS:
            raise PartFailed(f"{part.name} ended {part.quick_deaths} times in a row ({_how(code)}); the log tells why")
        pause = min(_LONGEST_PAUSE, 0.25 * 2**part.quick_deaths)
        self.say(f"{part.name} ended ({_how(code)}); it starts again in {pause:g} s")
        part.due = now + pause

    def _announce(self) -> None:
        """Say the address once it answers, or what it waits for when it takes too long."""
        ready, answer = _ask_ready(self.config)
        seconds = time.monotonic() - self.started
        if ready:
            self.say(f"Allmende is ready at {self.config.url} (after {seconds:.1f} s). Ctrl-C ends it.")
        elif seconds < _READY_SECONDS:
            return
        else:
            self.say(f"Allmende is not ready after {seconds:.0f} s: {answer}")
        self._announced = True

    def _stop_all(self) -> None:
        running = [part.process for part in self._parts if part.process.poll() is None]
        for process in running:
            process.terminate()
        until = time.monotonic() + _STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for part in self._parts:
            _end_group(part.process)
            part.process.wait()


def _signals() -> tuple[signal.Signals, ...]:
    """The signals that end the house; a hang-up that is ignored already (nohup) stays ignored."""
    ends = (signal.SIGINT, signal.SIGTERM)
    return ends if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*ends, signal.SIGHUP)


def _start(name: str) -> subprocess.Popen[bytes]:
    """A part in a session of its own: Ctrl-C reaches the supervisor alone, which then asks each part once."""
    return subprocess.Popen(  # noqa: S603  our own module
        [sys.executable, "-m", "allmende.web.parts", name],
        env=environment_of_child(),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what a part has left behind (the web server's processes), by the group that it led."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _ask_ready(config: Config) -> tuple[bool, str]:
    address = config.url.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        return response.status == 200, response.read(2000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return False, str(error) or type(error).__name__
    finally:
        connection.close()
