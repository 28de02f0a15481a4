"""RDF of strangers: what is refused, what is mended, and that nothing is fetched, filled up or executed by it."""

import socket
from typing import Any

import pytest
from rdflib import BNode, Literal, URIRef

from allmende.connectors.fetching import FetchError
from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.asking import follow
from allmende.connectors.harvesting.cut import cut
from allmende.connectors.harvesting.rdf import DCAT, read_triples

BASE = "https://daten.example/catalog"
RDF_XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:d="http://purl.org/dc/terms/">%s</rdf:RDF>'
)
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("media", "body", "words"),
    [
        ("application/rdf+xml", '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + RDF_XML % "&f;", "DTD"),
        ("application/rdf+xml", f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>' + RDF_XML % "&l9;", "DTD|no XML"),
        ("text/xml", '<!DOCTYPE x SYSTEM "http://evil.example/x.dtd">' + RDF_XML % "", "DTD"),
        ("application/rdf+xml", RDF_XML % ("<d:title>" * 500), "no XML"),
        ("application/rdf+xml", "nothing", "no XML"),
        ("application/ld+json", '{"@context": "http://evil.example/context", "a": 1}', "context"),
        ("application/ld+json", '[{"@graph": [{"@context": [{"a": "http://a/"}, "http://evil.example"]}]}]', "context"),
        ("application/ld+json", '{"@context": {"@import": "http://evil.example/c", "a": "http://a/"}}', "context"),
        ("application/ld+json", '{"@context": {"a": {"@id": "http://a/", "@context": "http://evil/"}}}', "context"),
        ("application/ld+json", "[" * 100_000, "JSON"),
        ("application/ld+json", '{"a":' * 900 + "1" + "}" * 900, "too deeply|JSON"),
        ("text/turtle", "<a:a> <a:b> " + "[ <a:b> " * 3000, "too deeply|RDF"),
        ("text/turtle", "<a:a> <a:b> " + "( " * 3000, "too deeply|RDF"),
        ("text/turtle", '<a:a> <a:b> "x"@de_DE .', "RDF"),
        ("application/n-triples", "\x00\x01\x02", "RDF"),
        ("", "<!DOCTYPE html><html></html>", "page"),
        ("text/turtle", "<a:a> <a:b> " + ",".join(str(n) for n in range(600)) + " .", "more than 500 statements"),
    ],
)  # fmt: skip
def test_what_is_refused(media: str, body: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_triples(body.encode(), media, BASE, most=500)


def test_what_no_format_holds_is_mended() -> None:
    body = '<http://x/a> <a:b> <http://x/b\\u0020c\\u007B> , "eins\\u0000zwei\\u000Bdrei", "bleibt\\n\\tso" .'
    triples = read_triples(body.encode(), "text/turtle", BASE, most=10)
    assert {o for _, _, o in triples} == {
        URIRef("http://x/b%20c%7B"), Literal("einszweidrei"), Literal("bleibt\n\tso")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"<> a <http://www.w3.org/ns/dcat#Dataset> .", ""),
        ((RDF_XML % '<rdf:Description rdf:about=""><d:title>x</d:title></rdf:Description>').encode(), "text/plain"),
        (b'\xef\xbb\xbf{"@id": "", "http://purl.org/dc/terms/title": "x"}', "application/octet-stream"),
    ],
)
def test_a_form_is_known_by_how_it_begins(body: bytes, media: str) -> None:
    assert read_triples(body, media, BASE, most=10)[0][0] == URIRef(BASE)


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("?page=2", "https://daten.example/catalog?page=2"),
        ("https://daten.example/x#top", "https://daten.example/x"),
        ("http://daten.example/catalog?page=2", "https://daten.example/catalog?page=2"),
        ("https://daten.example:443/x", "https://daten.example/x"),
    ],
)
def test_a_next_page_of_the_same_host(named: str, address: str) -> None:
    assert follow(BASE, named) == address


@pytest.mark.parametrize(
    "named",
    ["http://169.254.169.254/", "https://daten.example.evil.example/", "https://daten.example@evil.example/",
     "//evil.example/", "file:///etc/passwd", "https://daten.example:8443/", "ftp://daten.example/", "javascript:x",
     "https://daten.example:99999999/", "http://[::1]/"],
)  # fmt: skip
def test_a_next_page_of_somebody_else(named: str) -> None:
    with pytest.raises(FetchError):
        follow(BASE, named)


def test_rings_of_blank_nodes_are_told_apart_in_time() -> None:
    """Graphs on which canonical names take for ever: all nodes look alike."""
    nodes = [BNode() for _ in range(300)]
    dataset, links = URIRef("https://x.example/d"), URIRef("a:link")
    triples = [(dataset, URIRef("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), DCAT.Dataset)]
    triples += [(dataset, links, node) for node in nodes]
    triples += [(node, links, nodes[(place + step) % 300]) for place, node in enumerate(nodes) for step in (1, 7, 31)]
    page = cut(triples)
    assert (len(page.cuts), len(page.cuts[0].lines.splitlines())) == (1, len(triples))
