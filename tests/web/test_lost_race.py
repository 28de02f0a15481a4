"""Audited writes on PostgreSQL: a deadlock with another writer is run again, and nobody is told of it."""

from pathlib import Path

from tests.web.test_backup import make_house, run

# Each holds what the other wants next; the server ends one of them.
MEET = """
import threading
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.domain.face import Response
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import AuditEntry
from allmende.web.sta import _together
from django.db import connection
store = house.store
for name in "ab":
    store._commit(lambda c: c.execute("INSERT INTO origin (name, version) VALUES (?, '0')", (name,)))
both, tries, answers = threading.Barrier(2), [], []
def writer(first, second):
    def work():
        tries.append(first)
        meet = tries.count(first) == 1
        def write(c):
            c.execute("UPDATE origin SET version = version || '1' WHERE name = ?", (first,))
            if meet: both.wait(20)
            c.execute("UPDATE origin SET version = version || '1' WHERE name = ?", (second,))
        store._commit(write)
        record("test", "met", first)
        return Response(status=200)
    answers.append(_together(store, work).status)
    connection.close()
threads = [threading.Thread(target=writer, args=pair) for pair in ("ab", "ba")]
for t in threads: t.start()
for t in threads: t.join()
found = store._read(lambda c: c.execute("SELECT version FROM origin WHERE name IN ('a', 'b')").fetchall())
print(answers, len(tries), found, AuditEntry.objects.filter(action="met").count())
"""

# The server's own word for a full disk, and a limit that was set.
FULL = """
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.domain.errors import StorageFull
from allmende.storage.committer import translated
store = house.store
def fill(c):
    c.execute("INSERT INTO origin (name, version) VALUES ('lost', '0')")
    c.execute("DO $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device'"
              " USING ERRCODE = 'disk_full'; END $$")
try: store._commit(fill)
except StorageFull as error: print(error)
print(store._read(lambda c: c.execute("SELECT count(*) FROM origin WHERE name = 'lost'").fetchone()[0]))
import msgspec
from allmende.web.disk import DiskFloor
DiskFloor(msgspec.structs.replace(house.config, database_bytes=2**40)).check()
try: DiskFloor(msgspec.structs.replace(house.config, database_bytes=2**20)).check()
except StorageFull as error: print(error)
"""

# The same words where the audit log itself cannot be written: alone, in a batch, and in a group of one.
AUDIT = """
import json
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.web.accounts.models import AuditEntry
from allmende.web.accounts.tokens import create_token
from django.db import connection
from django.test import Client
table = AuditEntry._meta.db_table
with connection.cursor() as c:
    c.execute("CREATE SEQUENCE met")
    c.execute("CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
              " IF NEW.object LIKE '%full%' THEN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END IF;"
              " IF NEW.object LIKE '%broken%' THEN RAISE EXCEPTION 'a fault' USING ERRCODE = 'invalid_name'; END IF;"
              " IF NEW.object LIKE '%meets%' AND nextval('met') % 2 = 1 THEN"
              " RAISE EXCEPTION 'a race' USING ERRCODE = 'deadlock_detected'; END IF; RETURN NEW; END $$")
    c.execute(f"CREATE TRIGGER trouble BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION trouble()")
_, secret = create_token("t", actor="test", may_write=True)
client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {secret}"})
def post(path, body): return client.post(f"/sta/v1.1/{path}", json.dumps(body), content_type="application/json")
def thing(name): return {"@iot.id": name, "name": name, "description": name}
print([post("Things", thing(name)).status_code for name in ("full", "broken", "meets1")])
parts = [("a", "", "before"), ("b", "g", "lost"), ("c", "g", "full2"), ("d", "h", "kept"), ("e", "h", "meets2"),
         ("f", "", "full3"), ("i", "", "after")]
requests = [{"id": i, "method": "POST", "url": "Things", "body": thing(name), **({"atomicityGroup": g} if g else {})}
            for i, g, name in parts]
print([answer["status"] for answer in post("$batch", {"requests": requests}).json()["responses"]])
print([row["@iot.id"] for row in client.get("/sta/v1.1/Things?$orderby=id").json()["value"]])
print(AuditEntry.objects.filter(action="sensorthings.create").count())
"""


def test_writers_that_meet_are_both_answered(tmp_path: Path) -> None:
    said = run(make_house("postgres", tmp_path), MEET)
    assert said == "[200, 200] 3 [('011',), ('011',)] 2\n"


def test_a_full_server_is_told_in_the_same_words(tmp_path: Path) -> None:
    full, kept, limit = run(make_house("postgres", tmp_path), FULL).splitlines()
    assert "the database's disk is full; nothing of this was stored" in full
    assert kept == "0"
    assert "ALLMENDE_DATABASE_BYTES" in limit


def test_what_cannot_be_noted_is_not_done(tmp_path: Path) -> None:
    alone, batch, kept, noted = run(make_house("postgres", tmp_path), AUDIT).splitlines()
    assert alone == "[507, 500, 201]"
    assert batch == "[201, 424, 507, 201, 201, 507, 201]"
    assert kept == "['after', 'before', 'kept', 'meets1', 'meets2']"
    assert noted == "5"
