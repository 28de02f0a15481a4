"""``kill -9`` in the middle of an import: what was told is there, nothing is broken, and the rest can follow."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.homes import migrated_database, put_database
from tests.web.outside import make_town, people

pytestmark = pytest.mark.faults
ROWS = 120_000

# An import that tells each commit, as a progress bar would.
TELLING = """
import sys
from pathlib import Path
from allmende.web.cli.opened import open_house
from allmende.web.intake import Intake
house = open_house()
intake = Intake(house.store, house.profile, house.config)
intake.take_file("gate", Path(sys.argv[1]), lambda receipt: print(receipt.read, flush=True))
"""
ALLMENDE = "import sys; from allmende.web.cli import main; sys.exit(main())"


@pytest.fixture(params=["sqlite", "postgres"])
def town(request, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    environ = {**kept, "ALLMENDE_HOME": str(tmp_path / "home"), "ALLMENDE_DISK_FLOOR": "0", **make_town(tmp_path)}
    file = tmp_path / "people.csv"
    file.write_bytes(people(ROWS))
    database = tmp_path / "home" / "allmende.sqlite3"
    if request.param == "postgres":
        database = environ["ALLMENDE_DATABASE_URL"] = migrated_database()
    put_database(tmp_path / "home")
    allmende(environ, "init", "--city", str(tmp_path / "town"))
    return environ, file, database


def allmende(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ALLMENDE, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def look(database: Path | str) -> tuple[int, int, int]:
    """Readings that are there, that the stream counts, that the source counts. A text is PostgreSQL's address."""
    connection = psycopg.connect(database) if isinstance(database, str) else sqlite3.connect(database)
    try:
        if isinstance(database, Path):
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return (
            connection.execute("SELECT count(*) FROM observation").fetchone()[0],
            connection.execute("SELECT coalesce(sum(count), 0) FROM stream_state").fetchone()[0],
            connection.execute("SELECT coalesce(sum(accepted), 0) FROM source_state").fetchone()[0],
        )
    finally:
        connection.close()


def test_an_import_that_is_killed_loses_nothing_that_it_told(town):
    environ, file, database = town
    chance = random.Random(4)
    last = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", TELLING, str(file)], env=environ, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        told = 0
        stop_at = last + chance.randint(4_000, 30_000)
        for line in process.stdout:
            told = int(line)
            if told >= stop_at:
                process.kill()
                break
        # What it still said between our look and its end was said too.
        told = max([told, *map(int, process.stdout.read().split())])
        process.wait(60)
        there, counted, accepted = look(database)
        assert there == counted == accepted
        assert told <= there < ROWS
        assert there - told <= 4 * 2000
        last = there

    listed = {source["id"]: source for source in json.loads(allmende(environ, "sources", "--json"))}
    assert listed["gate"]["accepted"] == last
    told_at_last = json.loads(allmende(environ, "import", "gate", str(file), "--json"))
    assert told_at_last["read"] == ROWS
    assert told_at_last["repeated"] == last
    assert told_at_last["accepted"] == ROWS - last
    assert look(database) == (ROWS, ROWS, ROWS)
