"""req/datamodel: each entity shows its properties, its control information and its relations."""

from typing import Any

import msgspec
import pytest

from allmende.domain.ids import MAX_LENGTH
from allmende.faces.sensorthings.conformance import CONFORMANCE
from tests.conformance.sensorthings.house import ROOT, SETS, WRITER, House, datastream, location, observation, thing

SHOWN = {
    "Things": (
        {"name", "description", "properties"},
        {"Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams"},
    ),
    "Locations": ({"name", "description", "encodingType", "location"}, {"Things", "HistoricalLocations"}),
    "HistoricalLocations": ({"time"}, {"Thing", "Locations"}),
    "Datastreams": (
        {
            "name",
            "description",
            "observationType",
            "unitOfMeasurement",
            "observedArea",
            "phenomenonTime",
            "resultTime",
            "properties",
        },
        {"Thing", "Sensor", "ObservedProperty", "Observations"},
    ),
    "Sensors": ({"name", "description", "encodingType", "metadata"}, {"Datastreams", "MultiDatastreams"}),
    "ObservedProperties": ({"name", "description", "definition"}, {"Datastreams", "MultiDatastreams"}),
    "Observations": ({"phenomenonTime", "resultTime", "result"}, {"Datastream", "FeatureOfInterest"}),
    "FeaturesOfInterest": ({"name", "description", "encodingType", "feature"}, {"Observations"}),
}


def test_the_landing_page_names_all_sets_and_what_holds(town: House) -> None:
    page = town.get("")
    assert page["value"] == [{"name": name, "url": f"{ROOT}/{name}"} for name in SETS.values()]
    assert page["serverSettings"] == {"conformance": list(CONFORMANCE)}
    assert len(set(CONFORMANCE)) == len(CONFORMANCE)
    assert town.get("/") == page


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_properties_links_and_control_information(town: House, name: str) -> None:
    properties, relations = SHOWN[name]
    for shown in town.get(name)["value"]:
        control = {"@iot.id", "@iot.selfLink", *(f"{r}@iot.navigationLink" for r in relations)}
        assert set(shown) == properties | control
        assert town.follow(shown["@iot.selfLink"]) == shown
        for relation in relations:
            town.follow(shown[f"{relation}@iot.navigationLink"])


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (5, "5"),
        (5.0, "5.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (1e300, "1e300"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ("", '""'),
        ("5", '"5"'),
        ([], "[]"),
        ([1, 2.0, None], "[1,2.0,null]"),
        ({"a": {"b": [True]}}, '{"a":{"b":[true]}}'),
        (["x" * 5000], None),
    ],
)
def test_results_of_every_type_come_back_as_they_were(house: House, result: Any, text: str | None) -> None:
    link = house.post("Things", thing(Datastreams=[datastream(Observations=[observation(result)])]))
    assert link
    raw = house.request("GET", "Observations").body.decode()
    assert f'"result":{text or msgspec.json.encode(result).decode()}' in raw
    selected = house.request("GET", "Observations", "$select=result").body.decode()
    assert selected == f'{{"value":[{{"result":{text or msgspec.json.encode(result).decode()}}}]}}'
    shown = house.get("Observations")["value"][0]["result"]
    assert shown == result
    assert type(shown) is type(result)


ODD = [
    "quotes \" and \\ and / and '",
    "line\nbreak\ttab\r",
    "emoji 🅿️ and \u2028\u2029",
    "\x01\x1f\x7f",
    "</script><!--",
    "ﷺ \u202e \ufeff",
    "x" * 20_000,
]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_stay_valid_json(house: House, text: str) -> None:
    place = location(name=text, properties={text[:50]: text})
    body = thing(name=text, description=text, properties={"a": [text]}, Locations=[place])
    link = house.post(
        "Things", {**body, "Datastreams": [datastream(Observations=[observation(text, resultQuality=text)])]}
    )
    shown = house.follow(f"{link}?$expand=Locations,Datastreams($expand=Observations)")
    assert (shown["name"], shown["description"], shown["properties"]) == (text, text, {"a": [text]})
    assert shown["Locations"][0]["properties"] == {text[:50]: text}
    reading = shown["Datastreams"][0]["Observations"][0]
    assert (reading["result"], reading["resultQuality"]) == (text, text)
    assert house.request("GET", "Things(1)/name/$value").body.decode() == text


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "it's",
        "''",
        "a(b)",
        "a)b",
        "a')/b",
        "100%",
        "%2F",
        "a b",
        "ü/ö",
        "🅿️",
        "a?b=c",
        "a#b",
        "a&b",
        "+",
        '"',
        "\\",
        "..",
        "a/../b",
        "$ref",
        "x" * MAX_LENGTH,
    ],
)
def test_odd_ids_lead_back_to_their_entity(house: House, name: str) -> None:
    body = thing(Datastreams=[datastream(**{"@iot.id": name, "Observations": [observation(1, **{"@iot.id": name})]})])
    link = house.post("Things", {**body, "@iot.id": name})
    shown = house.follow(link)
    assert (shown["@iot.id"], shown["@iot.selfLink"]) == (name, link)
    stream = house.follow(shown["Datastreams@iot.navigationLink"])["value"][0]
    assert stream["@iot.id"] == name
    reading = house.follow(stream["Observations@iot.navigationLink"])["value"][0]
    assert house.follow(reading["@iot.selfLink"]) == reading
    assert house.follow(reading["Datastream@iot.navigationLink"])["@iot.id"] == name
    house.post(f"{stream['@iot.selfLink'].removeprefix(ROOT)}/Observations", observation(2, 1))
    first = house.follow(f"{stream['Observations@iot.navigationLink']}?$top=1")
    assert len(house.pages(first)) == 2
    nested = house.follow(f"{link}?$expand=Datastreams($expand=Observations($top=1))")["Datastreams"][0]
    assert house.follow(nested["Observations@iot.nextLink"])["value"][0]["result"] == 2


@pytest.mark.parametrize(("given", "shown"), [(7, 7), ("7", 7), ("007", "007"), (-5, -5), ("٣", "٣"), (0, 0)])
def test_numbers_are_shown_as_numbers(house: House, given: Any, shown: Any) -> None:
    reading = observation(1, **{"@iot.id": given})
    stream = datastream(**{"@iot.id": given, "Observations": [reading]})
    response = house.request("POST", "Things", reader=WRITER, body={**thing(Datastreams=[stream]), "@iot.id": given})
    assert msgspec.json.decode(response.body)["@iot.id"] == shown
    for name in ("Things", "Datastreams", "Observations"):
        (found,) = house.get(name)["value"]
        assert found["@iot.id"] == shown
        assert type(found["@iot.id"]) is type(shown)
        assert house.follow(found["@iot.selfLink"])["@iot.id"] == shown
        assert house.get(f"{name}('{given}')/id") == {"id": shown}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2024-04-30T12:00:00+02:00", "2024-04-30T10:00:00.000Z"),
        ("2024-04-30T10:00:00.123456Z", "2024-04-30T10:00:00.123456Z"),
        ("2024-04-30T10:00:00Z/2024-04-30T13:00:00+02:00", "2024-04-30T10:00:00.000Z/2024-04-30T11:00:00.000Z"),
    ],
)
def test_times_are_shown_in_utc_with_their_digits(house: House, given: str, shown: str) -> None:
    house.post(
        "Things",
        thing(Datastreams=[datastream(Observations=[{"result": 1, "phenomenonTime": given, "validTime": given}])]),
    )
    reading = house.get("Observations")["value"][0]
    assert (reading["phenomenonTime"], reading["validTime"]) == (shown, shown)
