"""Each process of the web server on a core of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TAKE = """
import os, sys, time
from pathlib import Path
from allmende.web.cores import take_core
print(take_core(Path(sys.argv[1]), int(sys.argv[2])), sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="this machine has one core")


def start(folder: Path, workers: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", TAKE, str(folder), str(workers)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=10)


def told(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_each_process_has_a_core_that_no_other_has_and_frees_it_with_its_end(tmp_path: Path) -> None:
    processes = [start(tmp_path, len(CORES)) for _ in CORES]
    said = [told(process) for process in processes]
    assert sorted(said) == [f"{core} [{core}]" for core in CORES]
    late = start(tmp_path, len(CORES))
    assert told(late) == f"None {CORES}"
    end(late)
    processes[0].kill()
    processes[0].wait()
    again = start(tmp_path, len(CORES))
    assert told(again) == said[0]
    for process in (*processes[1:], again):
        end(process)


def test_more_processes_than_cores_may_run_anywhere(tmp_path: Path) -> None:
    process = start(tmp_path, len(CORES) + 1)
    assert told(process) == f"None {CORES}"
    end(process)
