"""The search of the portal: one question over all that has a page, for one reader."""

import pytest
from django.test import Client
from tests.support import create

from allmende.domain.store import DatasetRecord
from allmende.web.finding import shelves
from allmende.web.house import open_profile, open_store


@pytest.fixture
def client(db) -> Client:
    shelves.forget()
    yield Client(headers={"accept-language": "de"})
    shelves.forget()


def thing(key: str, name: str) -> None:
    """A thing of an open dataset."""
    record = DatasetRecord(
        id="found", title={"de": "x"}, description={"de": "x"}, publisher="x", licence="x", attribution="x",
        access="open", simulated=False,
    )  # fmt: skip
    open_store().put_datasets([record])
    create(open_store(), "Thing", {"@iot.id": key, "name": name, "description": "steht da"}, dataset="found")


def links(page: str, group: str) -> list[str]:
    """Addresses that a group of the page leads to."""
    if f'id="found-{group}"' not in page:
        return []
    part = page.split(f'id="found-{group}"')[1].split("</section>")[0]
    return [piece.split('"')[0] for piece in part.split('<li><a href="')[1:]]


def test_without_a_question_it_says_what_can_be_found(client):
    answer = client.get("/search/")
    assert answer.status_code == 200
    assert "Ortsteile" in answer.text


def test_a_service_is_found_by_its_name_and_by_a_slip(client):
    assert "/parking/" in links(client.get("/search/", {"q": "parken"}).text, "services")
    page = client.get("/search/", {"q": "Inpressum"}).text
    assert "/imprint/" in links(page, "pages")
    assert "Gefunden wurde stattdessen" in page


def test_a_district_leads_to_its_data(client):
    name = next(iter(open_profile().geography.districts["features"]))["properties"]["name"]
    found = links(client.get("/search/", {"q": name}).text, "places")
    assert any(address.startswith("/datasets/?district=") for address in found)


def test_a_thing_is_found_in_all_forms_of_its_words(client):
    thing("brunnen", "Brunnen am Markt")
    assert links(client.get("/search/", {"q": "Brunnens"}).text, "things") == ["/transparency/brunnen/"]
    assert links(client.get("/search/", {"q": "brunnen -markt"}).text, "things") == []


def test_what_is_new_is_found_once_the_index_is_old(client):
    assert links(client.get("/search/", {"q": "Leuchtturm"}).text, "things") == []
    thing("turm", "Leuchtturm")
    assert links(client.get("/search/", {"q": "Leuchtturm"}).text, "things") == []
    shelves.forget()
    assert links(client.get("/search/", {"q": "Leuchtturm"}).text, "things") == ["/transparency/turm/"]


def test_many_answers_of_a_kind_have_pages(client):
    for number in range(31):
        thing(f"laterne-{number:02}", f"Laterne {number:02}")
    first = client.get("/search/", {"q": "Laterne"}).text
    assert len(links(first, "things")) == 5
    assert "26 weitere" in first
    second = client.get("/search/", {"q": "Laterne", "kind": "things", "page": "2"}).text
    assert len(links(second, "things")) == 6
    assert "26 weitere" not in second


@pytest.mark.parametrize("asked", ["\0", "'\"<script>", "-", '"', "x" * 5000, "%", "１"])
def test_anything_may_be_asked(client, asked):
    answer = client.get("/search/", {"q": asked, "page": asked, "kind": asked})
    assert answer.status_code == 200
    assert "<script>'" not in answer.text


def test_each_language_has_its_own_words(client):
    english = {"accept-language": "en"}
    assert "/imprint/" in links(client.get("/search/", {"q": "imprint"}, headers=english).text, "pages")
    assert "/imprint/" in links(client.get("/search/", {"q": "Impressum"}).text, "pages")
    assert links(client.get("/search/", {"q": "imprint"}).text, "pages") == []
