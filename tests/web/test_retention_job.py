"""Retention in a small city: the commands, the worker's thread, the page of the sources, the disk's warning."""

import json
import threading

import msgspec
import pytest
from django.conf import settings
from tests.web.simple import city, make_intake, payload
from tests.web.simple import lines as table

from allmende.domain.dataset import Personal
from allmende.domain.privacy import with_deletion
from allmende.domain.retention import parse_retention
from allmende.web.accounts.models import AuditEntry
from allmende.web.cli import main
from allmende.web.house import furnish, open_store
from allmende.web.retention import warn_of_disk
from allmende.web.worker import retention as worker
from allmende.web.worker.retention import RetentionThread

RULES = {"counts": {"source": "feed", "keep": "latest"}}


@pytest.fixture
def profile():
    return msgspec.structs.replace(city(), retention=parse_retention(RULES))


@pytest.fixture
def house(db, monkeypatch, tmp_path, profile):
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    monkeypatch.setattr("allmende.web.observability.logs.configure", lambda *_: None)
    monkeypatch.setenv("ALLMENDE_DISK_FLOOR", "0")
    furnish(open_store(), profile)
    intake = make_intake(tmp_path, profile=profile)
    intake.store = open_store()
    intake.take("feed", payload(table("a,1,5", "a,2,6", "a,3,7")))
    return open_store()


def run(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[0])


def test_a_preview_touches_nothing_and_applying_is_in_the_audit_log(house, capsys):
    told = run(capsys, "retention", "preview")
    assert (told["readings"], told["instead"]) == (2, 0)
    assert told["bytes"] == told["sources"][0]["bytes"] == told["streams"][0]["bytes"] > 0
    assert [(one["source"], one["rule"], one["streams"]) for one in told["sources"]] == [("feed", "counts", 1)]
    assert run(capsys, "retention", "preview") == told
    assert not AuditEntry.objects.filter(action="retention.apply").exists()
    assert run(capsys, "retention", "apply")["readings"] == 2
    assert AuditEntry.objects.filter(action="retention.apply").count() == 1
    assert run(capsys, "retention", "apply") == {
        "readings": 0, "instead": 0, "bytes": 0, "sources": [], "streams": [],
    }  # fmt: skip


def test_words_say_what_would_go(house, capsys):
    assert main(["retention", "preview"]) == 0
    assert "2 readings would go, 0 in their place" in capsys.readouterr().out


def test_the_worker_does_it_and_a_full_disk_makes_it_hurry(house, profile, monkeypatch):
    config = msgspec.structs.replace(settings.ALLMENDE, database_url="", disk_floor=100, disk_warning=50)
    free = [1000]
    monkeypatch.setattr("allmende.web.retention.free_bytes", lambda _: free[0])
    rounds = []
    kept = worker.apply
    monkeypatch.setattr(worker, "apply", lambda *told: rounds.append(kept(*told)) or rounds[-1])
    thread = RetentionThread(profile, config, threading.Event())
    for left in (1000, 1000, 149, 140, 1000, 120):
        free[0] = left
        thread.round()
    assert [len(done) for done in rounds] == [1, 0, 0], "at first, and when the floor came near"
    from allmende.domain.policy import house_reader

    assert [latest.count for latest in house.latest(house_reader("test"))] == [1]


def test_what_tells_of_people_goes_in_time_and_the_log_says_so(house, profile):
    """All of it: the newest reading of a stream that has ended, too."""
    body = profile.datasets["counts"]
    told = msgspec.structs.replace(body, personal=Personal(purpose={"en": "to count"}, delete_after="P30D"))
    datasets = {**profile.datasets, "counts": told}
    rules = with_deletion({}, datasets)
    people = msgspec.structs.replace(profile, datasets=datasets, retention=rules)
    config = msgspec.structs.replace(settings.ALLMENDE, database_url="", disk_floor=0)
    thread = RetentionThread(people, config, threading.Event())
    thread.round()
    from allmende.domain.policy import house_reader

    assert [each.count for each in house.latest(house_reader("test"))] in ([], [0])
    assert not AuditEntry.objects.filter(action="retention.personal").exists(), "once a day"
    thread._stop_event.set()
    thread.run()
    entry = AuditEntry.objects.get(action="retention.personal")
    assert (entry.object, entry.detail["gone"]) == ("dataset:counts", 3)


def test_a_postgresql_database_near_its_limit_is_told(monkeypatch):
    mib = 2**20
    config = msgspec.structs.replace(
        settings.ALLMENDE, database_url="postgresql://x/y", database_bytes=10_000 * mib, disk_warning=500 * mib,
        disk_floor=100,
    )  # fmt: skip
    sizes = {"free": 10**12, "database": 9_499 * mib}
    monkeypatch.setattr("allmende.web.retention.free_bytes", lambda _: sizes["free"])
    monkeypatch.setattr("allmende.web.retention.database_bytes", lambda: sizes["database"])
    assert warn_of_disk(config) == ""
    sizes["database"] = 9_500 * mib
    assert "the database has 9,500 MiB" in warn_of_disk(config)
    assert warn_of_disk(msgspec.structs.replace(config, database_bytes=0)) == "", "there is no limit"
    small = msgspec.structs.replace(config, database_bytes=400 * mib)
    sizes["database"] = 300 * mib
    assert warn_of_disk(small) == "", "not from the first day on"
    sizes["free"] = 50
    assert "are free on the disk" in warn_of_disk(small), "the home's own disk counts, whatever the engine"


@pytest.mark.django_db
def test_the_page_of_the_sources_tells_keepers_how_much_room_there_is(client):
    from allmende.web.accounts.models import User

    german = {"headers": {"accept-language": "de"}}
    assert "Platz" not in client.get("/sources/", **german).text
    client.force_login(User.objects.create_superuser("anna"))
    text = client.get("/sources/", **german).text
    assert 'id="room"' in text
    assert "Frei auf der Platte dieses Hauses" in text
