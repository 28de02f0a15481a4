"""Datasets of other catalogues, given out as they came: every statement of the origin, about the origin's own nodes.

What the house adds says where it was taken from, and stands about nodes of its own: a ``dcat:CatalogRecord`` with
``dct:source``, the record at the origin. To the dataset's own node nothing is added but what its origin left open and
the profile says: ``dcatde:contributorID``, and the licence of distributions that state none.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF, XSD
from rdflib.term import Node

from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.harvest import Origin
from allmende.faces.dcat import parts
from allmende.faces.dcat.names import DCAT, DCATDE, Profile

Names = dict[str, BNode]
"""Blank nodes by their labels: those that pieces share have one name in all of them."""


def describe_harvested(
    graph: Graph, entries: Iterable[Entry], catalogue: Catalogue, profile: Profile, names: Names | None = None
) -> list[Node]:
    """Add what their origins say; gives the datasets' nodes in the same order."""
    found = [(entry, entry.origin) for entry in entries if entry.origin is not None]
    if catalogue.kept is None or not found:
        return []
    names = {} if names is None else names
    lines = catalogue.kept.lines([entry.id for entry, _ in found])
    nodes = []
    for entry, origin in found:
        add_lines(graph, lines.get(entry.id, b""), names)
        node = _node(origin, names)
        _fill(graph, node, origin, catalogue)
        _record(graph, node, entry, origin, catalogue, profile)
        nodes.append(node)
    return nodes


def describe_rest(graph: Graph, catalogue: Catalogue, names: Names) -> None:
    """Add what the other catalogues say of themselves."""
    for _, lines in catalogue.kept.rest() if catalogue.kept is not None else ():
        add_lines(graph, lines, names)


def add_lines(graph: Graph, lines: bytes, names: Names) -> None:
    """Add N-Triples; blank nodes are known by their labels."""
    if lines:
        graph.parse(data=lines, format="nt", bnode_context=names)


def _node(origin: Origin, names: Names) -> Node:
    if origin.node.startswith("_:"):
        return names.setdefault(origin.node[2:], BNode())
    return URIRef(origin.node)


def _fill(graph: Graph, node: Node, origin: Origin, catalogue: Catalogue) -> None:
    if catalogue.contributor and (node, DCATDE.contributorID, None) not in graph:
        graph.add((node, DCATDE.contributorID, URIRef(catalogue.contributor)))
    if origin.licence:
        for way in graph.objects(node, DCAT.distribution):
            if (way, DCTERMS.license, None) not in graph:
                parts.add_named(graph, way, DCTERMS.license, origin.licence, DCTERMS.LicenseDocument)


def _record(graph: Graph, node: Node, entry: Entry, origin: Origin, catalogue: Catalogue, profile: Profile) -> None:
    """Ours, and where it was taken from: the origin's own record, or a node that stands for what was read there."""
    about = [each for each in graph.subjects(FOAF.primaryTopic, node) if (None, DCAT.record, each) in graph]
    theirs: Node | None = min(about, key=lambda each: (isinstance(each, BNode), str(each)), default=None)
    record = URIRef(f"{entry.address}#record")
    graph.add((URIRef(f"{catalogue.root}/catalog"), DCAT.record, record))
    graph.add((record, RDF.type, DCAT.CatalogRecord))
    graph.add((record, FOAF.primaryTopic, node))
    graph.add((record, DCTERMS.identifier, Literal(entry.address)))
    graph.add((record, DCTERMS.issued, _moment(origin.first)))
    graph.add((record, DCTERMS.modified, _moment(origin.changed)))
    if theirs is None:
        theirs = URIRef(f"{entry.address}#origin")
        graph.add((theirs, RDF.type, DCAT.CatalogRecord))
        graph.add((theirs, FOAF.primaryTopic, node))
        graph.add((theirs, DCTERMS.modified, parts.day(entry.modified) if entry.modified else _moment(origin.changed)))
        parts.say(graph, theirs, DCTERMS.title, origin.title)
    graph.add((record, DCTERMS.source, theirs))


def _moment(micros: int) -> Literal:
    text = datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat().replace("+00:00", "Z")
    return Literal(text, datatype=XSD.dateTime)
