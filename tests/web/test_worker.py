"""Pulls, their pauses and their words; the lease; what is tidied up."""

import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
import structlog
from django.db import models
from django.utils import timezone
from tests.support import HOUSE
from tests.web.servers import serving
from tests.web.simple import city, connector, lines, make_intake, payload

from allmende.connectors.fetching import FetchError
from allmende.domain.times import DAY
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import AUDIT_DAYS, AuditEntry
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.profiles import load_profile
from allmende.web.sources import prepare_sources
from allmende.web.worker.jobs import Job, Task, tasks
from allmende.web.worker.lease import Holder
from allmende.web.worker.models import Lease
from allmende.web.worker.pauses import FIRST_PAUSE, LONGEST_PAUSE, pause_after
from allmende.web.worker.pull import Puller
from allmende.web.worker.trouble import in_words
from allmende.web.worker.upkeep import tidy_up


@pytest.fixture(autouse=True)
def _no_django_connection(monkeypatch):
    """The jobs here have stores of their own; nobody has to close Django's connections after them."""
    monkeypatch.setattr("allmende.web.worker.jobs.close_old_connections", lambda: None)


@pytest.fixture
def server():
    with serving() as running:
        yield running


def make_job(tmp_path, server, name: str, **options) -> Job:
    profile = city(feed={"address": server.url(name), "interval": "PT5M"})
    intake = make_intake(tmp_path, profile=profile)
    (task,) = tasks(intake)
    return Job(task, intake, threading.Event(), Puller(task.source.source, **options))


def state(job: Job):
    return job._intake.store.sources()["feed"]


# --- pulls


def test_a_pull_is_taken_and_told(tmp_path, server):
    job = make_job(tmp_path, server, "good")
    assert job.ask() == ""
    assert (state(job).accepted, state(job).last_error) == (1, "")
    assert state(job).last_success is not None
    assert server.headers["good"]["User-Agent"].startswith("allmende/")
    assert job.ask() == ""
    assert state(job).repeated == 1


def test_what_has_not_changed_is_not_sent_again(tmp_path, server):
    job = make_job(tmp_path, server, "tagged")
    job.ask()
    job.ask()
    assert server.asked["tagged"] == 2
    assert (state(job).accepted, state(job).repeated) == (1, 0)
    server.body = b"header\na,2,6\n"
    job.ask()
    assert state(job).accepted == 2


def test_a_change_is_not_missed_when_it_could_not_be_kept(tmp_path, server, monkeypatch):
    job = make_job(tmp_path, server, "tagged")
    with monkeypatch.context() as broken:
        broken.setattr(type(job._intake), "take_all", lambda *_: (_ for _ in ()).throw(OSError("no room")))
        assert "no room" in job.ask()
    assert job.ask() == ""
    assert state(job).accepted == 1


def test_a_large_answer_waits_on_the_disk_and_is_read_in_pieces(tmp_path, server, monkeypatch):
    monkeypatch.setattr("allmende.web.worker.pull._IN_MEMORY", 1000)
    server.body = lines(*(f"a,{second},5" for second in range(5000)))
    spool = tmp_path / "spool"
    spool.mkdir()
    job = make_job(tmp_path, server, "good", folder=spool)
    assert job.ask() == ""
    assert state(job).accepted == 5000
    assert list(spool.iterdir()) == []
    shutil.rmtree(spool)
    assert "No such file" in job.ask()  # what finds no room is told, and nothing of it is taken


def test_the_largest_answer_is_a_setting(tmp_path, server):
    profile = city(feed={"address": server.url("large"), "interval": "PT5M"})
    intake = make_intake(tmp_path, profile=profile)
    intake.config = Config(home=tmp_path, pull_bytes=2048)
    (task,) = tasks(intake)
    assert "larger than 2,048 bytes" in Job(task, intake, threading.Event()).ask()


def test_an_address_that_moved_is_followed(tmp_path, server):
    job = make_job(tmp_path, server, "moved")
    assert job.ask() == ""
    assert state(job).accepted == 1


def test_no_proxy_of_the_environment_is_used(tmp_path, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert make_job(tmp_path, server, "good").ask() == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "answered with 503"),
        ("round", "from address to address"),
        ("short", "broke off in the middle"),
        ("nonsense", "broke off in the middle"),
        ("hang", "did not answer in time"),
        ("drip", "did not come to its end within 0.5 seconds"),
        ("slow_head", "did not come to its end within 0.5 seconds"),
        ("inside", "sent on to localhost, which is no public address"),
        ("large", "larger than 100,000 bytes"),
        ("garbage", "Nothing of what came could be read"),
    ],
)
def test_what_goes_wrong_is_said_in_plain_words(tmp_path, server, name, words):
    job = make_job(tmp_path, server, name, read_seconds=0.3, total_seconds=0.5, max_bytes=100_000)
    assert words in job.ask()
    assert words in state(job).last_error
    assert state(job).accepted == 0


def test_a_secret_in_the_address_is_sent_and_never_shown(tmp_path, server, monkeypatch):
    monkeypatch.setenv("SOURCE_KEY", "s3cr3t/one")
    for name in ("good", "refused"):
        profile = city(feed={"address": server.url(name) + "?key=${SOURCE_KEY}", "interval": "PT5M"})
        (tmp_path / name).mkdir()
        intake = make_intake(tmp_path / name, profile=profile)
        (task,) = tasks(intake)
        with structlog.testing.capture_logs() as logs:
            error = Job(task, intake, threading.Event()).ask()
        assert server.paths[name] == f"/{name}?key=s3cr3t%2Fone"
        assert "s3cr3t" not in f"{error}{logs}{intake.store.sources()}"
    server.body = b"header\na,x,y\n"
    profile = city(feed={"address": server.url("good") + "?token=literal", "interval": "PT5M"})
    intake = make_intake(tmp_path, profile=profile)
    (task,) = tasks(intake)
    Job(task, intake, threading.Event()).ask()
    (kept,) = intake.store.rejections()
    assert kept.name == server.url("good") + "?token=***"
    assert any("a secret stands in its address" in problem for problem in intake.sources["feed"].problems)


def test_nothing_ends_the_thread_of_a_source(tmp_path, server, monkeypatch):
    job = make_job(tmp_path, server, "good")
    monkeypatch.setattr(type(job._intake.store), "note_attempt", lambda *_: (_ for _ in ()).throw(RuntimeError("gone")))
    waits = []
    monkeypatch.setattr(job._stop_event, "wait", lambda seconds: (waits.append(seconds), job._stop_event.set()))
    job.run()
    assert 0 < waits[0] <= 1.2 * FIRST_PAUSE
    assert in_words(ValueError("odd"), "http://[::1") == "The connector failed: ValueError: odd"


def test_a_host_that_is_not_there_is_said(tmp_path, server):
    job = make_job(tmp_path, server, "good")
    server.close()
    assert "refused the connection (127.0.0.1)" in job.ask()
    lost = Task(source=job.task.source, address="http://nowhere.invalid/x", seconds=300)
    assert "name is not known" in Job(lost, job._intake, threading.Event()).ask()


def test_a_failing_source_is_logged_once(tmp_path, server):
    job = make_job(tmp_path, server, "gone")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            job.ask()
    assert [entry["event"] for entry in logs] == ["a source fails"]
    assert state(job).last_error_at is not None


def test_a_connector_that_fails_to_fetch_is_told(tmp_path):
    def fetch(source, *, now, since):
        yield payload(lines("a,1,5"))
        raise OSError("the device is off")

    intake = make_intake(
        tmp_path, profile=city(feed={"interval": "PT1M"}), connectors={"simple": connector(fetch=fetch)}
    )
    (task,) = tasks(intake)
    job = Job(task, intake, threading.Event())
    assert "the device is off" in job.ask()
    assert state(job).accepted == 1


def test_fetch_is_told_the_newest_reading(tmp_path):
    asked = []

    def fetch(source, *, now, since):
        asked.append(since)
        return [payload(lines("a,60,5"))]

    intake = make_intake(
        tmp_path, profile=city(feed={"interval": "PT1M"}), connectors={"simple": connector(fetch=fetch)}
    )
    job = Job(tasks(intake)[0], intake, threading.Event())
    job.ask()
    job.ask()
    assert asked == [None, intake.store.latest(HOUSE)[0].start]


def test_a_slow_source_does_not_slow_another(tmp_path, server):
    profile = city(
        slow={"address": server.url("hang"), "interval": "PT1M"},
        quick={"address": server.url("good"), "interval": "PT0.2S"},
    )
    intake = make_intake(tmp_path, profile=profile)
    stop = threading.Event()
    jobs = [Job(task, intake, stop) for task in tasks(intake)]
    for job in jobs:
        job.start()
    until = time.monotonic() + 30
    while server.asked["good"] < 4 and time.monotonic() < until:
        time.sleep(0.02)
    stop.set()
    assert server.asked["good"] >= 4
    assert server.asked["hang"] == 1
    jobs[1].join(5)
    assert not jobs[1].is_alive()


def test_pauses_grow_and_stay_within_bounds():
    assert pause_after(0, 300) == 300
    for failures in range(1, 40):
        pause = pause_after(failures, 300)
        expected = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
        assert 0.8 * expected <= pause <= 1.2 * expected
    assert pause_after(1, 5) <= 6
    assert len({pause_after(3, 300) for _ in range(10)}) > 1
    # A source that is asked once a day is not asked more often because it fails.
    assert pause_after(30, 86400.0) >= 0.8 * 86400


def test_the_description_of_jena_is_asked_for_daily(tmp_path):
    intake = make_intake(tmp_path)
    intake.sources = prepare_sources(load_profile("jena"))
    by_main = {(task.source.source.id, task.main): task for task in tasks(intake)}
    assert by_main[("jena-parking", True)].seconds == 300
    assert by_main[("jena-parking", False)].seconds == 86400
    assert by_main[("jena-parking", False)].address.endswith("parking.json")
    assert by_main[("demo", True)].address == ""
    assert ("chirpstack", True) not in by_main


def test_the_city_s_simulation_fills_four_weeks_and_goes_on(tmp_path):
    profile = load_profile(os.environ["ALLMENDE_CITY"])
    intake = make_intake(tmp_path, profile=profile)
    intake.sources = prepare_sources(profile)
    (task,) = (t for t in tasks(intake) if t.source.source.id == "demo")
    job = Job(task, intake, threading.Event())
    assert job.ask() == ""
    filled = intake.store.sources()["demo"]
    first = min(latest.first for latest in intake.store.latest(HOUSE, origin="demo"))
    assert now_micros() - first > 27 * DAY
    assert filled.rejected == 0
    assert job.ask() == ""
    assert intake.store.sources()["demo"].accepted - filled.accepted < 1000


def test_words_for_anything():
    assert in_words(ValueError("x")) == "The connector failed: ValueError: x"
    assert in_words(FetchError("plain")) == "plain"
    assert in_words(OSError()) == "The data could not be read: OSError"


# --- the lease


@pytest.mark.django_db
def test_a_lease_has_one_holder():
    first, second = Holder("work"), Holder("work")
    assert first.take()
    assert not second.take()
    assert first.take()
    assert Holder("other").take()
    first.give_back()
    assert second.take()
    assert not first.take()


@pytest.mark.django_db
def test_a_stale_lease_is_taken_over():
    first, second = Holder("work"), Holder("work")
    assert first.take()
    Lease.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert second.take()
    assert not first.take()
    first.give_back()
    assert Lease.objects.get().holder == second.id


@pytest.mark.django_db
def test_a_holder_whose_process_is_gone_is_not_waited_for():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    first, second = Holder("work"), Holder("work")
    first.take()
    Lease.objects.update(process=process.pid)
    assert second.take()
    second.give_back()
    first.take()
    Lease.objects.update(process=process.pid, host="another-machine")
    assert not second.take()


# --- tidying up


@pytest.mark.django_db
def test_what_is_old_goes(tmp_path):
    intake = make_intake(tmp_path, rejection_days=2.0)
    config = Config(home=tmp_path, rejection_days=2.0)
    old = payload(lines("bad"))
    intake.take("feed", old)
    record("user:anna", "login")
    record("user:bert", "login")
    entry = AuditEntry.objects.earliest("id")
    long_ago = timezone.now() - timedelta(days=AUDIT_DAYS + 1)
    models.QuerySet.update(AuditEntry.objects.filter(pk=entry.pk), at=long_ago)
    tidy_up(intake.store, config, old.received_at + DAY)
    assert len(intake.store.rejections()) == 1
    assert [e.actor for e in AuditEntry.objects.order_by("id")] == ["user:bert", "house:worker"]
    tidy_up(intake.store, config, old.received_at + 3 * DAY)
    assert intake.store.rejections() == []


@pytest.mark.django_db
def test_what_cannot_be_tidied_up_keeps_nothing_else(tmp_path, monkeypatch):
    def fail():
        raise RuntimeError("a mistake")

    monkeypatch.setattr("allmende.web.worker.upkeep.prune_sessions", fail)
    intake = make_intake(tmp_path, rejection_days=2.0)
    old = payload(lines("bad"))
    intake.take("feed", old)
    config = Config(home=tmp_path, rejection_days=0.001)
    tidy_up(intake.store, config, old.received_at + DAY)
    assert intake.store.rejections() == []
    record("user:anna", "login")
    models.QuerySet.update(AuditEntry.objects.all(), at=timezone.now() - timedelta(days=AUDIT_DAYS + 1))
    monkeypatch.setattr(intake.store, "prune_rejections", lambda **_: fail())
    tidy_up(intake.store, config, old.received_at + DAY)
    assert [e.actor for e in AuditEntry.objects.all()] != ["user:anna"], "what comes behind is done"
