"""A Mosquitto of a test's own: on a free port, with a folder of its own; started, stopped and killed at will."""

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest


class Mosquitto:
    """Keeps persistent sessions and what waits for them in its folder, as a city's broker does."""

    def __init__(self, folder: Path, *, unanswered: int = 20, careful: bool = True) -> None:
        """``unanswered``: how many messages it sends to a client before the first of them is answered. ``careful``: it
        writes all that waits to the disk at each change, so that it may be killed; with much traffic it does nothing
        else then."""
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if found is None:
            pytest.skip("Mosquitto is not here")
        self.program = found
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        folder.mkdir(exist_ok=True)
        saving = "autosave_interval 1\nautosave_on_changes true\n" if careful else ""
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\nuser {getpass.getuser()}\n"
            f"persistence_location {folder}/\n{saving}max_queued_messages 0\n"
            f"max_inflight_messages {unanswered}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, as a setting has it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> "Mosquitto":
        """Start, and wait until it listens."""
        self.process = subprocess.Popen(
            [self.program, "-c", str(self.settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError("Mosquitto does not listen")

    def stop(self) -> None:
        """Ask it to end; what it keeps is then on the disk."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None
