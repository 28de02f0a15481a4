"""``$resultMetadata``, as OData's JSON format and FROST-Server have it: how much control information is shown."""

from typing import Any

import msgspec
import pytest

from tests.conformance.sensorthings.house import House


def without_links(shown: Any) -> Any:
    if isinstance(shown, list):
        return [without_links(item) for item in shown]
    if isinstance(shown, dict):
        return {
            name: without_links(value)
            for name, value in shown.items()
            if not name.endswith(("@iot.selfLink", "@iot.navigationLink"))
        }
    return shown


@pytest.mark.parametrize("path", ["Things", "Observations", "Datastreams", "Things('garage0')", "Observations(1)"])
def test_minimal_and_none_leave_out_addresses(town: House, path: str) -> None:
    whole = town.get(path)
    assert town.get(path, resultMetadata="full") == whole
    for word in ("minimal", "none", "NONE"):
        assert town.get(path, resultMetadata=word) == without_links(whole) != whole


def test_what_is_expanded_too(town: House) -> None:
    asked = {"expand": "Datastreams($expand=Observations($top=1;$count=true),Sensor)", "select": "name,Locations"}
    whole = town.get("Things('garage0')", **asked)
    found = town.get("Things('garage0')", **asked, resultMetadata="minimal")
    link = found["Datastreams"][0]["Observations@iot.nextLink"]
    assert "resultMetadata=minimal" in link
    assert all(set(o) <= {"@iot.id", "phenomenonTime", "resultTime", "result"} for o in town.follow(link)["value"])
    for page in (whole, found):
        for stream in page["Datastreams"]:
            assert stream.pop("Observations@iot.nextLink")
            assert stream["Observations@iot.count"]
    assert found == without_links(whole)


def test_pages_stay_as_they_were_asked_for(town: House) -> None:
    page = town.get("Observations", resultMetadata="none", top="7", count="true")
    assert page["@iot.count"] == 40
    found = town.pages(page)
    assert len(found) == 40
    assert not any("Link" in name for o in found for name in o)


def test_off_leaves_out_the_next_page_too(town: House) -> None:
    page = town.get("Observations", resultMetadata="off", top="2", count="true", expand="Datastream")
    assert (set(page), page["@iot.count"]) == ({"@iot.count", "value"}, 40)
    shown = town.get("Things", resultMetadata="off", expand="Datastreams($top=1)", top="1")["value"][0]
    assert not any("Link" in name for name in shown)
    response = town.request("GET", "Observations", "$resultMetadata=off&$resultFormat=CSV&$top=2")
    assert "Link" not in response.headers


def test_data_arrays_keep_the_link_that_names_the_stream(town: House) -> None:
    page = town.get("Observations", resultMetadata="none", resultFormat="dataArray", top="1")
    assert page["value"][0]["Datastream@iot.navigationLink"]
    assert "@iot.nextLink" in page


def test_mistakes_are_told(town: House) -> None:
    for word in ("", "some", "full,none"):
        assert "$resultMetadata" in town.error("Things", resultMetadata=word)
    assert "$resultMetadata" in town.error("Things", expand="Datastreams($resultMetadata=none)")
    assert "$resultMetadata" in town.error("Things('garage0')/name", resultMetadata="none")


def test_options_that_are_not_built_and_options_that_are_not(town: House) -> None:
    for option in ("search", "compute", "format"):
        assert f"${option}" in town.error("Things", 501, **{option: "x"})
    for query in ("$foo=1", "select=name", "%24Filter=1"):
        answered = town.request("GET", "Things", query)
        assert answered.status == 400
        assert "no such option" in msgspec.json.decode(answered.body)["message"]
