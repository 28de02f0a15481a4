"""A worker takes over what was released, is killed hard, and the next one goes on with it: on both engines."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.web.office import RULE
from tests.web.outside import make_town
from tests.web.servers import serving
from tests.web.test_office_commands import environ

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
ENGINES = ("sqlite", "postgres")
RELEASE = """
import json, sys
from allmende.web.cli.opened import open_house
open_house()
from allmende.web.office import revisions
for kind, key, body in json.loads(sys.argv[1]):
    draft = revisions.save_draft(kind, key, body, "cli:test")
    revisions.release(draft, "cli:test", seen=draft.turn)
"""


@pytest.fixture
def server():
    with serving() as running:
        running.body = b"people\n5\n"
        yield running


def call(env: dict[str, str], *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "allmende", *arguments, "--json"], env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def release(env: dict[str, str], *tables: tuple[str, str, dict[str, Any]]) -> None:
    subprocess.run([sys.executable, "-c", RELEASE, json.dumps(tables)], env=env, check=True, timeout=100)


def until(holds: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_released_outlives_a_killed_worker(engine: str, tmp_path: Path, server: Any) -> None:
    town = make_town(tmp_path)
    env = {**environ(engine, tmp_path / "home", tmp_path / "town"), **town}
    env["ALLMENDE_HOME"], env["ALLMENDE_LOG_FORMAT"] = str(tmp_path / "home"), "json"
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (town["PYTHONPATH"], os.environ.get("PYTHONPATH"))))
    call(env, "init", "--city", str(tmp_path / "town"))
    log = (tmp_path / "worker.log").open("ab")

    def work() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "allmende", "worker"], env=env, stdout=log, stderr=log)

    def state(name: str) -> dict[str, Any]:
        if name.startswith("rule/"):
            listed = [{"id": f"rule/{rule['id']}", "accepted": rule["given"]} for rule in rules()]
        else:
            listed = call(env, "sources")
        return next((one for one in listed if one["id"] == name), {"accepted": 0})

    def rules() -> list[dict[str, Any]]:
        return list(call(env, "rules")["rules"])

    texts = {"de": "Neu", "en": "New"}
    source = {"connector": "town_counters", "title": texts, "enabled": True, "dataset": "sensors", "interval": "PT1S",
              "address": server.url("tagged")}  # fmt: skip
    process = work()
    try:
        until(lambda: b'"working"' in (tmp_path / "worker.log").read_bytes())
        rule = {**RULE, "dataset": "sensors", "inputs": {"count": {"property": "people"}}}
        release(env, ("source", "fresh", source), ("rule", "doubled", rule))
        until(lambda: state("fresh")["accepted"] == 1)
        server.body = b"people\n5\n6\n"
        until(lambda: state("rule/doubled")["accepted"] >= 1)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        derived = state("rule/doubled")["accepted"]
        server.body = b"people\n5\n6\n7\n"
        process = work()
        until(lambda: state("fresh")["accepted"] == 3 and state("rule/doubled")["accepted"] > derived)
        read = state("fresh")["accepted"]
        assert state("rule/doubled")["accepted"] <= read, "each reading is doubled once"
    finally:
        process.kill()
        process.wait(10)
        log.close()
