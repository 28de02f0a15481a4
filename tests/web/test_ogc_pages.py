"""The OGC interface as pages: negotiated, complete, in two languages, and no more than one may see."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from tests.conformance.ogc.conftest import deliver, tree, work

from allmende.domain.records import Collection
from allmende.domain.store import Store
from allmende.web.house import furnish, open_profile, open_store

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TREES = "/ogc/v1/collections/trees"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def store(db: Any) -> Store:
    """The city, with trees in a dataset of its own that is open."""
    store = open_store()
    furnish(store, open_profile())
    dataset = next(each.id for each in open_profile().datasets.values() if each.access == "open" and not each.simulated)
    fields = {"species": {"type": "string", "title": "Art"}}
    deliver(store, Collection(id="trees", title="Trees", fields=fields), [tree(n) for n in range(12)], dataset)
    odd = work("a/b c", {"type": "LineString", "coordinates": [[11.5, 50.9], [11.6, 51]]}, None, None)
    odd.properties.update({"name": SCRIPT, "page": "https://city.example/a?b=1&c=2", "bad": "javascript:alert(1)"})
    deliver(store, Collection(id="works", title="Roadworks"), [odd], dataset)
    return store


def visit(client: Client, address: str, **headers: str) -> Any:
    return client.get(address, headers={"Accept": BROWSER, "Accept-Language": "de", **headers})


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True), ("text/html", True), ("", False), ("*/*", False), ("application/json", False),
        ("application/geo+json, text/html;q=0.5", False), ("text/html, application/json", True),
        ("application/json, text/html", False), ("text/html;q=0, */*", False), ("text/html;q=x", False),
    ],
)  # fmt: skip
def test_who_wants_a_page_gets_one(client: Client, store: Store, accept: str, html: bool) -> None:
    answer = client.get(f"{TREES}/items", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/html" if html else "application/geo+json")
    assert "Accept" in answer.headers["Vary"].split(", ")
    assert client.get(f"{TREES}/items?f=json", headers={"Accept": accept}).json()["features"]
    forced = client.get(f"{TREES}/items?f=html", headers={"Accept": accept})
    assert forced.headers["Content-Type"].startswith("text/html")


def test_every_page_is_reached_by_its_links(client: Client, store: Store) -> None:
    waiting, seen = ["/ogc/v1"], set()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = visit(client, address)
        assert answer.status_code == 200, address
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        links = re.findall(r'href="([^"]+)"', answer.content.decode())
        assert any("f=json" in link for link in links), address
        assert 'rel="alternate"' in answer.headers["Link"]
        local = [f"{urlsplit(one).path}?{urlsplit(one).query.replace('&amp;', '&')}" for one in links]
        waiting += [one.rstrip("?") for one in local if one.startswith("/ogc/v1") and "{" not in one]
    kinds = {re.sub(r"(?<=items/)[^?]+|trees|works|\w+:[\w-]+", "*", urlsplit(one).path) for one in seen}
    below = {"", "/queryables", "/items", "/items/*", "/tiles", "/tiles/WebMercatorQuad"}
    assert {"/ogc/v1", "/ogc/v1/api", "/ogc/v1/conformance", "/ogc/v1/collections"} <= kinds
    assert {f"/ogc/v1/collections/*{one}" for one in below} <= kinds


def test_a_table_shows_what_there_is_and_goes_on(client: Client, store: Store) -> None:
    page = visit(client, f"{TREES}/items?limit=5").content.decode()
    assert 'title="species">Art</th>' in page
    assert "5 von 12 Objekten" in page
    assert page.count('scope="row"') == 5
    following = re.search(r'href="([^"]+)" rel="next"', page)
    assert following is not None
    second = visit(client, following[1].replace("&amp;", "&")).content.decode()
    assert ">005<" in second
    assert ">004<" not in second
    assert "5 of 12 objects" in visit(client, f"{TREES}/items?limit=5", **{"Accept-Language": "en"}).content.decode()


def test_empty_fields_of_the_form_mean_nothing(client: Client, store: Store) -> None:
    answer = visit(client, f"{TREES}/items?f=html&filter=height+%3E+5&datetime=&bbox=&limit=")
    assert answer.status_code == 200
    assert answer.content.decode().count('scope="row"') == 1


def test_what_a_source_says_is_text_and_links_only_to_the_web(client: Client, store: Store) -> None:
    for address in ("items", "items/a%2Fb%20c"):
        page = visit(client, f"/ogc/v1/collections/works/{address}").content.decode()
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page
        assert 'href="https://city.example/a?b=1&amp;c=2"' in page
        assert 'href="javascript' not in page


@pytest.mark.parametrize(("path", "status"), [("collections/none", 404), ("collections/trees/items?bbox=1,2", 400)])
def test_mistakes_are_pages_too(client: Client, store: Store, path: str, status: int) -> None:
    answer = visit(client, f"/ogc/v1/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert client.get(f"/ogc/v1/{path}").json()["description"] in answer.content.decode().replace("&#x27;", "'")
