"""Our catalogues are held to the official shapes of DCAT-AP.de 2.0 and 3.0."""

import pytest
from hypothesis import HealthCheck, given, settings
from rdflib import BNode, Graph, URIRef
from rdflib.namespace import RDF
from rdflib.term import Node

from allmende.domain.catalogue import HIGH_VALUE_LAW
from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.faces.dcat.formats import FORMATS
from allmende.faces.dcat.names import DCAT, DCATAP
from allmende.web.profiles import load_profile
from tests.conformance.dcat.catalogues import catalogue_of, graph_of, profiles
from tests.conformance.dcat.shapes import VERSIONS, faults

# rdflib's own reader of JSON-LD uses what rdflib means to take away
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
CONTRIBUTOR = "K12&13"
"""GovData gives the id of a deliverer; a city that delivers to nobody has none."""


@pytest.mark.parametrize("city", ["jena", "example"])
@pytest.mark.parametrize("profile", VERSIONS)
@pytest.mark.parametrize("filled", [True, False])
def test_a_city_s_catalogue_is_valid(city: str, profile: str, filled: bool) -> None:
    catalogue = catalogue_of(load_profile(city), house_reader("test"), simulated=True, filled=filled)
    found = faults(graph_of(catalogue, f"profile={profile}"), profile)
    optional = (CONTRIBUTOR, "dct:issued", "dcat:keyword", "dcat:theme") if not filled else (CONTRIBUTOR,)
    found = {fault for fault in found if not any(word in fault for word in optional)}
    assert found == set()


@given(profiles())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@pytest.mark.parametrize("profile", VERSIONS)
def test_any_valid_metadata_make_a_valid_catalogue(profile: str, city: Profile) -> None:
    found = faults(graph_of(catalogue_of(city, house_reader("test")), f"profile={profile}"), profile, warnings=False)
    assert found == set()


@given(profiles())
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_all_formats_say_the_same(city: Profile) -> None:
    catalogue = catalogue_of(city)
    graphs: list[Graph] = []
    for format_ in FORMATS:
        graph = graph_of(catalogue, "", format_)
        # addresses of pages end in the format
        pages = {s for s in graph.subjects() if "/catalog." in str(s)}
        for page in pages:
            graph.remove((page, None, None))
        graphs.append(graph)
    for format_, other in zip(FORMATS[1:], graphs[1:], strict=True):
        assert _plain(other) ^ _plain(graphs[0]) == set(), format_.suffix


def _plain(graph: Graph) -> set[str]:
    """Triples as text; a blank node is what is said of it. (Canonical graphs take a minute where nodes are alike.)"""

    def tell(node: Node) -> str:
        if not isinstance(node, BNode):
            return node.n3()  # type: ignore[attr-defined]  # every other node has it
        return "{" + ", ".join(sorted(f"{p.n3()} {tell(o)}" for p, o in graph.predicate_objects(node))) + "}"

    return {f"{tell(s)} {p.n3()} {tell(o)}" for s, p, o in graph if not isinstance(s, BNode)}


def test_shapes_object_to_what_is_wrong() -> None:
    graph = graph_of(catalogue_of(load_profile("jena")))
    theme = URIRef("https://city.example/theme")
    for dataset in list(graph.subjects(RDF.type, DCAT.Dataset)):
        graph.add((dataset, DCAT.theme, theme))
    assert any("theme" in fault for fault in faults(graph, "dcat-ap-de-3.0"))


@given(profiles())
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_high_value_data_name_the_law_everywhere(city: Profile) -> None:
    """DCAT-AP HVD 3.0: datasets, distributions and services name the regulation, datasets and services the category."""
    graph = graph_of(catalogue_of(city))
    law = URIRef(HIGH_VALUE_LAW)
    for dataset in graph.subjects(RDF.type, DCAT.Dataset):
        if (dataset, DCATAP.hvdCategory, None) not in graph:
            continue
        assert (dataset, DCATAP.applicableLegislation, law) in graph
        for way in graph.objects(dataset, DCAT.distribution):
            assert (way, DCATAP.applicableLegislation, law) in graph
            for service in graph.objects(way, DCAT.accessService):
                assert (service, DCATAP.applicableLegislation, law) in graph
                assert set(graph.objects(dataset, DCATAP.hvdCategory)) <= set(
                    graph.objects(service, DCATAP.hvdCategory)
                )
