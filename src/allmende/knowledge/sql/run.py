"""Start a process for a question, give it the job, and wait: for the answer, or for one of the limits.

Whatever becomes of the process, the one that waits goes on, and nothing is left behind: the process is killed at its
deadline, and dies with the one that started it.
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import msgspec

import allmende
from allmende.knowledge.sql.job import READY, Answer, Job, Limits, Trouble

_SOURCE = str(Path(allmende.__file__).resolve().parents[1])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from allmende.knowledge.sql.child import main; main()"
_SLACK = 1 << 20
"""Bytes of an answer beside its rows."""
_STARTING = 20.0
"""Seconds for the process to start, which are not the question's: on a busy machine they may be many."""
_PIECE = 1 << 16


def is_there() -> bool:
    """Whether DuckDB is installed: it is an optional part."""
    return find_spec("duckdb") is not None


def run(
    query: str,
    *,
    views: list[str],
    files: list[str],
    zone: str,
    limits: Limits,
    folder: Path,
) -> Answer | Trouble:
    """The answer to a question, or why there is none. ``folder``: where a folder for what is put aside is made, and
    removed."""
    with (
        tempfile.TemporaryDirectory(prefix="ask-", dir=folder, ignore_cleanup_errors=True) as aside,
        tempfile.TemporaryFile(dir=folder) as said,
    ):
        job = Job(
            query=query, views=views, files=files, zone=zone, limits=limits, parent=os.getpid(),
            folder=aside if limits.temporary else "",
        )  # fmt: skip
        said.write(msgspec.json.encode(job))
        said.seek(0)
        answers, their_end = os.pipe()
        try:
            process = subprocess.Popen(  # noqa: S603  this interpreter, and words of ours
                [sys.executable, "-I", "-c", _START, _SOURCE],
                stdin=said,
                stdout=their_end,
                stderr=subprocess.DEVNULL,
                env={},
                cwd=aside,
                close_fds=True,
                start_new_session=True,
            )
        except BaseException:
            os.close(answers)
            raise
        finally:
            os.close(their_end)
        try:
            return _wait(process, answers, limits)
        finally:
            os.close(answers)
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", answers: int, limits: Limits) -> Answer | Trouble:
    end = time.monotonic() + _STARTING
    found = bytearray()
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([answers], [], [], left)[0]:
            return Trouble("time")
        piece = os.read(answers, _PIECE)
        if not piece:
            break
        if not found:
            end = time.monotonic() + limits.seconds
        found += piece
        if len(found) > limits.bytes + _SLACK:
            return Trouble("bytes")
    try:
        return msgspec.json.decode(found.removeprefix(READY), type=Answer | Trouble)
    except msgspec.DecodeError:
        return _end_of(process)


def _end_of(process: "subprocess.Popen[bytes]") -> Trouble:
    """Why a process ended without a word: the kernel took it, by one of the limits."""
    try:
        code = process.wait(1)
    except subprocess.TimeoutExpired:
        return Trouble("crash")
    return Trouble({-24: "time", -9: "memory"}.get(code, "crash"), str(code))
