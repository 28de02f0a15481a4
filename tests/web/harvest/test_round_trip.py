"""A catalogue is taken over and given out again without loss, whatever form it came in."""

import warnings
from typing import Any

import pytest
from django.test import Client
from rdflib import BNode, Graph, URIRef
from rdflib.compare import graph_diff, isomorphic, to_canonical_graph
from rdflib.namespace import DCTERMS, FOAF, RDF
from tests.web.harvest.conftest import Harvest
from tests.web.harvest.origin import CATALOGUE, Origin

from allmende.connectors.harvesting.rdf import DCAT, HYDRA
from allmende.faces.dcat.formats import FORMATS, write

OURS = "http://testserver/"
BASE = "https://daten.musterstadt.example/"


def given() -> Graph:
    return Graph().parse(CATALOGUE, format="turtle")


def written(graph: Graph, format_: str) -> bytes:
    """By our own writer, which keeps letters."""
    return write(graph, next(each for each in FORMATS if each.name == format_))


def without_ours(graph: Graph, before: Graph) -> Graph:
    """What was not said by this house: about nodes of its own, of pages, and what it said ``before``."""
    kept = Graph()
    blank: set[Any] = {o for s, _, o in graph if str(s).startswith(OURS) and isinstance(o, BNode)}
    for s, p, o in graph:
        ours = str(s).startswith(OURS) or str(p).startswith(str(HYDRA)) or s in blank
        if not ours and (s, p, o) not in before:
            kept.add((s, p, o))
    return kept


def published(client: Client, suffix: str = "ttl", format_: str = "turtle", options: str = "") -> Graph:
    answer = client.get(f"/catalog.{suffix}{options}")
    assert answer.status_code == 200
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's reader of JSON-LD uses what rdflib deprecates
        return Graph().parse(data=answer.content, format=format_)


def assert_same(found: Graph, wanted: Graph) -> None:
    if not isomorphic(found, wanted):
        _, more, less = graph_diff(to_canonical_graph(found), to_canonical_graph(wanted))
        raise AssertionError(
            f"{len(found)} {len(wanted)} more:\n{more.serialize(format='nt')}\nless:\n{less.serialize(format='nt')}"
        )


@pytest.mark.parametrize(
    ("format_", "media"),
    [("turtle", "text/turtle; charset=utf-8"), ("xml", "application/rdf+xml"), ("json-ld", "application/ld+json"),
     ("nt", "application/octet-stream")],
)  # fmt: skip
def test_every_statement_comes_out_again(
    client: Client, other: Origin, harvest: Harvest, format_: str, media: str
) -> None:
    before = published(client, "nt", "nt")
    body = CATALOGUE.read_bytes() if format_ == "turtle" else written(given(), format_)
    other.put("/catalog.ttl?page=1", body, media)
    done = harvest()
    assert (done.new, done.complete, done.refused) == (5, True, 0)
    assert_same(without_ours(published(client, "nt", "nt"), before), given())


@pytest.mark.parametrize(("suffix", "format_"), [("rdf", "xml"), ("jsonld", "json-ld"), ("ttl", "turtle")])
def test_in_each_format(client: Client, other: Origin, harvest: Harvest, suffix: str, format_: str) -> None:
    before = published(client, suffix, format_)
    other.put("/catalog.ttl?page=1", CATALOGUE.read_bytes())
    harvest()
    wanted = given()
    if format_ == "turtle":  # rdflib reads the bare 0042 of Turtle as 42
        wanted = Graph().parse(data=wanted.serialize(format="turtle"), format="turtle")
    assert_same(without_ours(published(client, suffix, format_), before), wanted)


def test_over_pages_on_both_sides(client: Client, other: Origin, harvest: Harvest) -> None:
    pages = []
    whole = given()
    datasets = sorted(whole.subjects(RDF.type, DCAT.Dataset))
    for shown in (datasets[:2], datasets[2:4], datasets[4:]):
        page = given()
        for one in datasets:
            if one not in shown:
                page.remove((None, DCAT.dataset, one))
                page -= page.cbd(one)
        pages.append(page)
    other.put_pages(pages, total=5)
    done = harvest()
    assert (done.new, done.pages) == (5, 3)
    merged = Graph()
    for number in range(1, 9):
        merged += published(client, options=f"?page={number}&limit=2")
    subjects = {s for s in merged.subjects(RDF.type, DCAT.Dataset) if str(s).startswith(BASE)}
    assert subjects == set(datasets)


def test_one_dataset_alone_and_where_it_is_from(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put("/catalog.ttl?page=1", given())
    harvest()
    trees = URIRef(f"{BASE}dataset/trees")
    whole = published(client)
    record = next(s for s in whole.subjects(FOAF.primaryTopic, trees) if str(s).startswith(OURS))
    ours = str(record).removesuffix("#record")
    assert (record, DCTERMS.source, URIRef(f"{BASE}record/trees")) in whole
    alone = Graph().parse(data=client.get(f"{ours}.ttl").content, format="turtle")
    assert set(alone.objects(trees)) - set(alone.all_nodes()) == set()
    assert len(set(alone.predicate_objects(trees))) == len(set(given().predicate_objects(trees)))
    assert not list(alone.triples((URIRef(f"{BASE}dataset/budget"), None, None)))
    # of what has no record there, a node of ours stands for what was read
    budget = next(s for s in whole.subjects(FOAF.primaryTopic, URIRef(f"{BASE}dataset/budget")) if "#record" in str(s))
    assert str(whole.value(budget, DCTERMS.source)).endswith("#origin")
