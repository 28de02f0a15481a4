"""Backups: taken while others write, restored on the same engine or the other, whole or not at all."""

import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.homes import migrated_database, put_database
from tests.web.outside import make_town, people

from allmende.domain.errors import InvalidInput
from allmende.storage.archive import Reader
from allmende.web.backup import check_fits

# The houses of one engine are made once.
pytestmark = [pytest.mark.xdist_group("backup"), pytest.mark.timeout(300)]
ENGINES = ("sqlite", "postgres")

# Everything that a house can hold; readings keep coming while the backup is taken.
FILL = """
import sys, threading
from pathlib import Path
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.domain.creation import plan_creation
from allmende.domain.policy import house_reader
from allmende.domain.batch import Batch, Removal, Ref
from allmende.domain.query import Query
from allmende.web.accounts.models import Token, User
from allmende.web.backup import write_backup
from allmende.web.intake import Intake
store, reader = house.store, house_reader("test")
def create(entity, body, **links):
    plan = plan_creation(entity, body, now=2_208_988_800_000_000, links={k: Ref(id=v) for k, v in links.items()})
    return store.append(Batch(origin="test", dataset="commons", reader=reader, received_at=1, entities=plan))
intake = Intake(store, house.profile, house.config)
intake.take_file("gate", Path(sys.argv[1]))
create("Thing", {"@iot.id": "post", "name": "Post", "description": "ä\\u2028", "properties": {"deep": [1, None, "ß"]},
    "Locations": [{"name": "l", "description": "l", "encodingType": "application/geo+json",
                   "location": {"type": "Point", "coordinates": [11.58, 50.92]}}],
    "Datastreams": [{"@iot.id": "mixed", "name": "m", "description": "m", "observationType": "any",
        "unitOfMeasurement": {"name": "n", "symbol": "s", "definition": "d"},
        "Sensor": {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": "m"},
        "ObservedProperty": {"name": "o", "definition": "https://example.org/o", "description": "o"}}]})
for n, result in enumerate([1, 2.5, -0.0, 1e300, 2**53 + 1, True, None, "text", {"a": ["x" * 5000]}, [1]]):
    create("Observation", {"result": result, "phenomenonTime": f"2024-01-01T00:00:{n:02d}Z",
                           "parameters": {"n": n}}, Datastream="mixed")
create("Observation", {"@iot.id": "named", "result": 7, "phenomenonTime": "2035-01-01T00:00:00Z"}, Datastream="mixed")
create("Thing", {"@iot.id": "gone", "name": "g", "description": "g"})
store.remove(Removal(target=Query(entity="Thing", reader=reader, id="gone"), origin="test", received_at=2))
user = User.objects.create_user("ada", "ada@example.org", "a long and quiet river")
Token.objects.create(name="t", digest="0" * 64, user=user, datasets=["commons"], may_write=True)
from allmende.domain.bounds import Bounds
from allmende.domain.feature_checks import check_features
from allmende.domain.records import Collection, Feature, Features
for at, height in enumerate([3, 4]):
    trees = [Feature(id="ä/1", geometry={"type": "Point", "coordinates": [11.5, 50.9]}, properties={"height": height})]
    trees += [Feature(id="gone", geometry=None)] * (1 - at)
    features, _ = check_features(Features(collection="trees", items=trees), Bounds())
    store.append(Batch(origin="register", dataset="commons", reader=reader, received_at=at, delivered=["trees"],
                       collections=[Collection(id="trees", title="Trees", snapshot=True)], features=[features]))
store.set_cursor("behind", store.newest_change() - 1)

stop, written = threading.Event(), []
def write():
    from django.db import connection
    n = 100
    while not stop.is_set():
        create("Observation", {"result": n, "phenomenonTime": f"2025-01-01T00:00:00.{n:06d}Z"}, Datastream="mixed")
        written.append(n)
        n += 1
    connection.close()
writers = [threading.Thread(target=write)]
for w in writers: w.start()
while len(written) < 5: pass
before = len(written)
outcome = write_backup(Path(sys.argv[2]), house.profile.id, lambda *_: None)
after = len(written)
stop.set()
for w in writers: w.join()
print(before, after, flush=True)
"""

# All rows of all tables but those that are meant to differ.
LOOK = """
import json
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.web.backup import paperwork, snapshot
from allmende.storage import bulk
from allmende.storage.schema import TABLES
import base64, msgspec
found = {}
with snapshot() as connection:
    for name in TABLES:
        table = bulk.describe(connection, name)
        rows = [dict(zip(table.columns, row)) for row in bulk.read_rows(connection, table)]
        found[name] = rows
    counts = connection.execute("SELECT s.count, (SELECT count(*) FROM observation o WHERE o.datastream ="
                                " s.datastream) FROM stream_state s").fetchall()
    for model in paperwork():
        found[model._meta.label_lower] = list(model.objects.values())
found["~counts"] = [list(row) for row in counts]
found["~pending"] = [[c.stream, c.start] for c in house.store.changes(house.store.cursor("behind") or 0, 10_000)]
print(msgspec.json.encode(found).decode())
"""

AFTER = """
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.domain.creation import plan_creation
from allmende.domain.policy import house_reader
from allmende.domain.batch import Batch, Ref
from allmende.web.accounts.models import User
store, reader = house.store, house_reader("test")
from allmende.domain.query import Query
newest = store.newest_change()
def create(entity, body, **links):
    plan = plan_creation(entity, body, now=2_208_988_800_000_000, links={k: Ref(id=v) for k, v in links.items()})
    return store.append(Batch(origin="test", dataset="commons", reader=reader, received_at=1, entities=plan))
create("Thing", {"name": "new", "description": "new"})
create("Observation", {"result": 1, "phenomenonTime": "2030-01-01T00:00:00Z"}, Datastream="mixed")
User.objects.create_user("bob", "", "a long and quiet river")
(change,) = store.changes(newest, 10)
assert change.number > 0 >= newest + 1, (change.number, newest)
(row,) = store.change_page(change, Query(entity="Observation", reader=reader)).rows
from allmende.domain.features import FeatureQuery
(tree,) = store.features(FeatureQuery(collection="trees", reader=reader, bbox=(11, 50, 12, 51))).items
assert (tree.id, tree.properties) == ("ä/1", '{"height":4}')
assert len(store.feature_versions(reader, "trees", "ä/1")) == 2
print("ok")
"""
ALLMENDE = "import sys; from allmende.web.cli import main; sys.exit(main())"


def make_house(engine: str, folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ALLMENDE_", "DJANGO"))}
    environ = {**kept, "ALLMENDE_HOME": str(folder / "home"), "ALLMENDE_DISK_FLOOR": "0", **make_town(folder)}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ["PYTHONPATH"], os.environ.get("PYTHONPATH")]))
    if engine == "postgres":
        environ["ALLMENDE_DATABASE_URL"] = migrated_database()
    put_database(folder / "home")
    run(environ, ALLMENDE, "init", "--city", str(folder / "town"))
    return environ


def run(environ: dict[str, str], code: str, *arguments: str, fails: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == fails, done.stderr
    return done.stderr if fails else done.stdout


@pytest.fixture(scope="module", params=ENGINES)
def taken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """A full house, and a backup of it that was taken while others wrote."""
    folder = tmp_path_factory.mktemp(request.param)
    environ = make_house(request.param, folder)
    (folder / "people.csv").write_bytes(people(3_000) + b"no number\n")
    file = folder / "house.backup"
    before, after = map(int, run(environ, FILL, str(folder / "people.csv"), str(file)).split())
    assert before <= after
    return environ, file


def comparable(found: dict[str, Any]) -> dict[str, list[str]]:
    """Rows in any order; numbers of changes and passing times aside."""
    told = {}
    for name, rows in found.items():
        if name.startswith("~") or name in ("follower", "accounts.auditentry", "accounts.audithead"):
            continue
        for row in rows:
            for column in ("change", "replaced_by", *(["number"] if name.endswith("_log") else [])):
                row.pop(column, None)
        told[name] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    return told


def test_what_was_taken_comes_back(taken: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    """On the same engine, and from there on the other."""
    source, file = taken
    engine = "postgres" if "ALLMENDE_DATABASE_URL" in source else "sqlite"
    house = make_house(engine, tmp_path)
    told = json.loads(run(house, ALLMENDE, "restore", str(file), "--json"))
    assert told["tables"]["observation"] > 3_000
    first = json.loads(run(house, LOOK))
    assert {row["kind"] for row in first["change_log"]} == {"append"}
    assert all(row["number"] < 0 for row in first["change_log"])
    assert all(count == there for count, there in first["~counts"])  # one state of all tables
    assert len(first["~pending"]) >= 1  # the follower goes on where it was: what it had not seen, and no more
    assert len(first["~pending"]) < 3_000
    assert [row["username"] for row in first["accounts.user"]] == ["ada"]
    assert json.loads(json.dumps(first["rejection"]))[0]["body"]

    # Taken again from the restored house, and put over another one: all tables are the same.
    again = tmp_path / "again.backup"
    run(house, ALLMENDE, "backup", str(again))
    other = make_house("sqlite" if engine == "postgres" else "postgres", tmp_path / "other")
    (tmp_path / "more.csv").write_bytes(people(10))
    run(other, ALLMENDE, "import", "gate", str(tmp_path / "more.csv"))
    assert "not empty" in run(other, ALLMENDE, "restore", str(again), fails=1)
    run(other, ALLMENDE, "restore", str(again), "--replace")
    assert comparable(json.loads(run(other, LOOK))) == comparable(first)
    assert run(other, AFTER) == "ok\n"
    assert run(house, AFTER) == "ok\n"


def test_a_backup_is_for_its_owner_alone_and_overwrites_nothing(taken: tuple[dict[str, str], Path]) -> None:
    environ, file = taken
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "there is a file already" in run(environ, ALLMENDE, "backup", str(file), fails=1)
    assert not list(file.parent.glob(".*.part"))


def test_what_does_not_fit_is_refused(taken: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    environ, file = taken
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    header = json.loads(lines[0])
    newer = {**header, "migrations": [*header["migrations"], "measured.9999_later"]}
    older = {**header, "migrations": header["migrations"][:-1]}
    other = {**header, "city": "elsewhere"}
    for said, words in (
        (newer, "measured.9999_later"),
        (older, "restore it with that release"),
        (other, "of the city"),
    ):
        (tmp_path / "bad").write_bytes(gzip.compress(json.dumps(said).encode() + b"\n"))
        with pytest.raises(InvalidInput, match=words):
            check_fits(Reader(tmp_path / "bad").header, header["city"], tuple(header["migrations"]), "bad")
    assert words in run(environ, ALLMENDE, "restore", str(tmp_path / "bad"), "--replace", fails=1)


def test_a_row_that_cannot_be_put_back_takes_everything_back(
    taken: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    """The checksum is right, but two rows have one key."""
    environ, file = taken
    before = run(environ, LOOK)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.startswith(b'{"table":"thing"')) + 1
    rows = json.loads(lines[place])
    lines[place] = json.dumps([*rows, rows[0]]).encode() + b"\n"
    end = json.loads(lines[-1])
    end["end"]["thing"] += 1
    end["sha256"] = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    (tmp_path / "twice").write_bytes(gzip.compress(b"".join(lines[:-1]) + json.dumps(end).encode() + b"\n"))
    run(environ, ALLMENDE, "restore", str(tmp_path / "twice"), "--replace", fails=1)
    assert run(environ, LOOK) == before
