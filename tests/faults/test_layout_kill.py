"""``kill -9`` of a change of layout: it goes on where it was, and what was written meanwhile is in it."""

import json
import os
import random
import subprocess
import sys
import time

import psycopg
import pytest

from tests.cluster import cluster
from tests.faults.test_import_kill import ALLMENDE, allmende, look
from tests.web.outside import make_town, people

pytestmark = pytest.mark.faults
ROWS = 60_000


def test_a_copy_that_is_killed_goes_on(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    address = cluster().create_empty()
    environ = {**kept, "ALLMENDE_HOME": str(tmp_path / "home"), "ALLMENDE_DISK_FLOOR": "0", **make_town(tmp_path)}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ["PYTHONPATH"], os.environ.get("PYTHONPATH")]))
    environ["ALLMENDE_DATABASE_URL"] = address
    (tmp_path / "people.csv").write_bytes(people(ROWS))
    allmende(environ, "init", "--city", str(tmp_path / "town"))
    allmende(environ, "import", "gate", str(tmp_path / "people.csv"))

    chance = random.Random(7)
    command = [sys.executable, "-c", ALLMENDE, "database", "layout", "plain", "--years", "2023-2024", "--json"]
    copied = 0
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(2):
            process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
            while process.poll() is None:
                there = connection.execute("SELECT to_regclass('layout_work') IS NOT NULL").fetchone()[0]
                now = connection.execute("SELECT copied FROM layout_work").fetchone()[0] if there else 0
                if now > copied:
                    break
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            assert process.wait(60) == -9
            connection.execute("DELETE FROM observation WHERE phenomenon_start % 7919 = 0")
            copied = now
        assert 0 < copied < ROWS
        left = connection.execute("SELECT count(*) FROM observation").fetchone()[0]
        told = json.loads(allmende(environ, "database", "status", "--json"))
        assert told["copy"]["years"] == "2023-2024"
        done = json.loads(allmende(environ, *command[3:]))
        assert done["copied"] >= left
    assert look(address)[0] == left
    told = json.loads(allmende(environ, "database", "status", "--json"))
    assert told["copy"] is None
    assert {part["name"] for part in told["parts"]} == {"observation_2023", "observation_2024", "observation_rest"}
    assert told["bytes"] > 2**20
