"""The requests of Masterportal's SensorThings layer, as its own code made them against a running house.

Masterportal is the map portal of many German cities. It asks for the Things in view with their latest values, follows
every link to a next page that it finds at any depth, and stops at ``$top`` by reading ``$skip`` in the link.
"""

import re
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.conformance.sensorthings.house import ROOT, House

VIEW = "POLYGON ((10.9 50.9,11.1 50.9,11.1 51,10.9 51,10.9 50.9))"
ELSEWHERE = "POLYGON ((1 1,2 1,2 2,1 2,1 1))"
LATEST = "Observations($top=1;$orderby=phenomenonTime desc)"


def load(house: House, path: str) -> tuple[list[Any], int]:
    """All that Masterportal would load, and how many requests that takes."""
    found: list[Any] = []
    waiting: list[tuple[str, list[Any]]] = [(f"{ROOT}/{path}", found)]
    asked = 0
    while waiting:
        link, into = waiting.pop(0)
        top, skip = (int(m[1]) if (m := re.search(rf"[$|%24]{name}=(\d+)", link)) else 0 for name in ("top", "skip"))
        if 0 < top <= skip:
            continue
        answered = house.follow(link)
        asked += 1
        assert asked < 50, "it would go on to the end of each stream"
        into += answered["value"]
        if "@iot.nextLink" in answered:
            waiting.append((answered["@iot.nextLink"], into))
        collect(into, waiting)
    return found, asked


def collect(value: Any, waiting: list[tuple[str, list[Any]]]) -> None:
    """Links to next pages at any depth, taken out as they are found."""
    if isinstance(value, list):
        for item in value:
            collect(item, waiting)
    if isinstance(value, dict):
        for name in list(value):
            if name.endswith("@iot.nextLink"):
                waiting.append((value.pop(name), value[name.partition("@")[0]]))
            else:
                collect(value[name], waiting)


@pytest.mark.parametrize("encode", [False, True], ids=["bare", "encoded"])
def test_things_with_their_latest_values(town: House, encode: bool) -> None:
    expand = f"Locations,Datastreams($expand={LATEST})"
    things, asked = load(town, f"Things?%24expand={quote(expand, safe='')}" if encode else f"Things?$expand={expand}")
    assert asked == 1
    assert [len(thing["Datastreams"]) for thing in things] == [2, 2, 2]
    readings = [stream["Observations"] for thing in things for stream in thing["Datastreams"]]
    assert [[one["result"] for one in listed] for listed in readings] == [[240], [20], [20], [20], [20], [20]]


@pytest.mark.parametrize("how", ["st_within", "st_intersects"])
@pytest.mark.parametrize("root", ["Things", "Datastreams"])
def test_what_lies_in_view(town: House, how: str, root: str) -> None:
    place = "Locations/location" if root == "Things" else "Thing/Locations/location"
    expand = f"Locations,Datastreams($expand={LATEST})" if root == "Things" else f"Thing($expand=Locations),{LATEST}"
    for area, count in ((VIEW, {"Things": 1, "Datastreams": 2}[root]), (ELSEWHERE, 0)):
        # url-parse writes the query as encodeURIComponent does.
        condition = quote(f"{how}({place},geography'{area}')", safe="!'()*~")
        if town.request("GET", root, f"$filter={condition}").status == 501:
            pytest.skip("PostGIS is not installed: spatial functions of PostgreSQL are left out")
        found, _ = load(town, f"{root}?%24expand={quote(expand, safe='')}&%24filter={condition}")
        assert len(found) == count
    named = quote(f"startswith(name,'Garage') and {how}({place},geography'{VIEW}')", safe="!'()*~")
    if root == "Things":
        assert len(load(town, f"Things?%24filter={named}")[0]) == 1


def test_what_a_late_subscriber_asks_for(town: House) -> None:
    """MQTT 3.1.1 keeps nothing for it: the topic behind the root, with the newest first."""
    found, asked = load(town, "Datastreams('garage0~free')/Observations?%24orderby=phenomenonTime%20desc&%24top=1")
    assert (asked, [one["result"] for one in found]) == (1, [240])
    way = "Datastreams('garage0~free')/Thing/HistoricalLocations"
    moved, asked = load(town, f"{way}?$orderby=time+desc&$expand=Locations&$top=3")
    assert (asked, len(moved[0]["Locations"])) == (1, 1)


def test_a_link_says_how_much_lies_before_it(town: House) -> None:
    page = town.get("Datastreams('garage0~free')/Observations", top="4", skip="3")
    places = []
    while "@iot.nextLink" in page:
        link = unquote(page["@iot.nextLink"])
        places.append(int(link.partition("$skip=")[2].partition("&")[0]))
        page = town.follow(page["@iot.nextLink"])
    assert places == [7, 11, 15, 19, 23]
    assert len(page["value"]) == 2
