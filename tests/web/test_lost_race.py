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
    answers.append(_together(work).status)
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
from allmende.web.intake import DiskFloor
DiskFloor(msgspec.structs.replace(house.config, database_bytes=2**40)).check()
try: DiskFloor(msgspec.structs.replace(house.config, database_bytes=2**20)).check()
except StorageFull as error: print(error)
"""


def test_writers_that_meet_are_both_answered(tmp_path: Path) -> None:
    said = run(make_house("postgres", tmp_path), MEET)
    assert said == "[200, 200] 3 [('011',), ('011',)] 2\n"


def test_a_full_server_is_told_in_the_same_words(tmp_path: Path) -> None:
    full, kept, limit = run(make_house("postgres", tmp_path), FULL).splitlines()
    assert "the database's disk is full; nothing of this was stored" in full
    assert kept == "0"
    assert "ALLMENDE_DATABASE_BYTES" in limit
