"""The audit log is a chain: what was changed in it past the house is found, and what is erased on purpose is not."""

import importlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from tests.web.test_backup import ALLMENDE, make_house, run

from allmende.web.accounts.audit import record
from allmende.web.accounts.models import AuditEntry
from allmende.web.accounts.verifying import look_at_newest, verify


def past_the_house(entries: models.QuerySet[AuditEntry], **values: object) -> None:
    """As somebody would with a shell of the database."""
    models.QuerySet.update(entries, **values)


@pytest.fixture
def numbers(db: None) -> list[int]:
    """Those of five entries."""
    for n in range(5):
        record(f"user:u{n}", "test", f"thing:{n}", value=n * 1e20, text="ä", list=[1.0, None])
    return list(AuditEntry.objects.order_by("id").values_list("id", flat=True))


def test_what_nobody_touched_is_whole(numbers: list[int]) -> None:
    verdict = verify()
    assert (verdict.entries, verdict.break_) == (5, None)
    assert verdict.newest == AuditEntry.objects.latest("id").digest
    assert look_at_newest(2).break_ is None
    record("user:x", "test")
    assert verify(verdict.newest).break_ is None
    assert "written down" in verify("0" * 64).break_.what


@pytest.mark.parametrize(
    "values",
    [
        {"actor": "user:other"},
        {"object": ""},
        {"detail": {"value": 2}},
        {"request_id": "x"},
        {"action": "tested"},
        {"at": datetime(2025, 1, 1, tzinfo=UTC)},
        {"salt": "0" * 32},
        {"payload_digest": "0" * 64},
        {"digest": "0" * 64},
        {"salt": ""},
    ],
    ids=str,
)
def test_a_change_is_found_where_it_is(numbers: list[int], values: dict[str, object]) -> None:
    past_the_house(AuditEntry.objects.filter(pk=numbers[2]), **values)
    assert verify().break_.entry == numbers[2]
    assert verify().entries == 2
    assert look_at_newest(4).break_.entry == numbers[2]


@pytest.mark.parametrize(("place", "found"), [(0, 1), (2, 3), (4, None)])
def test_what_is_missing_is_found(numbers: list[int], place: int, found: int | None) -> None:
    models.QuerySet.delete(AuditEntry.objects.filter(pk=numbers[place]))
    assert verify().break_.entry == (None if found is None else numbers[found])


def test_what_was_moved_is_found(numbers: list[int]) -> None:
    aside = 10**9
    for old, new in ((numbers[1], aside), (numbers[2], numbers[1]), (aside, numbers[2])):
        past_the_house(AuditEntry.objects.filter(pk=old), id=new)
    assert verify().break_.entry == numbers[1]


@pytest.mark.parametrize("behind", [False, True])
def test_what_was_put_in_is_found(numbers: list[int], behind: bool) -> None:
    copy = AuditEntry.objects.get(pk=numbers[1])
    copy.pk = numbers[4] + 1 if behind else numbers[0] - 1
    models.Model.save_base(copy, raw=True, force_insert=True)
    assert verify().break_.entry == copy.pk


def test_one_person_is_erased_and_the_chain_holds(numbers: list[int]) -> None:
    record("user:anna", "login")
    record("user:stella", "grant.give", "dataset:inner", to="user:jürgen")
    record("user:stella", "user.role", "user:anna", role="editor")
    record("user:annabel", "login")
    assert AuditEntry.objects.erase("user:jürgen") == 1
    assert AuditEntry.objects.erase("user:anna") == 2
    assert AuditEntry.objects.erase("user:anna") == 0
    said = json.dumps(list(AuditEntry.objects.values("actor", "object", "detail", "request_id")))
    assert 'anna"' not in said
    assert "annabel" in said
    assert AuditEntry.objects.filter(salt="", action="user.role").count() == 1
    assert verify().break_ is None
    past_the_house(AuditEntry.objects.filter(salt="", action="login"), actor="user:eve")
    assert "erased" in verify().break_.what


def test_what_went_by_its_age_leaves_a_whole_chain(numbers: list[int]) -> None:
    now = timezone.now()
    for days, place in ((3, 0), (2, 1)):  # as if they had been written then
        past_the_house(AuditEntry.objects.filter(pk=numbers[place]), at=now - timedelta(days=days))
    assert AuditEntry.objects.prune(now - timedelta(days=1)) == 2
    assert AuditEntry.objects.prune(now - timedelta(days=1)) == 0
    assert AuditEntry.objects.latest("id").action == "audit.prune"
    assert (verify().break_, verify().entries) == (None, 4)
    assert AuditEntry.objects.prune(now + timedelta(days=2)) == 4
    assert (verify().break_, verify().entries) == (None, 1)
    record("user:x", "test")
    models.QuerySet.delete(AuditEntry.objects.filter(action="audit.prune"))
    assert verify().break_ is not None


def test_an_entry_goes_with_its_deed(numbers: list[int]) -> None:
    with transaction.atomic():
        record("user:x", "test")
        transaction.set_rollback(True)
    record("user:y", "test")
    assert (verify().break_, verify().entries) == (None, 6)


WRITE = """
import sys, threading
from allmende.web.cli.opened import open_house
open_house()
from django.db import connection, transaction
from allmende.web.accounts.audit import record
def work(name):
    for n in range(25):
        with transaction.atomic():
            record(f"user:{name}", "test", f"n:{n}", value=n * 1e20)
            if n % 5 == 0:
                record(f"user:{name}", "again", f"n:{n}")
    connection.close()
threads = [threading.Thread(target=work, args=(f"{sys.argv[1]}{n}",)) for n in range(2)]
for t in threads: t.start()
for t in threads: t.join()
"""
BREAK = """
from allmende.web.cli.opened import open_house
open_house()
from django.db import models
from allmende.web.accounts.models import AuditEntry
models.QuerySet.update(AuditEntry.objects.filter(object="n:7", actor="user:b1"), object="n:8")
"""


def finished(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command, however it ends."""
    command = [sys.executable, "-c", ALLMENDE, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_processes_write_one_sequence(engine: str, tmp_path: Path) -> None:
    environ = make_house(engine, tmp_path)
    command = [sys.executable, "-c", WRITE]
    both = [subprocess.Popen([*command, name], env=environ, stderr=subprocess.PIPE) for name in "ab"]
    said = [each.communicate(timeout=90)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    found = json.loads(run(environ, ALLMENDE, "audit", "verify", "--json"))
    assert (found["whole"], found["break"]) == (True, None)
    assert found["held"] >= 2 * 2 * 30
    erased = json.loads(run(environ, ALLMENDE, "audit", "erase", "user:a0", "--json"))
    assert erased == {"erased": 30}
    again = json.loads(run(environ, ALLMENDE, "audit", "verify", "--known", found["newest"], "--json"))
    assert (again["whole"], again["held"]) == (True, found["held"] + 1)
    assert "ok     audit log: the newest" in finished(environ, "check").stdout
    listed = json.loads(run(environ, ALLMENDE, "audit", "list", "--actor", "user:b1", "--action", "again", "--json"))
    assert [each["object"] for each in listed] == ["n:20", "n:15", "n:10", "n:5", "n:0"]
    run(environ, BREAK)
    done = finished(environ, "audit", "verify")
    assert done.returncode == 1
    assert "is broken after" in done.stdout
    assert "wrong  audit log: entry" in finished(environ, "check").stdout


@pytest.mark.django_db
def test_entries_from_before_the_chain_are_held_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Migration 0009, in several pieces; what is written behind it goes on."""
    migration = importlib.import_module("allmende.web.accounts.migrations.0009_audit_chain_of_old")
    monkeypatch.setattr(migration, "CHUNK", 3)
    old = [AuditEntry(actor="user:änne", action="test", object=f"thing:{n}", detail={"n": [n]}) for n in range(7)]
    models.QuerySet(AuditEntry).bulk_create(old)  # as they were: without salts and digests
    past = MigrationExecutor(connection).loader.project_state(("accounts", "0008_audit_chain")).apps
    migration.chain_of_old(past, None)
    record("user:bert", "test")
    verdict = verify("")
    assert (verdict.break_, verdict.entries) == (None, 8)
    models.QuerySet(AuditEntry).filter(object="thing:4").update(actor="user:carl")
    assert verify("").break_ is not None


@pytest.mark.django_db
def test_an_empty_log_begins_its_chain() -> None:
    migration = importlib.import_module("allmende.web.accounts.migrations.0009_audit_chain_of_old")
    past = MigrationExecutor(connection).loader.project_state(("accounts", "0008_audit_chain")).apps
    migration.chain_of_old(past, None)
    record("user:bert", "test")
    assert (verify("").break_, verify("").entries) == (None, 1)
