"""A house whose database is PostgreSQL, through its own commands."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cluster import cluster
from tests.support import captured


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and an empty database."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ALLMENDE_")}
    return {
        **kept,
        "ALLMENDE_HOME": str(tmp_path / "home"),
        "ALLMENDE_DATABASE_URL": cluster().create_empty(),
        "ALLMENDE_CITY": "jena",
        "ALLMENDE_DISK_FLOOR": "0",
    }


def allmende(environ: dict[str, str], *arguments: str, code: int = 0) -> Any:
    """What a command says with --json."""
    command = [sys.executable, "-m", "allmende", *arguments, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_city_lives_on_postgres(environ: dict[str, str]) -> None:
    allmende(environ, "init", "--city", "jena")
    uplinks = sorted(map(str, captured("payloads", "chirpstack").glob("*.json")))
    counts = allmende(environ, "import", "chirpstack", *uplinks)
    assert (counts["read"], counts["accepted"], counts["rejected"]) == (22, 22, 0)
    again = allmende(environ, "import", "chirpstack", *uplinks)
    assert (again["accepted"], again["repeated"]) == (0, 22)
    sources = {source["id"]: source for source in allmende(environ, "sources")}
    assert sources["chirpstack"]["accepted"] == 22
    assert not Path(environ["ALLMENDE_HOME"], "allmende.sqlite3").exists()


def test_a_database_that_is_away_is_said_in_words(environ: dict[str, str]) -> None:
    environ["ALLMENDE_DATABASE_URL"] = "postgres://nobody@127.0.0.1:9/none"
    command = [sys.executable, "-m", "allmende", "check"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    assert done.returncode != 0
    assert "PostgreSQL does not answer" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


_BROKEN = """
import os, psycopg
from allmende.web.parts import open_django
open_django()
from allmende.domain.errors import StorageBusy
from allmende.web.house import open_store
store = open_store()
store.note_attempt("feed", 1)
for _ in range(2):
    with psycopg.connect(os.environ["ALLMENDE_DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                      " WHERE datname = current_database() AND pid <> pg_backend_pid()")
    said = []
    for _ in range(2):
        try:
            said.append(sorted(store.sources()))
        except StorageBusy as error:
            said.append("away" if "the database is away" in str(error) else str(error))
    store.note_attempt("feed", 2)
    print(said[-1], set(map(str, said)) <= {"away", "['feed']"})
"""


def test_a_database_that_came_back_is_used_again(environ: dict[str, str]) -> None:
    allmende(environ, "init", "--city", "jena")
    done = subprocess.run([sys.executable, "-c", _BROKEN], env=environ, capture_output=True, text=True, timeout=100)
    assert done.stdout.splitlines() == ["['feed'] True"] * 2, done.stderr


_FORKED = """
import os, threading
from allmende.web.parts import leave_database, open_django
leave_database()  # nothing is open yet
open_django()
from django.db import connection

def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")
    connection.close()

ask()
leave_database()
child = os.fork()
if child == 0:
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(10)
    os._exit(sum(thread.is_alive() for thread in threads))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_the_servers_processes_have_connections_of_their_own(environ: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", _FORKED], env=environ, timeout=60, check=True)


def test_a_role_that_may_not_make_postgis_is_told(environ: dict[str, str]) -> None:
    """The house works without it, and takes it up once it is there."""
    place = cluster()
    if not place.has_extension("postgis"):
        pytest.skip("PostGIS is not installed")
    name = environ["ALLMENDE_DATABASE_URL"].removeprefix("postgres:///").partition("?")[0]
    with psycopg.connect(place.address(name), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE plain LOGIN")
        superuser.execute(f"ALTER DATABASE {name} OWNER TO plain")
        environ["ALLMENDE_DATABASE_URL"] = f"postgres:///{name}?host={place.socket}&user=plain"
        allmende(environ, "init", "--city", "jena")

        def told() -> dict[str, Any]:
            done = subprocess.run(
                [sys.executable, "-m", "allmende", "check", "--json"],
                env={**environ, "ALLMENDE_MQTT_PORT": "0", "ALLMENDE_MQTT_WEBSOCKET_PORT": "0"},
                capture_output=True,
                text=True,
                timeout=100,
            )
            return {f["part"]: f for f in json.loads(done.stdout)["findings"]}

        assert told()["places"]["ok"]
        assert "CREATE EXTENSION postgis" in told()["places"]["text"]
        superuser.execute("CREATE EXTENSION postgis")
        assert not told()["places"]["ok"]
        allmende(environ, "init", "--city", "jena")
        assert told()["places"]["text"].startswith("PostGIS 3")


_YEARS = """
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.web.worker.upkeep import tidy_up
from allmende.domain.times import parse_instant
tidy_up(house.store, house.config, parse_instant("2026-01-01T00:00:00Z"))
tidy_up(house.store, house.config, parse_instant("2032-01-01T00:00:00Z"))
"""


def test_the_worker_makes_parts_for_the_years_to_come(environ: dict[str, str]) -> None:
    allmende(environ, "init", "--city", "jena")
    before = {part["name"] for part in allmende(environ, "database", "status")["parts"]}
    done = subprocess.run([sys.executable, "-c", _YEARS], env=environ, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    after = {part["name"] for part in allmende(environ, "database", "status")["parts"]}
    assert after - before == {"observation_2033", "observation_2034"}
