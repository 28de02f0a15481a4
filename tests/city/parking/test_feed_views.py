"""The addresses of the feeds, asked as a program asks them, over a real store."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.http import Http404
from django.test import RequestFactory
from lxml import etree

from allmende.city.parking.checking import check
from allmende.city.parking.feeds import views
from allmende.city.parking.feeds.versions import number_of
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile_checks import ProfileError
from allmende.storage.sqlite import SqliteStore
from tests.city.parking.test_state import NOON, TOWN, Town
from tests.support import DATASETS, PlainConnections

pytestmark = pytest.mark.django_db  # what operators decided stands in Django's tables


class OpenHouse:
    """As much of the house as the feeds use."""

    profile, reader, moment = TOWN, ANONYMOUS, NOON

    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    def for_anybody(self) -> "OpenHouse":
        return self

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def house(tmp_path):
    store = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    store.put_datasets(DATASETS)
    town = Town(store)
    town.put("north", "free", 30)
    town.put("east", "free", 7, capacity=80)
    town.put("demo-west", "free", 9, simulated=True, simulates="west", dataset="simulated")
    return OpenHouse(store)


def ask(house: OpenHouse, view: Any, path: str = "/", headers: dict[str, str] | None = None, **how: Any) -> Any:
    request = RequestFactory().get(path, headers=headers)
    request.house = house  # type: ignore[attr-defined]
    return view(request, **how)


def test_parkapi_lists_real_sites_and_simulated_ones_when_asked(house):
    assert msgspec.json.decode(ask(house, views.send_sites).content)["total_count"] == 2
    page = msgspec.json.decode(ask(house, views.send_sites, "/?name=eas").content)
    assert [item["original_uid"] for item in page["items"]] == ["east"]
    assert page["items"][0]["realtime_free_capacity"] == 7
    played = msgspec.json.decode(ask(house, views.send_sites, "/?simulated=true").content)["items"]
    assert [(item["original_uid"], item["tags"]) for item in played] == [("demo-west", ["simulated"])]
    one = ask(house, views.send_site, number=number_of("east"))
    assert msgspec.json.decode(one.content) == page["items"][0]
    assert ask(house, views.send_site, number=1).status_code == 404
    assert ask(house, views.send_sites, "/?limit=no").status_code == 400
    sources = msgspec.json.decode(ask(house, views.send_sources).content)
    assert {source["uid"] for source in sources["items"]} == {"feed"}
    drawn = msgspec.json.decode(ask(house, views.send_sites, "/parking-sites.geojson?name=east").content)
    assert drawn["features"][0]["geometry"]["coordinates"] == [11.5, 50.9]


def test_an_answer_is_sent_again_only_when_it_has_changed(house):
    first = ask(house, views.send_datex, publication="status", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    root = etree.fromstring(gzip.decompress(first.content))
    assert [each.get("id") for each in root.iter("{*}parkingRecordReference")] == ["north", "east"]
    tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in ({"If-None-Match": tag}, {"If-Modified-Since": changed}):
        again = ask(house, views.send_datex, publication="status", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
    # the feed falls silent: nothing newer came, and yet the answer is another
    house.moment = datetime(2024, 3, 13, 12, tzinfo=UTC)
    later = ask(house, views.send_datex, publication="status", headers={"If-Modified-Since": changed})
    assert later.status_code == 200
    assert b"parkingNumberOfVacantSpaces" not in later.content


def test_the_past_of_a_site_is_a_table(house):
    path = "/?from=2024-03-12T11:00:00Z&to=2024-03-12T13:00:00Z"
    rows = ask(house, views.send_history_table, path, thing_id="east").content.decode().splitlines()
    assert rows[1:] == [
        "east,2024-03-12T11:00:00Z,3600,7.0,7,7,0.033,false",
        "east,2024-03-12T12:00:00Z,3600,,,,0.0,false",
    ]
    assert ask(house, views.send_history_table, "/?width=7", thing_id="east").status_code == 400
    backwards = ask(house, views.send_history_table, f"{path[:27]}&to=2020-01-01T00:00:00Z", thing_id="east")
    assert backwards.status_code == 400
    with pytest.raises(Http404):
        ask(house, views.send_history_table, thing_id="nowhere")
    lines = ask(house, views.send_table).content.decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "north", "east"]


def test_parkapi_tells_what_was_change_by_change_in_pages(house):
    town = Town(house.store)
    number = number_of("east")
    for minutes, value in ((50, 20), (40, 20), (30, 12)):
        town.put("east", "free", value, at=NOON - timedelta(minutes=minutes))
    address = f"/?from={NOON:%Y-%m-%d}T00:00:00Z&limit=2"
    page = msgspec.json.decode(ask(house, views.send_site_history, address, number=number).content)
    told = [(item["realtime_data_updated_at"], item.get("realtime_free_capacity")) for item in page["items"]]
    assert told == [
        (f"{NOON:%Y-%m-%d}T00:00:00Z", None),
        (f"{NOON - timedelta(minutes=50):%Y-%m-%dT%H:%M:%SZ}", 20),
    ]  # nothing was known before
    assert page["items"][0]["realtime_opening_status"] == "UNKNOWN"
    rest = msgspec.json.decode(
        ask(house, views.send_site_history, f"{address}&start={page['next_id']}", number=number).content
    )
    assert [item["realtime_free_capacity"] for item in rest["items"]] == [12, 7]
    assert {item["parking_site_id"] for item in rest["items"]} == {number}
    assert ask(house, views.send_site_history, "/?from=2020-01-01T00:00:00Z", number=number).status_code == 400
    assert ask(house, views.send_site_history, number=1).status_code == 404


def test_a_zone_is_the_group_of_what_lies_in_it_and_a_publisher_has_its_number(house):
    town = Town(house.store)
    town.put("centre", "free", None, kind="parking-zone")
    town.put("lane", "free", 3, kind="parking-area", parent="centre", restrictions=[{"type": "RESIDENT"}])
    item = msgspec.json.decode(ask(house, views.send_site, number=number_of("lane")).content)
    assert (item["group"]["id"], item["group"]["original_uid"]) == (number_of("centre"), "centre")
    assert item["restricted_to"] == [{"type": "RESIDENT"}]
    said = {"parking": {"datex": {"national_identifier": "DE-Town-7", "feed_type": "parking"}}}
    house.profile = msgspec.structs.replace(TOWN, services=said)
    document = ask(house, views.send_datex, publication="status").content
    assert b"<com:nationalIdentifier>DE-Town-7</com:nationalIdentifier>" in document
    assert b"<com:feedType>parking</com:feedType>" in document
    with pytest.raises(ProfileError, match=r"services\.parking\.datex\.feed"):
        check(msgspec.structs.replace(TOWN, services={"parking": {"datex": {"feed": "x"}}}))
