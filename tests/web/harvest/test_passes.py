"""What a pass notices: what is new, changed, gone and back; what it does not believe; and what it leaves alone."""

import threading
from typing import Any

import pytest
from django.test import Client
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, RDF
from tests.web.harvest.conftest import Harvest
from tests.web.harvest.origin import CATALOGUE, Origin

from allmende.connectors.fetching import FetchError
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.asking import Limits
from allmende.connectors.harvesting.rdf import DCAT, DCATDE
from allmende.web.harvest.models import Harvested, State
from allmende.web.harvest.run import HeldError, Stopped, dataset_id

BASE = "https://daten.musterstadt.example/"
OURS = "http://testserver/"
PAGE = "/catalog.ttl?page=1"


def given(*without: str) -> Graph:
    graph = Graph().parse(CATALOGUE, format="turtle")
    for name in without:
        graph.remove((URIRef(f"{BASE}dataset/{name}"), None, None))
        graph.remove((None, None, URIRef(f"{BASE}dataset/{name}")))
    return graph


def ours(name: str, harvest: str = "muster") -> str:
    return f"/dataset/{dataset_id(harvest, f'{BASE}dataset/{name}')}"


def live() -> set[str]:
    return {key.rpartition("/")[2] for key in Harvested.objects.filter(gone=None).values_list("key", flat=True)}


def test_what_is_as_it_was_is_not_read_again(other: Origin, harvest: Harvest) -> None:
    lines = given().serialize(format="nt")
    other.put(PAGE, lines, "application/n-triples")
    harvest()
    version = State.objects.get().version
    again = harvest()
    assert (again.new, again.changed, again.unchanged, other.unchanged) == (0, 0, 5, 1)
    # other names of blank nodes, another order: nothing is another one
    turned = "\n".join(reversed(lines.replace("_:N", "_:Other").splitlines()))
    other.put(PAGE, turned, "application/n-triples")
    again = harvest()
    assert (again.changed, again.unchanged, other.unchanged) == (0, 5, 1)
    assert State.objects.get().version == version


def test_a_change_deep_in_blank_nodes_is_noticed(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, CATALOGUE.read_text())
    harvest()
    other.put(PAGE, CATALOGUE.read_text().replace('"tief"', '"tiefer"'))
    done = harvest()
    assert (done.changed, done.unchanged) == (1, 4)
    assert "tiefer" in client.get(f"{ours('trees')}.ttl").content.decode()
    row = Harvested.objects.get(key=f"{BASE}dataset/trees")
    assert row.changed > row.first


def test_what_is_gone_leaves_a_tombstone_and_may_come_back(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest()
    assert client.get(ours("budget")).status_code == 200
    other.put(PAGE, given("budget"))
    assert harvest().withdrawn == 1
    page = client.get(ours("budget"))
    assert page.status_code == 410
    assert "Haushalt 2025" in page.content.decode()
    grave = Graph().parse(data=client.get(f"{ours('budget')}.ttl").content, format="turtle")
    assert (URIRef(f"{OURS[:-1]}{ours('budget')}"), DCTERMS.title, Literal("Haushalt 2025", lang="de")) in grave
    for address in ("/catalog.ttl", "/datasets/?q=Haushalt", "/sitemap.xml", "/api/3/action/package_list"):
        assert ours("budget") not in client.get(address).content.decode()
    other.put(PAGE, given())
    harvest()
    assert client.get(ours("budget")).status_code == 200


def test_when_much_vanishes_at_once_nothing_is_withdrawn(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest()
    other.put(PAGE, given("trees", "budget"))
    with pytest.raises(HeldError, match="2 datasets vanished at once, more than 20%"):
        harvest()
    assert State.objects.get().held == 2
    assert client.get(ours("trees")).status_code == 200
    # an empty answer is the same
    other.put(PAGE, Graph())
    with pytest.raises(HeldError):
        harvest()
    assert len(live()) == 5
    other.put(PAGE, given("trees", "budget"))
    assert harvest(accept=True).withdrawn == 2
    assert live() == {"noise", "old-map", "traffic"}
    assert State.objects.get().held == 0


def pages() -> list[Graph]:
    """Two pages: three datasets and two."""
    return [given("old-map", "traffic"), given("trees", "budget", "noise")]


@pytest.mark.parametrize(
    ("broken", "error"),
    [(b"@prefix dcat: <http://", Refused), (b"<html><body>Wartung</body></html>", Refused), (None, FetchError)],
)
def test_a_pass_that_breaks_off_withdraws_nothing(
    other: Origin, harvest: Harvest, broken: bytes | None, error: type[Exception]
) -> None:
    other.put_pages(pages())
    harvest()
    changed = given("old-map", "traffic", "budget")
    changed.set((URIRef(f"{BASE}dataset/noise"), DCTERMS.title, Literal("Lärm 2026", lang="de")))
    other.put_pages([changed, pages()[1]])
    if broken is None:
        other.broken.add("/catalog.ttl?page=2")
    else:
        other.put("/catalog.ttl?page=2", broken)
    with pytest.raises(error):
        harvest()
    # what came before stands, what did not come is not gone
    assert Harvested.objects.get(key=f"{BASE}dataset/noise").said["title"]["de"] == "Lärm 2026"
    assert len(live()) == 5
    other.broken.clear()
    other.put_pages([changed, pages()[1]])
    assert (harvest(most_withdrawn=0.5).withdrawn, live()) == (1, {"trees", "noise", "old-map", "traffic"})


def test_a_pass_that_is_stopped_goes_on_with_the_next(other: Origin, harvest: Harvest) -> None:
    class Second(threading.Event):
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 1

    other.put_pages(pages())
    with pytest.raises(Stopped):
        harvest(stop=Second())
    assert live() == {"trees", "budget", "noise"}
    assert (harvest().new, len(live())) == (2, 5)


def test_fewer_than_were_announced_are_not_all(other: Origin, harvest: Harvest) -> None:
    other.put_pages(pages(), total=5)
    harvest()
    other.put_pages([pages()[0], given("trees", "budget", "noise", "old-map")], total=5)
    with pytest.raises(FetchError, match="speaks of 5 datasets and gave 4"):
        harvest()
    assert len(live()) == 5


def test_a_dry_run_keeps_nothing(other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    assert harvest(dry=True).new == 5
    assert (Harvested.objects.count(), State.objects.count()) == (0, 0)
    harvest()
    other.put(PAGE, given("budget"))
    assert harvest(dry=True).withdrawn == 1
    assert len(live()) == 5


def test_ours_is_not_taken_back(client: Client, other: Origin, harvest: Harvest) -> None:
    mine = given()
    mine.add((URIRef(f"{OURS}dataset/parking"), RDF.type, DCAT.Dataset))
    mirrored = URIRef(f"{BASE}dataset/mirrored")
    mine.add((mirrored, RDF.type, DCAT.Dataset))
    mine.add((mirrored, DCTERMS.identifier, Literal(f"{OURS}dataset/parking")))
    other.put(PAGE, mine)
    done = harvest()
    assert (done.new, done.own) == (5, 2)


def test_a_dataset_of_two_catalogues_is_shown_once(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest()
    other.put("/second.ttl", given())
    harvest("second", address=f"{other.root}/second.ttl")
    listed = client.get("/api/3/action/package_list").json()["result"]
    assert len([name for name in listed if name.startswith("muster-")]) == 5
    assert not [name for name in listed if name.startswith("second-")]
    # once the first has it no more, the second's is there
    other.put(PAGE, given("budget"))
    harvest()
    assert client.get(ours("budget", "second")).status_code == 200


def test_only_what_is_wanted(other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    assert harvest(themes=["GOVE"]).new == 1
    harvest("b", publishers=["Umweltamt"])
    harvest("c", publishers=[f"{BASE}agents/stadt"], themes=["ENVI"])
    kept = {row.harvest: row.key.rpartition("/")[2] for row in Harvested.objects.all()}
    assert kept == {"muster": "budget", "b": "noise", "c": "trees"}


def test_what_the_profile_says_otherwise_is_read_anew(other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest()
    harvest(themes=["ENVI"], most_withdrawn=1)
    assert (live(), other.unchanged) == ({"trees"}, 0)


def test_a_licence_is_added_only_where_none_is_stated(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest(licence="dl-de/zero-2-0")
    graph = Graph().parse(data=client.get(f"{ours('budget')}.ttl").content, format="turtle")
    assert [str(o) for o in graph.objects(None, DCTERMS.license)] == ["http://dcat-ap.de/def/licenses/dl-zero-de/2.0"]
    graph = Graph().parse(data=client.get(f"{ours('trees')}.ttl").content, format="turtle")
    assert {str(o) for o in graph.objects(None, DCTERMS.license)} == {"http://dcat-ap.de/def/licenses/dl-by-de/2.0"}
    assert len(list(graph.objects(None, DCATDE.contributorID))) == 1


def test_a_page_tells_where_it_is_from(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest()
    body = client.get(ours("noise"), headers={"Accept-Language": "de"}).content.decode()
    for words in ("übernommen von Daten Musterstadt", "auf Anfrage", "Umweltamt", f"{BASE}dataset/noise"):
        assert words in body
    found = client.get("/datasets/?q=Bäume", headers={"Accept-Language": "de"}).content.decode()
    assert ours("trees") in found
    assert f"{OURS[:-1]}{ours('trees')}" in client.get("/sitemap.xml").content.decode()
    package = client.get("/api/3/action/package_show", {"id": ours("trees").rpartition("/")[2]}).json()["result"]
    assert {extra["key"]: extra["value"] for extra in package["extras"]}["uri"] == f"{BASE}dataset/trees"
    assert package["resources"][0]["url"].startswith("https://")


def _document(what: str, root: str) -> Any:
    page, dcat = f"<{root}{PAGE}>", "http://www.w3.org/ns/dcat#"
    hydra = "http://www.w3.org/ns/hydra/core#"
    return {
        "another host": f"{page} a <{hydra}PagedCollection> ; <{hydra}next> <http://169.254.169.254/latest> .",
        "another port": f"{page} a <{hydra}PagedCollection> ; <{hydra}next> <http://127.0.0.1:1/x> .",
        "a file": f"{page} a <{hydra}PagedCollection> ; <{hydra}next> <file:///etc/passwd> .",
        "a circle": f"{page} a <{hydra}PagedCollection> ; <{hydra}next> {page} .",
        "too many statements": f"<a:a> <a:b> {', '.join(map(str, range(2000)))} .",
        "too large": "# " + "x" * 60_000,
        "entangled": "\n".join(
            f"<a:d{n}> a <{dcat}Dataset> ; <a:knows> <a:k0> ." for n in range(450)
        ) + "\n".join(f"<a:k{n}> <a:knows> <a:k{n + 1}> ." for n in range(450)),
    }[what]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("another host", "another host"),
        ("another port", "another host"),
        ("a file", "another host"),
        ("a circle", "circle"),
        ("too many statements", "more than 1,900 statements"),
        ("too large", "larger than 50,000 bytes"),
        ("entangled", "hang together too much"),
    ],
)
def test_what_a_stranger_would_have_us_do(other: Origin, harvest: Harvest, what: str, words: str) -> None:
    other.put(PAGE, _document(what, other.root))
    with pytest.raises((FetchError, Refused), match=words):
        harvest(limits=Limits(page_statements=1900, page_bytes=50_000))
    assert not Harvested.objects.exists()
