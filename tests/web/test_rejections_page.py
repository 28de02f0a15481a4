"""What could not be read, on a page for those who look after the house."""

import pytest
from django.test import Client

from allmende.domain.connector import Payload
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.config import load_config
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.intake import Intake
from allmende.web.portal import rejections

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/sources/jena-parking/rejections/"
ROW = b"timestamp,place_id,free\n2023-11-07T00:00:01+00:00,%b,24\n"


@pytest.fixture
def intake(monkeypatch):
    if "jena-parking" not in open_profile().sources:
        pytest.skip("this house is another city's")
    furnish(open_store(), open_profile())
    found = Intake(open_store(), open_profile(), load_config())
    monkeypatch.setattr(rejections, "_intake", lambda: found)
    for name in (b"Nirgends", b"Niemals"):
        found.take("jena-parking", Payload(body=ROW % name, name="t", received_at=found.clock()))
    return found


@pytest.fixture
def admin() -> Client:
    User.objects.create_superuser("anna", "", "a long enough word")
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    assert client.login(username="anna", password="a long enough word")
    return client


def test_only_those_who_look_after_the_house_see_it(intake):
    assert Client().get(PAGE).status_code == 302
    assert Client().post(PAGE).status_code == 302
    User.objects.create_user("otto", "", "a long enough word")
    client = Client()
    assert client.login(username="otto", password="a long enough word")
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE).status_code == 403
    assert "/rejections/" not in client.get("/sources/").text
    assert len(intake.store.rejections()) == 2


def test_they_are_listed_and_searched(intake, admin):
    assert PAGE in admin.get("/sources/").text
    text = admin.get(PAGE).text
    assert "Nirgends" in text
    assert "Niemals" in text
    text = admin.get(PAGE, {"text": "NIEMALS"}).text
    assert "Nirgends" not in text
    assert "Niemals" in text
    assert admin.get("/sources/nobody/rejections/").status_code == 404


def test_what_was_mended_is_read_again_and_not_doubled(intake, admin):
    [number] = [r.number for r in intake.store.rejections(text="nirgends")]
    answer = admin.post(PAGE, {"number": number}, follow=True)
    assert "0 von 1" in answer.text  # the cause is still there
    prepared = intake.sources["jena-parking"]
    places = {**prepared.source.settings["places"], "Nirgends": "parking-holzmarkt"}
    settings = {**prepared.source.settings, "places": places}
    source = type(prepared.source)(**{**_fields(prepared.source), "settings": settings})
    intake.sources["jena-parking"] = type(prepared)(**{**_fields(prepared), "source": source})
    answer = admin.post(PAGE, {"text": "n"}, follow=True)
    assert "1 von 2" in answer.text
    assert intake.store.sources()["jena-parking"].accepted == 1
    assert "1 von 1" not in admin.post(PAGE, {"number": number}, follow=True).text  # it is settled
    assert intake.store.sources()["jena-parking"].accepted == 1
    assert AuditEntry.objects.filter(action="rejections.replay", actor="user:anna").count() == 3


def _fields(struct) -> dict:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


@pytest.mark.parametrize("number", ["999999", "x", "-1", "9" * 30])
def test_a_number_that_is_none(intake, admin, number):
    assert admin.post(PAGE, {"number": number}).status_code == 404
    assert all(r.replayed_at is None for r in intake.store.rejections())
