"""Cutting a catalogue into its datasets: each with all that is said of it, and what is left over.

Nothing is lost: each statement of a page is in a piece or in the rest, but for those about the page itself (hydra).
What several datasets share (a publisher, a service) is in each of their pieces, so that each can be given out alone.
"""

import hashlib
from collections import Counter, defaultdict
from typing import NamedTuple

from rdflib import BNode, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF
from rdflib.term import Node

from allmende.connectors.gathering import Refused
from allmende.connectors.harvesting.rdf import DCAT, HYDRA, Triple, line, word

_ROUNDS = 100
_ENTANGLED = 50
"""How many times as many statements as a page has its pieces may hold together: shared parts are in each."""
_KINDS = (DCAT.Dataset, DCAT.DatasetSeries)
_HOLDS = (DCAT.dataset, DCAT.resource)
_NEXT = (HYDRA.next, HYDRA.nextPage)


class Cut(NamedTuple):
    """A dataset as it was cut out: its node, its statements, and how it is written."""

    node: Node
    triples: list[Triple]
    called: str
    """The node as the lines name it: its URI, or ``_:…``."""
    digest: str
    lines: bytes


class Page(NamedTuple):
    """A page of a catalogue. ``next`` is the address that it names, "" for none; ``total`` is what it says of all."""

    cuts: list[Cut]
    rest: bytes
    next: str
    total: int | None


def cut(triples: list[Triple]) -> Page:
    """Raises Refused where the parts hang together so much that pieces would be many times as large as the page."""
    about: dict[Node, list[Triple]] = defaultdict(list)
    paging, next_, total = _paging(triples)
    for triple in triples:
        if triple[0] not in paging and not str(triple[1]).startswith(str(HYDRA)):
            about[triple[0]].append(triple)
    datasets = _datasets(about)
    pieces = _pieces(about, datasets, len(triples))
    taken = {triple for piece in pieces.values() for triple in piece}
    rest = [triple for said in about.values() for triple in said if triple not in taken]
    colours = _colours(about)
    shared = _shared([*pieces.values(), rest])
    places: dict[str, int] = {}
    common = {node: _numbered("s" + colours[node], places) for node in sorted(shared, key=lambda node: colours[node])}
    cuts = []
    for node, found in pieces.items():
        labels = {**common, **_labels(found, colours, common, "d" + _hash(_name_of(node, about)))}
        lines = "\n".join(sorted(line(triple, labels) for triple in found)).encode()
        called = f"_:{labels[node]}" if isinstance(node, BNode) else str(node)
        cuts.append(Cut(node, found, called, _digest(found, colours), lines))
    labels = {**common, **_labels(rest, colours, common, "r")}
    left = "\n".join(sorted(line(triple, labels) for triple in rest)).encode()
    return Page(cuts, left, next_, total)


def _paging(triples: list[Triple]) -> tuple[set[Node], str, int | None]:
    """The nodes that are pages of hydra, the next page's address, and how many members there are."""
    pages = {s for s, p, o in triples if p == RDF.type and str(o).startswith(str(HYDRA))}
    pages -= {s for s, p, o in triples if p == RDF.type and o == DCAT.Catalog}
    following = [str(o) for _, p, o in triples if p in _NEXT]
    totals = [int(str(o)) for _, p, o in triples if p == HYDRA.totalItems and str(o).isdecimal() and len(str(o)) < 9]
    return pages, following[0] if following else "", max(totals, default=None)


def _datasets(about: dict[Node, list[Triple]]) -> list[Node]:
    """Nodes of datasets and series that something is said of; those with an address in its order."""
    found = {node for node, said in about.items() if any(p == RDF.type and o in _KINDS for _, p, o in said)}
    held = {o for said in about.values() for _, p, o in said if p in _HOLDS and o in about}
    services = {
        node for node, said in about.items() if any(p == RDF.type and o == DCAT.DataService for _, p, o in said)
    }
    return sorted((found | held) - services, key=lambda node: (isinstance(node, BNode), str(node)))


def _pieces(about: dict[Node, list[Triple]], datasets: list[Node], size: int) -> dict[Node, list[Triple]]:
    stops = set(datasets)
    held: dict[Node, list[Triple]] = defaultdict(list)
    topics: dict[Node, list[Node]] = defaultdict(list)
    for node, said in about.items():
        for _, predicate, object_ in said:
            if predicate == RDF.type and object_ == DCAT.Catalog:
                stops.add(node)
            elif predicate == FOAF.primaryTopic and object_ in stops:
                topics[object_].append(node)
    records = {record for found in topics.values() for record in found}
    for said in about.values():
        for triple in said:
            if (triple[1] in _HOLDS and triple[2] in stops) or (triple[1] == DCAT.record and triple[2] in records):
                held[triple[2]].append(triple)
    stops |= records
    budget = _ENTANGLED * size + 10_000
    pieces = {}
    for dataset in datasets:
        found = list(dict.fromkeys(held[dataset]))
        begin = [dataset, *topics[dataset]]
        for record in topics[dataset]:
            found += held[record]
        found += _reach(begin, about, stops, dataset)
        pieces[dataset] = list(dict.fromkeys(found))
        budget -= len(pieces[dataset])
        if budget < 0:
            raise Refused("entangled", "its datasets hang together too much to be told apart")
    return pieces


def _reach(begin: list[Node], about: dict[Node, list[Triple]], stops: set[Node], dataset: Node) -> list[Triple]:
    """What is said of some nodes, and of all that they lead to: up to another dataset, catalogue or record."""
    found: list[Triple] = []
    seen, waiting = set(begin), list(begin)
    while waiting:
        for triple in about.get(waiting.pop(), ()):
            object_ = triple[2]
            if triple[1] == DCAT.servesDataset and object_ != dataset and object_ in stops:
                continue  # a service's other datasets are not this one's matter
            found.append(triple)
            if isinstance(object_, Literal) or object_ in seen or object_ in stops or object_ not in about:
                continue
            seen.add(object_)
            waiting.append(object_)
    return found


def _colours(about: dict[Node, list[Triple]]) -> dict[Node, str]:
    """A name for each blank node by what is said of it, whatever it was called: by refinement of colours.

    Two that cannot be told apart so get one colour. To settle that (rdflib's canonical graphs) takes exponential time
    where a stranger wants it to.
    """
    blank = [node for node in about if isinstance(node, BNode)]
    objects = {o for said in about.values() for _, _, o in said if isinstance(o, BNode)}
    colours: dict[Node, str] = dict.fromkeys([*blank, *objects], "0")
    kinds = 1
    for _ in range(_ROUNDS):
        fresh = dict(colours)
        for node in blank:
            said = sorted(f"{p} {word(o, colours)}" for _, p, o in about[node])
            fresh[node] = _hash("\n".join(said))
        colours = fresh
        now = len(set(colours.values()))
        if now == kinds:
            break
        kinds = now
    return colours


def _digest(triples: list[Triple], colours: dict[Node, str]) -> str:
    lines = sorted(line(triple, colours) for triple in triples)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def _labels(triples: list[Triple], colours: dict[Node, str], common: dict[Node, str], prefix: str) -> dict[Node, str]:
    """Labels for the blank nodes of one piece: the same for the same, as far as colours can tell."""
    own = {node for triple in triples for node in triple if isinstance(node, BNode) and node not in common}
    places: dict[str, int] = {}
    return {node: _numbered(prefix + colours[node], places) for node in sorted(own, key=lambda node: colours[node])}


def _numbered(name: str, places: dict[str, int]) -> str:
    places[name] = places.get(name, 0) + 1
    return f"{name}n{places[name]}"


def _shared(parts: list[list[Triple]]) -> set[Node]:
    counted = Counter(
        node for part in parts for node in {node for triple in part for node in triple if isinstance(node, BNode)}
    )
    return {node for node, number in counted.items() if number > 1}


def _name_of(node: Node, about: dict[Node, list[Triple]]) -> str:
    if isinstance(node, URIRef):
        return str(node)
    return identifier_of(about[node]) or "?"


def identifier_of(said: list[Triple]) -> str:
    """The first ``dct:identifier`` in the order of their letters, "" for none."""
    return min((str(o) for _, p, o in said if p == DCTERMS.identifier), default="")


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
