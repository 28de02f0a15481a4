"""Learning, as the worker sees it: a process of its own that is begun, looked at, and ended when it takes too long."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from allmende.knowledge.forecasts import train
from allmende.knowledge.forecasts.learning import Task
from allmende.knowledge.forecasts.panel import Panel
from allmende.web.config import Config

LITTLE, MEMORY, TIME, BROKEN = "little", "memory", "time", "broken"
"""Why nothing was learned."""
_WORDS = 900


class Outcome(NamedTuple):
    """What came of it: ``reason`` is "" where something was learned."""

    reason: str
    words: str = ""


class Lesson:
    """One process. It gets what it learns from as files, and neither a database nor a secret."""

    def __init__(self, folder: Path, panel: Panel, task: Task, days: dict[str, Any], config: Config) -> None:
        self.folder = folder
        seconds = int(config.forecast_train_seconds)
        train.write_task(folder, panel, task, days, config.forecast_bytes, max(1, seconds * config.forecast_threads))
        self._until = time.monotonic() + config.forecast_train_seconds
        self._words = (folder / "words.txt").open("wb")
        # What it computes with has threads of its own, which would eat address space and wait for each other.
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OMP_NUM_THREADS": str(config.forecast_threads),
            "OMP_WAIT_POLICY": "PASSIVE",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(  # noqa: S603  our own program, with a folder of our own
            [sys.executable, "-m", train.__name__, str(folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._words, env=environment, cwd=folder,
            start_new_session=True,
        )  # fmt: skip

    @property
    def number(self) -> int:
        """Of its process."""
        return self._process.pid

    def look(self) -> Outcome | None:
        """What came of it, None while it is at work."""
        code = self._process.poll()
        if code is None:
            if time.monotonic() < self._until:
                return None
            self.end()
            return Outcome(TIME)
        self._words.close()
        if code == 0:
            return Outcome("")
        told = self._told()
        if code == train.TOO_LITTLE:
            return Outcome(LITTLE, told)
        if code == -9 or code == -24:  # SIGKILL and SIGXCPU: the kernel's, or its own bound of time
            return Outcome(TIME if code == -24 else MEMORY, told)
        if "memory" in told.lower() or "bad_alloc" in told:
            return Outcome(MEMORY, told)
        return Outcome(BROKEN, told or f"exit code {code}")

    def end(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()
        self._words.close()

    def _told(self) -> str:
        for name in (train.WORDS, "words.txt"):
            path = self.folder / name
            if path.is_file() and (text := path.read_text("utf-8", "replace").strip()):
                return text[-_WORDS:]
        return ""
