"""The worker follows the profile: what was released begins, changes and ends without a new process."""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.web.office import RULE, living_in, make_town
from tests.web.servers import serving
from tests.web.simple import connector, lines, payload

from allmende.web.accounts.models import User
from allmende.web.house import furnish, open_profile, open_sources, open_store
from allmende.web.live import live
from allmende.web.office import revisions
from allmende.web.worker.crew import Crew
from allmende.web.worker.run import Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def town(tmp_path, settings, monkeypatch):
    monkeypatch.setattr("allmende.connectors.registry.connectors", lambda: {"simple": connector()})
    monkeypatch.setattr("allmende.web.sources._versions", dict)
    with living_in(make_town(tmp_path / "town"), settings):
        furnish(open_store(), open_profile())
        yield settings.ALLMENDE


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna")


def put(by: User, kind: str, key: str, body: Any) -> revisions.Revision:
    """Alone, since there is nobody else."""
    draft = revisions.save_draft(kind, key, body, by)
    return revisions.release(draft, by, seen=draft.turn)[0]


def until(holds: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def pulled(server: Any, name: str) -> dict[str, Any]:
    return {
        "connector": "simple",
        "title": {"de": "Neu", "en": "New"},
        "enabled": True,
        "dataset": "counts",
        "address": server.url(name),
        "interval": "PT0.2S",
    }


def test_a_worker_takes_over_what_was_released_and_goes_on_after_a_restart(town, anna, server):
    def work() -> tuple[threading.Thread, threading.Event]:
        stop = threading.Event()
        thread = threading.Thread(target=Worker(open_store(), town, stop).run)
        thread.start()
        return thread, stop

    def state(name: str) -> Any:
        return open_store().sources().get(name)

    thread, stop = work()
    try:
        until(lambda: any(t.name == "retention" for t in threading.enumerate()))
        put(anna, "source", "fresh", pulled(server, "good"))
        until(lambda: state("fresh") and state("fresh").accepted)
        put(anna, "rule", "doubled", RULE)
        until(lambda: any(t.name == "rules" for t in threading.enumerate()))
        until(lambda: open_store().cursor("rules") is not None)
        open_store()
        from allmende.web.intake import Intake

        until(lambda: open_sources()["fresh"])
        Intake(open_store(), open_profile(), town, follow=open_sources).take("fresh", payload(lines("a,9,5")))
        until(lambda: state("rule/doubled"))
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    derived, asked = state("rule/doubled").accepted, server.asked["good"]

    live().expire()
    thread, stop = work()
    try:
        until(lambda: server.asked["good"] > asked)
        assert state("rule/doubled").accepted == derived
        revisions.undo(revisions.released("source", "fresh"), anna)
        until(lambda: not any(t.name == "job-fresh" for t in threading.enumerate()))
    finally:
        stop.set()
        thread.join(10)


def test_only_what_changed_begins_anew(town, anna, server):
    put(anna, "source", "one", pulled(server, "good"))
    put(anna, "source", "two", pulled(server, "tagged"))
    crew = Crew(open_store(), town, open_profile, open_sources)
    try:
        assert crew.settle()
        before = {name: running.thread for name, running in crew._running.items()}
        assert {"job-one", "job-two", "watch", "retention", "imports"} <= set(before)
        assert not crew.settle()
        put(anna, "source", "one", {**pulled(server, "good"), "interval": "PT0.1S"})
        put(anna, "dataset", "counts", {**revisions.current("dataset", "counts"), "publisher": "x"})  # type: ignore[dict-item]
        until(lambda: crew.settle() and "job-one" in crew._running)
        after = {name: running.thread for name, running in crew._running.items()}
        assert {name for name in before if before[name] is not after[name]} == {"job-one"}
        assert not before["job-one"].is_alive()
        put(anna, "source", "two", {**pulled(server, "tagged"), "enabled": False})
        until(lambda: crew.settle() or "job-two" not in crew._running)
        assert "job-two" not in crew.names
    finally:
        crew.stop(10)
    assert not any(thread.is_alive() for thread in after.values())


def test_a_thread_that_could_not_be_begun_or_was_lost_is_begun_later(town, anna, server, monkeypatch):
    begin = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "retention":
            raise RuntimeError("can't start new thread")
        begin(thread)

    crew = Crew(open_store(), town, open_profile, open_sources)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError):
                crew.settle()
        assert "retention" not in crew.names
        assert crew.settle()
        assert "retention" in crew.names
        lost = crew._running["watch"]
        lost.stop.set()
        lost.thread.join(10)
        assert crew.settle()
        assert crew._running["watch"].thread.is_alive()
        assert not crew.settle()
    finally:
        crew.stop(10)


def test_a_rule_of_retention_is_not_applied_at_once(town, anna):
    crew = Crew(open_store(), town, open_profile, open_sources)
    try:
        crew.settle()
        thread = crew._running["retention"].thread
        until(lambda: thread.due > 0)
        due = thread.due
        put(anna, "retention", "counts", {"dataset": "counts", "keep": "P1Y"})
        until(lambda: crew.settle() and "retention" in crew._running)
        assert crew._running["retention"].thread.due == due
        assert list(open_profile().retention) == ["counts", "all"]
    finally:
        crew.stop(10)


def test_the_profile_s_problem_ends_nobody_s_work(town, anna, server, tmp_path):
    put(anna, "source", "one", pulled(server, "good"))
    crew = Crew(open_store(), town, open_profile, open_sources)
    try:
        crew.settle()
        (tmp_path / "town" / "city.toml").write_text("broken =")
        for _ in range(3):
            live().expire()
            crew.settle()
        assert live().problem
        assert crew._running["job-one"].thread.is_alive()
    finally:
        crew.stop(10)
    assert msgspec.to_builtins(open_profile().sources["one"].enabled)
