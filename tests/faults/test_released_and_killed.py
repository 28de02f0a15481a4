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

from tests.homes import BOTH
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


@pytest.mark.parametrize("engine", BOTH)
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


STEP = """
import json, os, sys
from allmende.web.cli.opened import open_house
open_house()
from django.db import connection
from allmende.web.house import open_profile
from allmende.web.office import force, revisions
from allmende.web.office.models import Revision
datasets, draft = open_profile().datasets, revisions.open_revision("dataset", "sensors")
with connection.cursor() as cursor:
    cursor.execute("SELECT access FROM dataset WHERE id = 'sensors'")
    kept = (cursor.fetchone() or [None])[0]
states = set(Revision.objects.exclude(state="withdrawn").values_list("state", flat=True))
print(json.dumps([datasets["sensors"].publisher, "fresh" in datasets, kept, sorted(states)]), flush=True)
if sys.argv[1] == "look":
    raise SystemExit
if draft is not None:
    revisions.withdraw(draft, "cli:test", seen=draft.turn)
whole = {**revisions.current("dataset", "sensors"), "publisher": "Somebody else", "access": "restricted"}
draft = revisions.save_draft("dataset", "sensors", whole, "cli:test", bundle="both")
revisions.save_draft("dataset", "fresh", whole, "cli:test", bundle="both")
if sys.argv[1] == "tables":  # the tables are in force, the store does not know it
    force.checks.furnish_with = lambda _profile: os.kill(os.getpid(), 9)
elif sys.argv[1] == "log":  # all is written but the last word
    force.record = lambda *_said, **_more: os.kill(os.getpid(), 9)
revisions.release(draft, "cli:test", seen=draft.turn)
"""
"""Says how things stand, and then releases a bundle; killed at a place on the way."""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_release_that_is_killed_is_old_or_new_as_a_whole(engine: str, tmp_path: Path) -> None:
    town = make_town(tmp_path)
    env = {**environ(engine, tmp_path / "home", tmp_path / "town"), **town}
    env["ALLMENDE_HOME"] = str(tmp_path / "home")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (town["PYTHONPATH"], os.environ.get("PYTHONPATH"))))
    call(env, "init", "--city", str(tmp_path / "town"))

    def step(place: str) -> tuple[Any, int]:
        done = subprocess.run([sys.executable, "-c", STEP, place], env=env, stdout=subprocess.PIPE, timeout=100)
        return json.loads(done.stdout.splitlines()[0]), done.returncode

    before, code = step("tables")
    assert (before[1], before[3], code) == (False, [], -signal.SIGKILL)
    told, code = step("log")
    assert (told, code) == ([*before[:3], ["draft"]], -signal.SIGKILL)
    told, code = step("whole")
    assert (told, code) == ([*before[:3], ["draft"]], 0)
    assert step("look") == (["Somebody else", True, "restricted", ["released"]], 0)
