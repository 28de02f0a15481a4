"""What is said of sensors: what, why, for how long, for whom; and nothing of what is hidden."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

from allmende.domain.dataset import Personal
from allmende.domain.retention import RetentionProfile, ThinProfile
from allmende.web import house as house_module
from allmende.web.accounts.models import Organisation, User
from allmende.web.grants.models import Grant
from allmende.web.transparency.facts import forget, keeping


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Each test has data of its own under the same numbers."""
    forget()


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


def get(path: str, status: int = 200) -> str:
    answer = Client(headers={"accept-language": "en"}).get(path)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def change(monkeypatch: pytest.MonkeyPatch, dataset: str, retention: Any = None, **values: Any) -> None:
    profile = house_module.open_profile()
    datasets = {**profile.datasets, dataset: msgspec.structs.replace(profile.datasets[dataset], **values)}
    made = msgspec.structs.replace(profile, datasets=datasets, retention=retention or profile.retention)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made)
    house_module.furnish(house_module.open_store(), made)


def test_sensors_stand_with_what_they_record() -> None:
    page = get("/transparency/")
    assert "/transparency/goethe/" in page
    assert "/transparency/markt/" in page
    assert "demo" not in page
    assert "/transparency/bus/" not in page, "it lies in a dataset that nobody may know of"
    assert 'href="/transparency/"' in get("/about/")


def test_a_sensor_says_why_and_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = RetentionProfile(id="r", dataset="parking", keep="P2Y", thin=[ThinProfile(after="P7D", bucket="PT1H")])
    personal = Personal(purpose={"de": "Planung", "en": "to plan"}, delete_after="P2Y")
    change(monkeypatch, "parking", {"r": rule}, personal=personal, legal_basis={"de": "Satzung", "en": "a bylaw"})
    page = get("/transparency/goethe/")
    assert "to plan" in page
    assert "a bylaw" in page
    assert "for 2 years; after 1 week one value for each 1 hour" in page


def test_words_of_the_rules() -> None:
    assert str(keeping(None)) == keeping(RetentionProfile(id="r"))
    assert keeping(RetentionProfile(id="r", keep="latest")) != keeping(None)


def test_the_label_leads_to_the_page() -> None:
    page = get("/transparency/goethe/label/")
    assert "http://testserver/transparency/goethe/" in page
    answer = Client().get("/transparency/goethe/label.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.startswith(b"<?xml")


@pytest.mark.parametrize("thing", ["bus", "demo", "none"])
@pytest.mark.parametrize("more", ["", "label/", "label.svg"])
def test_what_is_hidden_is_as_absent(thing: str, more: str) -> None:
    get(f"/transparency/{thing}/{more}", 404)
    get("/transparency/?dataset=transit", 404)


def test_who_receives_what_is_not_open_is_said_without_names_of_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "transit", access="restricted", public_description=True)
    until = timezone.localdate() + timedelta(days=9)
    office = Organisation.objects.create(id="office", title="Office for Buses")
    Grant.objects.create(dataset="transit", organisation=office, role="editor", purpose="to plan lines", until=until)
    Grant.objects.create(dataset="transit", user=User.objects.create_user("anna"), purpose="to research", until=until)
    ended = timezone.localdate() - timedelta(days=3)
    carl = User.objects.create_user("carl")
    Grant.objects.create(dataset="transit", user=carl, purpose="for a thesis", until=ended)
    page = get("/transparency/?dataset=transit")
    assert "a person: for a thesis" in page
    assert "carl" not in page
    assert "Office for Buses Editors: to plan lines" in page
    assert "a person: to research" in page
    assert "anna" not in page
    assert "/transparency/bus/" not in page
    get("/transparency/bus/", 404)


def test_what_everybody_may_see_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from allmende.web.transparency import facts

    asked: list[str] = []
    real = facts.each_stream

    def counting(store: Any, reader: Any, dataset: str) -> Any:
        asked.append(dataset)
        return real(store, reader, dataset)

    monkeypatch.setattr(facts, "each_stream", counting)
    first = get("/transparency/")
    count = len(asked)
    assert count
    assert get("/transparency/") == first
    assert len(asked) == count
    store = house_module.open_store()
    number = store.newest_entity_change()
    monkeypatch.setattr(type(store), "newest_entity_change", lambda _: number + 1)
    get("/transparency/")
    assert len(asked) == 2 * count
