"""OGC API - Records: the catalogue's datasets, and no others than one may know of."""

from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from django.test import Client

from allmende.web.house import furnish, open_profile, open_store

ROOT = "/ogc/v1/collections/catalogue:datasets"


@pytest.fixture
def ask(db: Any, client: Client) -> Any:
    furnish(open_store(), open_profile())

    def once(path: str = "", status: int = 200) -> Any:
        answer = client.get(f"{ROOT}{path}")
        assert answer.status_code == status, answer.content
        return answer.json()

    return once


def ids(page: Any) -> list[str]:
    assert page["numberReturned"] == len(page["features"])
    return [each["id"] for each in page["features"]]


def test_datasets_are_records(ask: Any, client: Client) -> None:
    listed = client.get("/ogc/v1/collections").json()["collections"]
    assert next(each for each in listed if each["id"] == "catalogue:datasets")["itemType"] == "record"
    assert ask()["itemType"] == "record"
    page = ask("/items?limit=1000")
    open_ = {each.id for each in open_profile().datasets.values() if not each.simulated and each.access == "open"}
    assert open_ <= set(ids(page))
    name = ids(page)[0]
    record = ask(f"/items/{name}")
    dataset = open_profile().datasets[name]
    assert record["properties"]["title"] in dataset.title.values()
    assert record["properties"]["type"] == "dataset"
    assert record["properties"]["contacts"][0]["roles"] == ["publisher"]
    assert any(link["href"].endswith(f"/dataset/{name}.ttl") for link in record["links"])
    # the schema of records, as far as it matters to clients
    jsonschema_rs.validate(
        {
            "type": "object",
            "required": ["id", "type", "geometry", "time", "properties"],
            "properties": {
                "geometry": {"type": ["object", "null"]},
                "time": {"type": ["object", "null"]},
                "properties": {
                    "required": ["type", "title"],
                    "properties": {"themes": {"items": {"required": ["concepts", "scheme"]}}},
                },
            },
        },
        record,
    )


def test_pages_and_options(ask: Any) -> None:
    whole = ids(ask("/items?limit=1000"))
    walked: list[str] = []
    path = "/items?limit=2"
    while path:
        page = ask(path)
        assert page["numberMatched"] == len(whole)
        walked += ids(page)
        path = next((link["href"].partition(ROOT)[2] for link in page["links"] if link["rel"] == "next"), "")
    assert walked == whole
    address = next(link["href"] for link in ask(f"/items/{whole[0]}")["links"] if link["rel"] == "describedby")
    assert ids(ask(f"/items?externalIds={address},none")) == [whole[0]]
    assert ids(ask(f"/items?ids={whole[1]},none")) == [whole[1]]
    assert ids(ask("/items?type=service")) == []
    assert ids(ask("/items?q=unsinnzzz")) == []
    title = ask(f"/items/{whole[0]}")["properties"]["title"].split()[0]
    assert whole[0] in ids(ask(f"/items?q={quote(title)}"))
    assert ids(ask("/items?bbox=-1,-1,1,1")) == []
    for wrong in ("colour=red", "after=none", "bbox=1", "datetime=x", "filter=a"):
        assert ask(f"/items?{wrong}", 400)["description"].startswith(wrong.partition("=")[0])
    for absent in ("/items/none", "/queryables", "/tiles", "/tiles/WebMercatorQuad/0/0/0"):
        ask(absent, 404)


def test_pages_for_people(ask: Any, client: Client) -> None:
    name = ids(ask("/items"))[0]
    for path in ("", "/items", f"/items/{name}", "/items?q=&datetime="):
        answer = client.get(f"{ROOT}{path}{'&' if '?' in path else '?'}f=html", headers={"Accept-Language": "de"})
        assert answer.status_code == 200, path
    assert 'name="q"' in client.get(f"{ROOT}/items?f=html").content.decode()
