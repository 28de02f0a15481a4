"""The official shapes of DCAT-AP.de, and the lists of words that they look terms up in."""

from functools import cache
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, SKOS

from allmende.domain import vocabulary

VERSIONS = {"dcat-ap-de-2.0": "v2.0", "dcat-ap-de-3.0": "v3.0"}
SH = "http://www.w3.org/ns/shacl#"
LEVELS = ("federal", "state", "administrativeDistrict", "municipality")


def folder() -> Path:
    """Where they lie; skips where they do not."""
    for parent in Path(__file__).resolve().parents:
        found = parent / "shared" / "data" / "catalogue" / "dcat-ap-de-shacl"
        if found.is_dir():
            return found
    pytest.skip("../shared/data/catalogue/dcat-ap-de-shacl is not here")


@cache
def shapes(profile: str) -> Graph:
    """All shapes of a version, but those that only list what was right in the version before."""
    graph = Graph()
    for path in sorted((folder() / VERSIONS[profile] / "shapes").glob("*.ttl")):
        # a stray dot ends the list of imports, whose targets are lists that we have ourselves
        if "imports" not in path.name and "deprecated" not in path.name:
            graph.parse(path)
    return graph


@cache
def words() -> Graph:
    """Every term that the house knows, in its list: what the shapes would load from the net."""
    graph = Graph()
    for name in vocabulary.LISTS:
        listed = vocabulary.vocabulary(name)
        for term in listed.terms.values():
            if name == vocabulary.GEOCODING:
                for digits in ("16053000", "160530000000", "16053", "16"):
                    _add(graph, f"{term.uri}/{digits}", term.uri)
            else:
                _add(graph, term.uri, listed.scheme)
    for level in LEVELS:
        base = "http://dcat-ap.de/def/politicalGeocoding/Level"
        _add(graph, f"{base}/{level}", base)
    _add(graph, "http://dcat-ap.de/def/contributors/someCity", "http://dcat-ap.de/def/contributors")
    return graph


def _add(graph: Graph, term: str, scheme: str) -> None:
    graph.add((URIRef(term), RDF.type, SKOS.Concept))
    graph.add((URIRef(term), SKOS.inScheme, URIRef(scheme)))
    graph.add((URIRef(term), SKOS.prefLabel, Literal(term.rpartition("/")[2])))


def faults(graph: Graph, profile: str, *, warnings: bool = True) -> set[str]:
    """What the shapes object to: the messages with the place, empty if nothing."""
    _, report, _ = validate(graph + words(), shacl_graph=shapes(profile), inference="none", advanced=False)
    found = set()
    for result in report.subjects(RDF.type, URIRef(f"{SH}ValidationResult")):
        severity = str(report.value(result, URIRef(f"{SH}resultSeverity"))).removeprefix(SH)
        if severity == "Violation" or (warnings and severity == "Warning"):
            message = report.value(result, URIRef(f"{SH}resultMessage"))
            found.add(f"{severity}: {message} [{report.value(result, URIRef(f'{SH}focusNode'))}]")
    return found
