"""The directory in which all processes of one house count (prometheus_client's multiprocess mode)."""

import os
import shutil
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share_counters(home: Path, *, fresh: bool = False) -> None:
    """Let this process and its children count under ``home``; a parent's choice stands.

    ``fresh`` begins from zero: for the supervisor, which knows that nobody else counts there. Has to be called before
    anything imports prometheus_client, which looks at the variable then.
    """
    if os.environ.get(VARIABLE):
        return
    directory = home / "run" / "metrics"
    if fresh:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(directory)
