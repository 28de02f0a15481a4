"""Answers that are kept: made once, and made again as soon as anything of them is another."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation

from allmende.city.keeping import Kept, Mark, kept_for_all
from allmende.city.parking.feeds import views
from allmende.city.parking.operating import paperwork
from allmende.city.parking.operating.models import Closure
from allmende.domain.logs import Stamp
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.storage.sqlite import SqliteStore
from tests.city.parking.test_state import NOON, TOWN, Town
from tests.support import DATASETS, PlainConnections

LATER = NOON + timedelta(minutes=1)


class OpenHouse:
    """As much of the house as an answer needs."""

    profile, frames = TOWN, False

    def __init__(self, store: SqliteStore, moment: datetime = NOON, reader: Reader = ANONYMOUS) -> None:
        self.store, self.moment, self.reader = store, moment, reader

    def for_anybody(self) -> "OpenHouse":
        return OpenHouse(self.store, self.moment)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def town(tmp_path):
    store = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    store.put_datasets(DATASETS)
    town = Town(store)
    town.put("north", "free", 30)
    return town


def ask(view: Any, house: OpenHouse, path: str = "/parking-sites", **headers: str) -> HttpResponse:
    request = RequestFactory().get(path, headers=headers)
    request.house = house  # type: ignore[attr-defined]
    found: HttpResponse = view(request)
    return found


def counted(answer: Any = None) -> tuple[Any, list[HttpRequest]]:
    """A view that is kept, and the requests that it was asked."""
    asked: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return answer(request) if answer else HttpResponse(f"{len(asked)}")

    return kept_for_all(papers=paperwork.stamp_of_papers)(view), asked


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_made_once_until_something_of_it_is_another(town, monkeypatch):
    house = OpenHouse(town.store)
    view, asked = counted()

    def is_made_again() -> bool:
        before = len(asked)
        first, second = ask(view, house).content, ask(view, house).content
        assert first == second
        assert len(asked) - before in (0, 1)
        return len(asked) > before

    assert is_made_again()
    assert not is_made_again()
    assert ask(view, house, "/?other").content != ask(view, house).content
    with translation.override("en"):
        assert is_made_again()
    town.put("north", "free", 29, at=NOON - timedelta(minutes=1))  # a reading, by whichever process
    assert is_made_again()
    town.put("east", "free", None)  # a thing
    assert is_made_again()
    paperwork.touch()  # what an operator decided
    assert is_made_again()
    town.store.put_datasets([msgspec.structs.replace(DATASETS[0], access="restricted")])  # rights
    assert is_made_again()
    house.profile = msgspec.structs.replace(TOWN, name="Other")  # type: ignore[misc]
    assert is_made_again()
    house.moment += timedelta(milliseconds=400)
    assert not is_made_again()
    house.moment += timedelta(seconds=1)
    assert is_made_again()
    monkeypatch.setattr(settings, "ALLMENDE", SimpleNamespace(answer_cache_bytes=0))
    house.moment += timedelta(seconds=1)
    ask(view, house)
    assert ask(view, house).content != ask(view, house).content


@pytest.mark.django_db(transaction=True)
def test_what_one_reader_gets_is_no_other_ones(town):
    view, asked = counted()
    members = OpenHouse(town.store, reader=Reader(name="user:anna", datasets=frozenset({"hidden"})))
    own = [ask(view, members).content for _ in range(2)]
    assert len(set(own)) == 2
    assert ask(view, OpenHouse(town.store)).content not in own
    before = len(asked)
    for cookie in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        ask(view, OpenHouse(town.store), Cookie=f"{cookie}=x")
    assert len(asked) == before + 2

    def with_cookie(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("mine")
        response.set_cookie("mine", "1")
        return response

    for answer in (with_cookie, lambda request: HttpResponse(status=404)):
        view, asked = counted(answer)
        for _ in range(2):
            ask(view, OpenHouse(town.store))
        assert len(asked) == 2


@pytest.mark.django_db(transaction=True)
def test_a_feed_follows_readings_decisions_and_the_clock_and_is_not_sent_twice(town):
    house = OpenHouse(town.store)

    def item() -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(ask(views.send_sites, house).content)["items"][0]
        return found

    assert item()["realtime_free_capacity"] == 30
    town.put("north", "free", 12, at=NOON - timedelta(minutes=1))
    assert item()["realtime_free_capacity"] == 12
    first = ask(views.send_sites, house, **{"Accept-Encoding": "gzip"})
    again = ask(views.send_sites, house, **{"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == again.headers["Content-Encoding"] == "gzip"
    assert first.content == again.content
    for name, value in (("If-None-Match", first["ETag"]), ("If-Modified-Since", first["Last-Modified"])):
        unchanged = ask(views.send_sites, house, **{name: value})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["Cache-Control"] == first.headers["Cache-Control"]
    Closure.objects.create(site="north", start=NOON, until=LATER, text="fair", made=NOON)
    paperwork.touch()
    assert (item()["realtime_free_capacity"], item()["realtime_opening_status"]) == (0, "CLOSED")
    house.moment = LATER
    assert (item()["realtime_free_capacity"], item().get("realtime_opening_status")) == (12, None)
    house.moment = datetime(2024, 3, 14, 12, tzinfo=UTC)  # the feed has long been silent
    assert "realtime_free_capacity" not in item()
    town.store.put_datasets([msgspec.structs.replace(DATASETS[0], access="restricted")])
    assert msgspec.json.decode(ask(views.send_sites, house).content)["items"] == []


def test_no_more_is_kept_than_may_be_and_nothing_for_who_is_late(tmp_path):
    store = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    kept: Kept[str] = Kept(lambda: 5, len)
    stamp = Stamp((1,), (1,), (1,))
    now, before = Mark(TOWN, stamp, 10), Mark(TOWN, stamp, 9)
    made: list[str] = []

    def get(key: str, mark: Mark = now) -> str | None:
        return kept.get(store, mark, key, lambda: made.append(key) or key)  # type: ignore[func-returns-value]

    assert [get("abc"), get("abc"), get("def"), get("def"), get("abc", before), get("abc")] == [
        "abc", "abc", "def", "def", "abc", "abc",
    ]  # fmt: skip
    assert made == ["abc", "def", "def", "abc"]
