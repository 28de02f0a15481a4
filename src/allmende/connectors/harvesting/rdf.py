"""Reading RDF of strangers: no entities, no DTD, no context from the network, no more statements than are allowed.

What is read keeps the letters of its literals: ``01`` stays ``01``. Two things are mended, since no format could give
them out again: an address with signs that no IRI has gets them percent-encoded, and signs that XML cannot hold are
left out of texts.
"""

import logging
import re
from typing import Any

import msgspec
import rdflib
from lxml import etree
from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.plugins.parsers.jsonld import to_rdf
from rdflib.plugins.stores.memory import Memory
from rdflib.term import Node

from allmende.connectors.gathering import Refused
from allmende.connectors.markup import parse_xml

# rdflib would write 01 as 1 and T00:00:00.000Z as T00:00:00+00:00: other letters than the origin's
rdflib.NORMALIZE_LITERALS = False
# it tells of each value and address that it finds odd, as often as a stranger likes
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

Triple = tuple[Node, Node, Node]
ADMS = Namespace("http://www.w3.org/ns/adms#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
LOCN = Namespace("http://www.w3.org/ns/locn#")
SCHEMA = Namespace("http://schema.org/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")

ACCEPT = "text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.8, application/n-triples;q=0.7"
_MEDIA = {
    "text/turtle": "turtle", "application/x-turtle": "turtle", "text/n3": "turtle",
    "application/rdf+xml": "xml", "application/xml": "xml", "text/xml": "xml",
    "application/ld+json": "json-ld", "application/json": "json-ld", "application/n-triples": "nt",
}  # fmt: skip
_DEEPEST = 100
_NOT_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class _Capped(Memory):
    """A store that takes so many statements and no more: a few bytes of Turtle make one, and memory is dear."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most, self._taken = most, 0

    def add(self, triple: Any, context: Any, quoted: bool = False) -> None:
        self._taken += 1
        if self._taken > self._most:
            raise Refused("too many", f"the document holds more than {self._most:,} statements and was not taken")
        super().add(triple, context, quoted)


def read_triples(body: bytes, media: str, base: str, *, most: int) -> list[Triple]:
    """All statements of a document, each once, in no order. ``media`` is what its host calls it, ``base`` its address.

    Raises Refused.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    format_ = format_of(body, media)
    if format_ == "xml":
        # what was looked at is what is read: another reader may take the encoding for another one
        body = etree.tostring(parse_xml(body), encoding="utf-8")
    found = _json_of(body) if format_ == "json-ld" else None
    graph = Graph(store=_Capped(most), bind_namespaces="none")
    try:
        if found is not None:
            to_rdf(found, graph, base=base)  # what it puts into graphs with names is said as well
        else:
            graph.parse(data=body, format=format_, publicID=base)
    except Refused:
        raise
    except RecursionError:
        raise Refused("too deep", "the document is nested too deeply and was not taken") from None
    except Exception as error:
        # rdflib's parsers raise whatever a document makes them stumble upon: ValueError, KeyError, its own, …
        said = " ".join(str(error).split())[:300]
        raise Refused("unreadable", f"the document cannot be read as RDF ({format_}): {said}") from None
    return list(dict.fromkeys(mended(triple) for triple in graph))


def format_of(body: bytes, media: str) -> str:
    """rdflib's name of a format: by what the host says, else by how the document begins. Raises Refused for a page."""
    said = media.partition(";")[0].strip().lower()
    start = body[:2000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise Refused("page", "this is a page for people, not RDF")
    if said in _MEDIA:
        return _MEDIA[said]
    if start.startswith((b"{", b"[{", b"[\n", b"[ {")):
        return "json-ld"
    if start.startswith((b"<?xml", b"<rdf:", b"<!--")) or b"xmlns:rdf" in start:
        return "xml"
    return "turtle"


def _json_of(body: bytes) -> Any:
    """JSON-LD that asks for nothing: a context by its address would be fetched, from wherever a stranger likes."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("unreadable", f"the document cannot be read as JSON: {error}") from None
    waiting: list[tuple[Any, int]] = [(found, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            raise Refused("too deep", "the document is nested too deeply and was not taken")
        if isinstance(value, list):
            waiting += [(each, depth + 1) for each in value]
        elif isinstance(value, dict):
            context = value.get("@context")
            named = context if isinstance(context, list) else [context]
            if any(isinstance(each, str) for each in named) or "@import" in value:
                raise Refused("context", "the document asks for a context at another address, which is not fetched")
            waiting += [(each, depth + 1) for each in value.values()]
    return found


def mended(triple: Triple) -> Triple:
    """The same with addresses and texts that every format can hold."""
    subject, predicate, object_ = triple
    return _mend_node(subject), _mend_node(predicate), _mend_node(object_)


def _mend_node(node: Node) -> Node:
    if isinstance(node, URIRef):
        if _NOT_IN_IRI.search(node):
            return URIRef(_NOT_IN_IRI.sub(lambda sign: f"%{ord(sign[0]):02X}", node))
        if _NOT_IN_XML.search(node):
            return URIRef(_NOT_IN_XML.sub("", node))
    elif isinstance(node, Literal) and _NOT_IN_XML.search(node):
        return Literal(_NOT_IN_XML.sub("", node), lang=node.language, datatype=node.datatype)
    return node


def line(triple: Triple, labels: dict[Node, str]) -> str:
    """A statement as a line of N-Triples; blank nodes by their labels."""
    return f"{word(triple[0], labels)} {word(triple[1], labels)} {word(triple[2], labels)} ."


def word(node: Node, labels: dict[Node, str]) -> str:
    """A term as N-Triples write it."""
    if isinstance(node, BNode):
        return f"_:{labels[node]}"
    if isinstance(node, Literal):
        text = str(node).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
        if node.language:
            return f'"{text}"@{node.language}'
        return f'"{text}"^^<{node.datatype}>' if node.datatype else f'"{text}"'
    return f"<{node}>"
