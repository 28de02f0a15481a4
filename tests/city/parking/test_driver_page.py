"""The driver's list, its feed and what it says of what is not known."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.test import Client

from allmende.connectors.parking_list.parse import parse
from allmende.domain.batch import Batch
from allmende.domain.connector import Payload
from allmende.domain.records import Declaration, Series
from allmende.domain.times import from_datetime
from allmende.web.house import open_profile, open_store
from allmende.web.maps.register import import_register
from allmende.web.sources import prepare_sources
from tests.city.parking.test_state import Town
from tests.support import HOUSE, captured
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

REGISTER = b"street,number,postcode,lon,lat\nProbeweg,1,07743,11.5855,50.9265\n"
"""Constructed: nobody lives there."""


@pytest.fixture(autouse=True)
def jena() -> None:
    if open_profile().id != "jena":
        pytest.skip("asks for Jena's car parks")


def get(path: str, status: int = 200, language: str = "de") -> str:
    answer = Client(headers={"accept-language": language}).get(f"/parking/{path}")
    assert answer.status_code == status, answer.content
    return str(answer.content.decode()).replace("\u202f", " ")


def board(query: str, status: int = 200) -> Any:
    return json.loads(get(f"board.json{query}", status))


def test_a_plain_visit_asks_nothing_and_says_nothing_of_suiting() -> None:
    page = get("")
    assert "Einen Platz finden" in page
    assert "Passt" not in page
    assert "choice" not in board("")["carParks"][0]


def test_what_nobody_says_is_not_known_and_never_a_yes() -> None:
    told = board("?height=1,95&need=disabled")["carParks"]
    assert {park["choice"]["verdict"] for park in told} == {"unknown"}
    assert {tuple(park["choice"]["unknown"]) for park in told} == {("height", "disabled")}
    page = get("?height=1,95&need=disabled")
    assert "Passt vielleicht: nicht alles ist bekannt" in page
    assert "Nicht bekannt: wie hoch ein Fahrzeug sein darf" in page
    assert 'value="disabled" checked' in page
    assert "Preis nicht bekannt" in page
    assert "Not known: how high a vehicle may be" in get("?height=1.95", language="en")


def test_a_place_sorts_by_distance_and_a_long_stay_stands_below() -> None:
    import_register(REGISTER, file="constructed.csv", source="constructed", licence="none")
    told = board("?to=Probeweg+1&in=30&stay=240")["carParks"]
    nearest = [park for park in told if park["choice"]["verdict"] == "suitable"]
    assert nearest[0]["name"] == "Holzmarkt"
    metres = [park["choice"]["metres"] for park in nearest]
    assert metres == sorted(metres)
    refused = [park for park in told if "too-long" in park["choice"]["against"]]
    assert [park["name"] for park in refused] == ["Eichplatz"]
    assert told[-1] == refused[0]
    page = get("?to=Probeweg+1&in=30&stay=240")
    assert page.index("Passt nicht") > page.index(">Holzmarkt</a>")
    assert "So lange dürfen Sie dort nicht parken" in page
    assert "noch keine Vorhersage" in page or "keine Daten" in page
    shown = json.loads(get("map.json?to=Probeweg+1&in=30&stay=240"))["features"]
    assert len(shown) == len(told) - 1


def test_a_position_counts_on_a_hundred_metres_alone() -> None:
    coarse, fine = board("?near=11.586,50.927"), board("?near=11.58649,50.92651")
    assert [p["choice"]["metres"] for p in coarse["carParks"]] == [p["choice"]["metres"] for p in fine["carParks"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [("?in=soon", "in"), ("?at=25:00", "at"), ("?stay=0", "stay"), ("?height=tall", "height"), ("?near=1", "near"),
     ("?near=nan,inf", "near"), ("?to=Zwölfbotenallee+99999", "to")],
)  # fmt: skip
def test_a_question_without_sense_is_told_by_its_field_and_the_list_stays(query: str, field: str) -> None:
    assert list(board(query, 400)["faults"]) == [field]
    assert ">Holzmarkt</a>" in get(query, 400)


def test_apps_ask_on_condition() -> None:
    client = Client()
    first = client.get("/parking/board.json?stay=60&at=12:00", headers={"origin": "https://app.example"})
    again = client.get("/parking/board.json?stay=60&at=12:00", headers={"if-none-match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert first["Access-Control-Allow-Origin"] == "*"


def test_a_frame_holds_the_chosen_car_parks_and_is_small(settings: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, embed_hosts=("https://theatre.example",))
    client = Client()
    answer = client.get("/parking/widget/?site=parking-holzmarkt&site=nothing&lang=en&theme=dark")
    page = answer.content.decode()
    assert "frame-ancestors https://theatre.example" in answer["Content-Security-Policy"]
    assert 'data-kern-theme="dark"' in page
    assert page.count("data-park=") == 1
    assert "Free parking spaces" in page
    assert len(client.get("/parking/widget/").content) < 30_000
    built = get("widget/build/?site=parking-holzmarkt&lang=en")
    assert "/parking/widget/?site=parking-holzmarkt&amp;lang=en" in built


def test_a_frame_is_not_there_where_no_site_was_named() -> None:
    get("widget/", 404)
    assert "noch keine Website genannt" in get("widget/build/")


def test_the_page_of_a_car_park_says_what_is_expected_what_it_costs_and_the_way() -> None:
    page = get("parking-eichplatz/")
    assert "noch keine Vorhersage" in page
    assert "2,28" not in page  # whole minutes: no started one too many
    assert "geo:50.928426,11.586044?q=50.928426,11.586044" in page
    assert "Höchstens 2 Stunden." in page
    assert "Wir wissen nicht, wie hoch ein Auto sein darf." in get("parking-holzmarkt/", language="de-simple")


def test_zones_areas_and_bays_stand_on_list_map_and_pages() -> None:
    town, now = Town(open_store()), datetime.now(UTC)
    town.put("centre", "free", None, kind="parking-zone")
    town.put("lane", "free", 5, at=now, kind="parking-area", parent="centre", capacity=12, type="ON_STREET",
             said={"estimated": True, "error": 3.0})  # fmt: skip
    town.put("alley", "free", None, kind="parking-area", parent="centre")
    town.put("bay-1", "taken", 0, at=now, kind="parking-bay", parent="alley", capacity_disabled=1, capacity=1)
    town.put("bay-2", "taken", 1, at=now, kind="parking-bay", parent="alley", capacity=1)
    page = get("")
    assert page.index(">Holzmarkt</a>") < page.index("An der Straße, Flächen und einzelne Stellplätze")
    assert ">Centre</a>" in page
    assert ">Lane</a>" not in page  # it is told by its zone, where nobody asked
    page = get("?what=street")
    assert page.count("geschätzt, kann um 3 abweichen") == 1
    assert ">Alley</a>" in page
    zone = get("centre/")
    assert all(f'href="/parking/{name}/"' in zone for name in ("lane", "alley", "bay-1", "bay-2"))
    assert "5 frei, geschätzt" in zone
    assert ">Belegt</strong>" in get("bay-2/")
    assert "Über diesen Ort" in get("bay-2/")
    told = {each["id"]: each for each in board("?need=disabled")["carParks"]}
    assert told["alley"]["choice"]["verdict"] == "suitable"
    assert (told["alley"]["choice"]["outlook"], told["alley"]["choice"]["free"]["disabled"]) == ("free-now", 1)
    shown = json.loads(get("map.json?what=bay&need=disabled"))["features"]
    assert {each["id"]: each["properties"]["label"] for each in shown} == {"bay-1": "✓", "bay-2": "✗"}
    assert board("?what=ship", 400)["faults"]["what"]


def test_the_citys_list_of_103_places_comes_in_with_what_each_is_for() -> None:
    body, now = captured("parking", "jena_all_car_parks.geojson").read_bytes(), from_datetime(datetime.now(UTC))
    source = prepare_sources(open_profile())["parking-places"].source
    records, rejections = parse(Payload(body=body, name="list", received_at=now), source)
    assert not rejections
    open_store().append(
        Batch(
            origin="parking-places", dataset="parking-sites", reader=HOUSE, received_at=now,
            declarations=[record for record in records if isinstance(record, Declaration)],
            series=[record for record in records if isinstance(record, Series)],
        )
    )  # fmt: skip
    plain = board("")
    assert len(plain["carParks"]) == 10  # those that are counted; nine of the list are theirs
    assert (plain["also"], len(plain["others"])) == ({"car-park": 59, "bus": 3}, 49)
    assert "49 Parkplätze und Parkhäuser, in denen niemand freie Plätze zählt" in get("")
    assert {each["only"] for each in board("?what=bus")["carParks"]} == {"bus"}
    told = board("?need=disabled&near=11.5863,50.9285")["carParks"]
    sure = [each for each in told if each["choice"]["verdict"] == "suitable"]
    assert (len(sure), sure[0]["name"]) == (42, "Eichplatz")
    assert sum(each["capacity"] for each in sure) == 81
    assert "nur für Menschen mit Behinderung" in get("?need=disabled")
