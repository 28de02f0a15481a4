"""``kill -9`` of the worker while it derives: no derived value is lost, none is there twice, none is wrong."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.test_import_kill import allmende
from tests.homes import POSTGRES_FIRST, migrated_database, put_database
from tests.support import ROOT
from tests.web.outside import make_town, people

pytestmark = pytest.mark.faults
ROWS = 24_000
WORKER = "import sys; from allmende.web.parts import main; sys.exit(main('worker'))"
RULES = """
[rules.doubled]
version = 1
title = { de = "Doppelt", en = "Doubled" }
dataset = "sensors"
by = "stream"
[rules.doubled.inputs.people]
property = "people"
[rules.doubled.outputs.twice]
stream = "{stream}~twice"
property = { id = "twice", name = { de = "Doppelt", en = "Twice" } }
type = "count"
expression = "people * 2"
[rules.doubled.actions.tell]
capability = "sign"
when = "people = 0"
parameters = { seen = { expression = "twice + 7" } }
age = "P99999D"
limit = 1000
dry_run = false

[rules.hourly]
version = 1
title = { de = "Stündlich", en = "Hourly" }
dataset = "sensors"
window = { every = "PT1H" }
[rules.hourly.inputs.twice]
rule = "doubled.twice"
take = "readings"
[rules.hourly.outputs.sum]
stream = "{thing}~hourly"
property = { id = "sum", name = { de = "Summe", en = "Sum" } }
type = "count"
expression = "sum(twice)"
"""
SIGN = """
from allmende.web.parts import open_django
open_django()
from allmende.web.house import open_store
from tests.support import create
create(open_store(), "TaskingCapability", {
    "@iot.id": "sign", "name": "Sign", "description": "-",
    "taskingParameters": {"type": "DataRecord", "field": [{"name": "seen", "type": "Count"}]},
    "Actuator": {"name": "Sign", "description": "-", "encodingType": "text/plain", "metadata": "-"},
    "Thing": {"name": "Sign", "description": "-"},
})
"""


@pytest.fixture(params=POSTGRES_FIRST)
def town(request, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    environ = {**kept, "ALLMENDE_HOME": str(tmp_path / "home"), "ALLMENDE_DISK_FLOOR": "0", **make_town(tmp_path)}
    (tmp_path / "town" / "rules").mkdir()
    (tmp_path / "town" / "rules" / "town.toml").write_text(RULES, "utf-8")
    database: Any = tmp_path / "home" / "allmende.sqlite3"
    if request.param == "postgres":
        database = environ["ALLMENDE_DATABASE_URL"] = migrated_database()
    put_database(tmp_path / "home")
    allmende(environ, "init", "--city", str(tmp_path / "town"))
    subprocess.run([sys.executable, "-c", SIGN], env=environ, cwd=ROOT, check=True, timeout=60)
    return environ, database


def ask(database: Path | str, sql: str) -> list[tuple[Any, ...]]:
    connection: Any = psycopg.connect(database) if isinstance(database, str) else sqlite3.connect(database, timeout=30)
    try:
        return list(connection.execute(sql).fetchall())
    finally:
        connection.close()


def held(database: Path | str, stream: str) -> dict[int, int]:
    """What a stream holds; a time that is there twice fails."""
    value = "result_integer" if isinstance(database, str) else "result"
    rows = ask(
        database,
        f"SELECT o.phenomenon_start, o.{value} FROM observation o JOIN datastream d ON d.pk = o.datastream"
        f" WHERE d.id = '{stream}'",
    )
    assert len({time for time, _ in rows}) == len(rows)
    return dict(rows)


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def test_a_worker_that_is_killed_loses_and_doubles_nothing(town, tmp_path):
    environ, database = town
    file = tmp_path / "people.csv"
    file.write_bytes(people(ROWS))
    workers = []

    def work() -> subprocess.Popen[bytes]:
        workers.append(subprocess.Popen([sys.executable, "-c", WORKER], env=environ, stderr=subprocess.DEVNULL))
        return workers[-1]

    try:
        worker = work()
        until(lambda: ask(database, "SELECT 1 FROM follower WHERE name = 'rules'"))
        worker.kill()
        worker.wait(30)
        allmende(environ, "import", "gate", str(file), "--json")
        chance = random.Random(8)
        derived = 0
        for _ in range(3):
            worker = work()
            stop_at = derived + chance.randint(500, 6_000)
            until(lambda at=stop_at: len(held(database, "gate~people~twice")) >= at)
            worker.kill()
            worker.wait(30)
            derived = len(held(database, "gate~people~twice"))
        assert derived < ROWS, "it was killed in the middle"
        work()
        wanted = {moment: 2 * value for moment, value in held(database, "gate~people").items()}
        assert len(wanted) == ROWS
        until(lambda: len(held(database, "gate~people~twice")) == ROWS)
        hours: Counter[int] = Counter()
        for moment, value in wanted.items():
            hours[moment // 3_600_000_000 * 3_600_000_000] += value
        until(lambda: held(database, "gate~hourly") == hours)
        assert held(database, "gate~people~twice") == wanted
        newest = ask(database, "SELECT max(number) FROM change_log")[0][0]
        until(lambda: ask(database, "SELECT number FROM follower WHERE name = 'rules'")[0][0] >= newest)
    finally:
        for process in workers:
            process.kill()
            process.wait(30)
    corrected = ask(
        database,
        "SELECT count(*) FROM observation_history h JOIN datastream d ON d.pk = h.datastream"
        " WHERE d.id = 'gate~people~twice'",
    )
    assert corrected == [(0,)], "what was worked out twice was the same"
    tasks = {name for (name,) in ask(database, "SELECT id FROM task")}
    told = ask(database, "SELECT detail FROM accounts_auditentry WHERE action = 'rule.task.fired'")
    details = [detail if isinstance(detail, dict) else json.loads(detail) for (detail,) in told]
    assert len(tasks) == len(details) == ROWS // 1000, "a task for each zero, and its entry"
    assert {detail["task"] for detail in details} == tasks
