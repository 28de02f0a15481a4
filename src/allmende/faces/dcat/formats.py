"""Ways of writing RDF, and which of them a question wants."""

import json
from typing import NamedTuple

import msgspec
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import split_uri
from rdflib.plugins.serializers.jsonld import Converter
from rdflib.plugins.shared.jsonld.context import Context

from allmende.domain.errors import InvalidQuery
from allmende.faces.accept import ranges
from allmende.faces.dcat.names import NEWEST, PREFIXES, Profile, empty_graph


class Format(NamedTuple):
    """A way of writing: the end of an address, rdflib's name, media types (the first is the answer's)."""

    suffix: str
    name: str
    media: tuple[str, ...]


FORMATS = (
    Format("ttl", "turtle", ("text/turtle", "application/x-turtle")),
    Format("rdf", "xml", ("application/rdf+xml", "application/xml", "text/xml")),
    Format("jsonld", "json-ld", ("application/ld+json", "application/json")),
    Format("nt", "nt", ("application/n-triples", "text/plain")),
)
SUFFIXES = tuple(format_.suffix for format_ in FORMATS)
HTML = "text/html"


def write(graph: Graph, format_: Format) -> bytes:
    """The graph as bytes. JSON-LD has the prefixes as its context."""
    if format_.name == "json-ld":
        # a stranger's <xsd:date> is an address of a scheme "xsd", which a prefix would make another one of
        schemes = {
            node.partition(":")[0] for node in graph.all_nodes() | set(graph.predicates()) if isinstance(node, URIRef)
        }
        schemes |= {str(node.datatype).partition(":")[0] for node in graph.all_nodes() if isinstance(node, Literal)}
        context = {prefix: str(space) for prefix, space in PREFIXES.items() if prefix not in schemes}
        converter = Converter(Context(context), False, False)
        # else rdflib writes 0042 as 42, 1.0E0 as 1.0, which is read as an integer, and leaves out what is no number
        converter.use_native_types = False
        found = converter.convert(graph)
        return json.dumps({"@context": context, "@graph": found}, ensure_ascii=False, sort_keys=True, indent=1).encode()
    if format_.name == "xml":
        graph = _nameable(graph)
    # rdflib's pretty XML forgets to declare the prefixes of types
    written: bytes = graph.serialize(format=format_.name, encoding="utf-8")
    return written


def _nameable(graph: Graph) -> Graph:
    """Without properties whose address ends in no name of XML, which RDF/XML cannot say: a stranger's one must not
    take all others along."""
    lost = {predicate for predicate in graph.predicates(unique=True) if not _has_name(str(predicate))}
    if not lost:
        return graph
    kept = empty_graph()
    for triple in graph:
        if triple[1] not in lost:
            kept.add(triple)
    return kept


def _has_name(address: str) -> bool:
    try:
        split_uri(address)
    except ValueError:
        return False
    return True


def by_suffix(suffix: str) -> Format | None:
    """The format that an address ends in, or None."""
    return next((format_ for format_ in FORMATS if format_.suffix == suffix), None)


def accepted(header: str, *, html: bool) -> Format | None:
    """The format that an Accept header likes best, None for a page; what takes anything gets a page where there is
    one, else Turtle (RFC 9110, 12.5.1)."""
    best: tuple[float, int, Format | None] | None = None
    for place, (media, weight) in enumerate(ranges(header)):
        if weight <= 0:
            continue
        found: Format | None
        if media in (HTML, "application/xhtml+xml", "text/*", "*/*"):
            if not html and media in (HTML, "application/xhtml+xml"):
                continue
            found = None if html else FORMATS[0]
        else:
            named = next((format_ for format_ in FORMATS if media in format_.media), None)
            if named is None:
                continue
            # a browser names XML behind its page: who asks for any XML does not ask for ours
            if html and media in ("application/xml", "text/xml", "text/plain"):
                continue
            found = named
        if best is None or (weight, -place) > best[:2]:
            best = (weight, -place, found)
    if best is None:
        return None if html else FORMATS[0]
    return best[2]


def profile_of(asked: str, header: str = "") -> Profile:
    """The profile that ``?profile=`` or Accept-Profile names, else the newest. Raises InvalidQuery for a name that is
    none; a header may name what it likes (Content Negotiation by Profile)."""
    if asked:
        for profile in Profile:
            if asked in (profile.value, profile.uri):
                return profile
        known = ", ".join(profile.value for profile in Profile)
        raise InvalidQuery(f"there is no such profile; there are {known}", where="profile")
    for part in header.split(",")[:20]:
        name = part.split(";")[0].strip().strip("<>")
        for profile in Profile:
            if name in (profile.uri, profile.uri.rstrip("/"), profile.value):
                return profile
    return NEWEST


def error_body(message: str, where: str) -> bytes:
    """An error as JSON."""
    return msgspec.json.encode({"code": 400, "type": "error", "message": f"{where}: {message}" if where else message})
