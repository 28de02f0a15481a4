"""The page's search: forms of words, facets, map extent and order as addresses; nothing of what is hidden."""

import re

import pytest
from django.test import Client

from allmende.domain.policy import Reader
from allmende.web.accounts import middleware


def titles(client: Client, asked: str, status: int = 200) -> list[str]:
    answer = client.get(f"/datasets/{asked}", headers={"Accept-Language": "de"})
    assert answer.status_code == status
    return [each.entry.id for each in answer.context["listed"]]


@pytest.mark.parametrize("word", ["Parkplatz", "parkplätze", "Parkpläze", '"freie Plätze"'])
def test_forms_parts_and_slips_are_found(client: Client, house: None, word: str) -> None:
    assert "parking" in titles(client, f"?q={word}")


def test_a_thing_is_found_by_its_name_and_a_hidden_one_is_not(
    client: Client, house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert titles(client, "?q=goethe") == ["parking"]
    assert "transit" not in titles(client, "?q=Bus")
    assert titles(client, "?q=bus-free") == []
    driver = Reader(name="user:driver", datasets=frozenset({"transit"}))
    monkeypatch.setattr(middleware, "reader_of", lambda request: driver)
    assert "transit" in titles(client, "?q=Bus")


def test_what_was_found_is_marked_and_nothing_else_is_markup(client: Client, house: None) -> None:
    body = client.get("/datasets/?q=parkpläze<b>", headers={"Accept-Language": "de"}).content.decode()
    assert "<b>" not in body
    body = client.get("/datasets/?q=parken", headers={"Accept-Language": "de"}).content.decode()
    assert re.search(r"<mark>\w*[Pp]ark\w*</mark>", body)


def test_each_value_leads_to_as_many_datasets_as_it_says(client: Client, house: None) -> None:
    answer = client.get("/datasets/?licence=dl-de/by-2-0", headers={"Accept-Language": "de"})
    facets = {facet.key: facet for facet in answer.context["facets"]}
    assert {"theme", "publisher", "licence"} <= set(facets)
    for facet in facets.values():
        for value in facet.values[:3]:
            if facet.key != "licence":
                assert client.get(f"/datasets/{value.link}").context["total"] == value.number > 0
    [chosen] = [value for value in facets["licence"].values if value.chosen]
    assert client.get(f"/datasets/{chosen.link}").context["total"] > answer.context["total"]


def test_a_map_extent_is_four_fields_or_one(client: Client, house: None) -> None:
    assert titles(client, "?west=11,5&south=50,9&east=11,6&north=51") == titles(client, "?bbox=11.5,50.9,11.6,51")
    assert "parking" in titles(client, "?bbox=11.5,50.9,11.6,51")
    assert titles(client, "?bbox=1,1,2,2") == []
    for wrong in ("?bbox=1,2,3", "?west=x&south=1&east=2&north=3", "?west=5"):
        assert client.get(f"/datasets/{wrong}").status_code == 400
    body = client.get("/datasets/?west=5", headers={"Accept-Language": "de"}).content.decode()
    assert "Das ist kein Kartenausschnitt" in body


def test_a_district_is_a_part_of_the_map(client: Client, house: None) -> None:
    answer = client.get("/datasets/?district=Jena-Süd&theme=TRAN", headers={"Accept-Language": "de"})
    assert "parking" in [each.entry.id for each in answer.context["listed"]]
    assert ("Jena-Süd", True) in answer.context["districts"]
    assert not any(value for _, _, value in answer.context["sides"]), "a district is not four numbers as well"
    [facet] = [facet for facet in answer.context["facets"] if facet.key == "theme"]
    assert "district=Jena-S%C3%BCd" in facet.values[0].link
    assert "parking" not in titles(client, "?district=Maua")
    everything = client.get("/datasets/").context["total"]
    assert client.get("/datasets/?district=Nowhere").context["total"] == everything
    # numbers say more than a name
    assert "parking" in titles(client, "?district=Maua&bbox=11.5,50.9,11.6,51")


def test_the_title_says_how_many_were_found(client: Client, house: None) -> None:
    body = client.get("/datasets/?q=goethe", headers={"Accept-Language": "de"}).content.decode()
    assert re.search(r"<title>\s*1 Datensatz gefunden: goethe", body)


def test_pages_hold_everything_once(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = titles(client, "?order=title")
    monkeypatch.setattr("allmende.web.catalogue.listing.ROWS", 3)
    pages = client.get("/datasets/").context["pages"]
    assert [name for page in range(1, pages + 1) for name in titles(client, f"?order=title&page={page}")] == whole
    assert titles(client, "?order=title&page=9999") == titles(client, f"?order=title&page={pages}")
    assert titles(client, "?order=newest")[0] == "parking"
