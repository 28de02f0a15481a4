"""``kill -9`` while retention is applied: what is there is whole at any moment, and the next run goes on to the end."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.test_import_kill import ALLMENDE, allmende
from tests.homes import POSTGRES_FIRST, migrated_database, put_database
from tests.web.outside import make_town, people

pytestmark = pytest.mark.faults
ROWS = 40_000
FIVE_MINUTES = 300_000_000
RULES = """
[retention.gate]
source = "gate"
thin = [{ after = "P30D", bucket = "PT5M", take = "sum" }]
"""


@pytest.fixture(params=POSTGRES_FIRST)
def town(request, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    environ = {**kept, "ALLMENDE_HOME": str(tmp_path / "home"), "ALLMENDE_DISK_FLOOR": "0", **make_town(tmp_path)}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ["PYTHONPATH"], os.environ.get("PYTHONPATH")]))
    with (tmp_path / "town" / "city.toml").open("a", encoding="utf-8") as profile:
        profile.write(RULES)
    database: Any = tmp_path / "home" / "allmende.sqlite3"
    if request.param == "postgres":
        database = environ["ALLMENDE_DATABASE_URL"] = migrated_database()
    put_database(tmp_path / "home")
    allmende(environ, "init", "--city", str(tmp_path / "town"))
    (tmp_path / "people.csv").write_bytes(people(ROWS))
    allmende(environ, "import", "gate", str(tmp_path / "people.csv"))
    return environ, database


def ask(database: Path | str, sql: str) -> list[tuple[Any, ...]]:
    connection: Any = psycopg.connect(database) if isinstance(database, str) else sqlite3.connect(database, timeout=30)
    try:
        with connection:
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def test_what_is_thinned_is_whole_at_any_moment(town):
    environ, database = town
    value = "result_integer" if isinstance(database, str) else "result"
    look = f"SELECT count(*), sum({value}) FROM observation"
    ((rows, total),) = ask(database, look)
    assert rows == ROWS
    # It was all received today: as if that had been long ago.
    ask(database, "UPDATE observation SET received_at = phenomenon_start")
    chance = random.Random(5)
    killed = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", ALLMENDE, "retention", "apply", "--json"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            before = rows
            goal = before - chance.randint(1_000, 6_000)
            until = time.monotonic() + 60
            while ask(database, "SELECT count FROM stream_state")[0][0] > goal and process.poll() is None:
                assert time.monotonic() < until, "it did not begin"
                time.sleep(0.002)
        finally:
            process.kill()
            killed += process.wait(30) == -9
        ((rows, left),) = ask(database, look)
        assert rows < before
        assert left == total, "nothing is lost between two chunks, nothing counted twice"
        assert ask(database, "SELECT count FROM stream_state") == [(rows,)]
    assert killed, "it was killed in the middle"
    done = json.loads(allmende(environ, "retention", "apply", "--json"))
    assert done["readings"] > 0 or killed < 3
    ((rows, left),) = ask(database, look)
    first, last = ask(database, "SELECT first_start, last_end - 1 FROM stream_state")[0]
    assert (left, rows) == (total, last // FIVE_MINUTES - first // FIVE_MINUTES + 1)
    assert ask(database, "SELECT count FROM stream_state") == [(rows,)]
    assert json.loads(allmende(environ, "retention", "apply", "--json"))["readings"] == 0
