"""What a service may use of the house, from outside of the package: its deeds, jobs, readings, frames and commons."""

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from tests.web.office import living_in, make_town

from allmende.city.house import asks_for, framed, house_of
from allmende.city.jobs import Job
from allmende.domain.errors import ConfigurationError, InvalidInput, NotFound
from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Query
from allmende.domain.records import (
    Declaration,
    Property,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.service import Service
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.accounts.people import give_role
from allmende.web.accounts.roles import may
from allmende.web.cli.app import run
from allmende.web.house import HouseMiddleware, furnish, house_for_job, open_profile, open_store
from allmende.web.live import live
from allmende.web.services import commons_of, switched_on
from allmende.web.worker.models import ServiceRun
from allmende.web.worker.services import ServiceThread, service_jobs

pytestmark = pytest.mark.django_db

BENCHES = Service(name="benches", prefix="benches/", app="tiny_benches", deeds={"benches.move": "editor"})
COMMONS = """
[datasets.benches]
title = { de = "Bänke", en = "Benches" }
description = { de = "Wo man sitzt", en = "Where to sit" }
publisher = "${publisher}"
licence = "CC0-1.0"
attribution = "${publisher}"
"""


@pytest.fixture
def benches(tmp_path, settings, monkeypatch) -> Service:
    """A service of another package, switched on in a town."""
    import allmende.web.urls  # noqa: F401  it is read once: not while another service is switched on

    package = tmp_path / "packages" / "tiny_benches"
    (package / "commons").mkdir(parents=True)
    (package / "commons" / "profile.toml").write_text(COMMONS)
    (package / "__init__.py").write_text("from tests.web.test_services import BENCHES as SERVICE\n")
    monkeypatch.syspath_prepend(str(package.parent))
    point = EntryPoint("benches", "tiny_benches", "allmende.services")
    monkeypatch.setattr("allmende.web.services.entry_points", lambda group: [point])
    town = make_town(tmp_path / "town")
    with (town / "city.toml").open("a") as file:
        file.write("\n[services.benches]\nrows = 3\n")
    old = time.time() - 60
    for path in (town / "city.toml", package / "commons" / "profile.toml"):
        os.utime(path, (old, old))
    settings.SERVICES = (BENCHES,)
    with living_in(town, settings, embed_hosts=("https://city.example",)):
        furnish(open_store(), open_profile())
        yield BENCHES
    sys.modules.pop("tiny_benches", None)


def asked(user: Any, path: str = "/benches/") -> HttpRequest:
    """A request that has come to the house."""
    request = RequestFactory().get(path)
    request.user = user
    HouseMiddleware(lambda request: HttpResponse())(request)
    return request


def seats(value: float) -> list[Any]:
    declared = Declaration(
        stream="bench-1~free-seats",
        name="Bench 1",
        thing=ThingDeclaration(id="bench-1", name="Bench 1"),
        sensor=SensorDeclaration(id="benches", name="Worked out"),
        observed_property=Property(id="free-seats", name="Free seats", definition="https://example.org/seats"),
        unit=Unit("1", "1"),
    )
    now = time.time_ns() // 1000
    return [declared, Series(stream=declared.stream, times=[now], results=[value])]


def latest() -> list[Any]:
    found = open_store().find(Query(entity="Observation", reader=ANONYMOUS, select=("result",)))
    return [row[-1] for row in found.rows]


def test_its_deeds_are_among_the_city_s(benches):
    anna = User.objects.create_user("anna")
    assert not house_of(asked(anna)).may("benches.move")
    give_role(anna, "editor", actor="test")
    anna = User.objects.get()
    assert may(anna, "benches.move")
    assert house_of(asked(anna)).may("benches.move")
    assert not house_of(asked(AnonymousUser())).may("benches.move")
    with pytest.raises(KeyError):
        house_of(asked(AnonymousUser())).may("benches.burn")


def test_a_guarded_view_leads_to_the_log_in_or_refuses(benches):
    view = asks_for("benches.move")(lambda request: HttpResponse("moved"))
    assert view(asked(AnonymousUser())).status_code == 302
    anna = User.objects.create_user("anna")
    with pytest.raises(PermissionDenied):
        view(asked(anna))
    give_role(anna, "editor", actor="test")
    assert view(asked(User.objects.get())).content == b"moved"


def test_what_a_person_and_what_a_job_does_is_noted(benches):
    anna = User.objects.create_user("anna")
    house = house_of(asked(anna))
    assert house.person is not None
    assert (house.person.id, house.person.name) == (anna.pk, "anna")
    house.note("benches.move", "bench:1", to="market")
    house_for_job("benches/count").note("benches.count")
    noted = list(AuditEntry.objects.order_by("id").values_list("actor", "action", "object", "detail"))[-2:]
    assert noted == [
        ("user:anna", "benches.move", "bench:1", {"to": "market"}),
        ("job:benches/count", "benches.count", "", {}),
    ]


def test_what_it_gives_takes_the_way_of_all_readings(benches):
    house = house_for_job("benches/count")
    assert house.give("benches", "benches", seats(3)).accepted == 1
    assert latest() == [3]
    assert open_store().sources()["service/benches"].accepted == 1
    for dataset, records, error in (
        ("benches", seats(float("nan")), InvalidInput),
        ("none", seats(2), NotFound),
    ):
        with pytest.raises(error):
            house.give("benches", dataset, records)
    with pytest.raises(NotFound):
        house.give("fountains", "benches", seats(2))
    assert latest() == [3]


def test_a_city_says_its_settings(benches):
    assert house_for_job("benches/count").settings("benches") == {"rows": 3}


def test_a_frame_shows_what_everybody_sees(benches, settings):
    seen = []

    @framed
    def view(request: HttpRequest) -> HttpResponse:
        seen.append(house_of(request))
        return HttpResponse("seats")

    anna = User.objects.create_superuser("anna")
    response = view(asked(anna))
    assert "frame-ancestors https://city.example" in response["Content-Security-Policy"]
    assert (seen[0].reader, seen[0].person, seen[0].may("benches.move")) == (ANONYMOUS, None, False)
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, embed_hosts=())
    with pytest.raises(Http404):
        view(asked(anna))


def test_its_commons_are_the_city_s_and_are_looked_at_again(benches, tmp_path):
    assert open_profile().datasets["benches"].title["en"] == "Benches"
    file = tmp_path / "packages" / "tiny_benches" / "commons" / "profile.toml"
    file.write_text(COMMONS.replace("Benches", "Seats"))
    os.utime(file, ns=((at := time.time_ns() - 5 * 10**9), at))
    live().expire()
    assert open_profile().datasets["benches"].title["en"] == "Seats"


def test_a_service_that_is_not_switched_on_brings_nothing(benches):
    assert commons_of({"services": {}}) == commons_of({"services": {"unheard": {}}}) == []


def test_a_role_that_there_is_not_is_told(benches, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tiny_benches.SERVICE", msgspec.structs.replace(BENCHES, deeds={"benches.move": "king"}), raising=False
    )
    with pytest.raises(ConfigurationError, match="king"):
        switched_on(tmp_path / "town" / "city.toml")


@pytest.mark.parametrize(
    "wrong",
    [{"deeds": {"move": "editor"}}, {"prefix": "/benches"}, {"name": "Benches"}, {"shared": ("../x",)}],
)
def test_a_service_says_nothing_that_is_not_its_own(wrong):
    with pytest.raises(ValueError, match=r"service|name"):
        msgspec.structs.replace(BENCHES, **wrong).__post_init__()


def test_shared_addresses():
    import re

    found = msgspec.structs.replace(BENCHES, shared=("*.json", "api/*")).shared_addresses()
    assert re.match(found, "/benches/a/b.json")
    assert re.match(found, "/benches/api/sites")
    assert not re.match(found, "/benches/desk")
    assert not re.match(found, "/benchesXjson")
    assert BENCHES.shared_addresses() == ""


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def thread(job: Callable[[Any], None], clock: Clock, every: timedelta = timedelta(minutes=10)) -> ServiceThread:
    return ServiceThread(BENCHES, Job("count", every, job), threading.Event(), clock=clock)


def test_a_job_runs_in_its_rhythm_also_after_a_restart(benches):
    clock, ran = Clock(), []
    work = thread(lambda house: ran.append(house.reader.name), clock)
    assert work.turn() == 60.0
    assert ran == ["house:benches/count"]
    clock.now += timedelta(minutes=9, seconds=50)
    assert work.turn() == pytest.approx(10)
    again = thread(lambda house: ran.append("again"), clock)
    assert again.turn() == pytest.approx(10)
    clock.now += timedelta(minutes=30)
    again.turn()
    assert ran[1:] == ["again"]


def test_a_job_that_fails_is_tried_again_soon_and_told(benches):
    clock = Clock()

    def fail(house: Any) -> None:
        raise RuntimeError("no seat")

    work = thread(fail, clock)
    wait = work.turn()
    assert 20 < wait < 40
    kept = ServiceRun.objects.get(pk="benches/count")
    assert (kept.failures, kept.error) == (1, "RuntimeError: no seat")
    clock.now += timedelta(seconds=wait)
    work.turn()
    assert ServiceRun.objects.get().failures == 2
    work.job = Job("count", timedelta(minutes=10), lambda house: None)
    clock.now += timedelta(minutes=10)
    work.turn()
    assert (ServiceRun.objects.get().failures, ServiceRun.objects.get().error) == (0, "")


@pytest.mark.skipif(not apps.is_installed("allmende.city.parking"), reason="the city has no service")
def test_the_worker_finds_jobs_and_the_list_tells_of_them(monkeypatch, settings, capsys):
    config = apps.get_app_config("parking")
    jobs = (Job("count", timedelta(minutes=1), lambda house: None),)
    monkeypatch.setattr(config, "jobs", jobs, raising=False)
    assert [(service.name, job.name) for service, job in service_jobs()] == [("parking", "count")]
    ServiceRun.objects.create(job="parking/count", began=datetime.now(UTC), seconds=0.25, error="no seat")
    monkeypatch.setattr("allmende.web.cli.opened.settled", lambda: settings.ALLMENDE)
    monkeypatch.setattr("allmende.web.observability.logs.configure", lambda *given: None)
    assert run(["service", "list", "--json"]) == 0
    [listed] = msgspec.json.decode(capsys.readouterr().out)
    assert listed["on"]
    assert (listed["jobs"][0]["name"], listed["jobs"][0]["error"]) == ("count", "no seat")
    assert run(["service", "list"]) == 0
    assert "parking/count" in capsys.readouterr().out
    monkeypatch.setattr(config, "jobs", jobs * 2)
    with pytest.raises(ValueError, match="count"):
        list(service_jobs())
