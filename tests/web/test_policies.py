"""Licences and grants as ODRL: at stable addresses, named by the catalogue, and without a person's name."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace
from rdflib import Graph, URIRef
from rdflib.namespace import FOAF, RDF, RDFS
from tests.conformance.dcat.catalogues import catalogue_of, graph_of
from tests.conformance.dcat.shapes import faults

from allmende.domain import vocabulary
from allmende.domain.licensing import Compensation, PolicyProfile, check_policies, licence_policies, of_profile
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.faces.dcat.names import DCAT, ODRL
from allmende.faces.dcat.policies import CC, describe_policies
from allmende.web.accounts.models import Membership, Organisation, User
from allmende.web.grants.grants import grant
from allmende.web.house import open_profile

ROOT = "http://testserver"
BOTH = {"de": "privater Gewinn ohne Beitrag zur Allmende", "en": "private profit that gives nothing back"}
FAIR = PolicyProfile(
    id="fair-return",
    title={"de": "Frei, außer für Gewinn ohne Gegengabe", "en": "Free, but for profit that gives nothing back"},
    compensate=Compensation(purpose=BOTH, terms={"de": "nach Umsatz", "en": "by turnover"}, page="https://x.example/"),
)


def policies() -> dict[str, Graph]:
    return {each.id: describe_policies([each], ROOT) for each in licence_policies()}


def duties(graph: Graph) -> set[Any]:
    return {action for duty in graph.objects(None, ODRL.duty) for action in graph.objects(duty, ODRL.action)}


@pytest.mark.parametrize(
    ("name", "owed"),
    [
        ("cc0-1-0", set()),
        ("dl-de-zero-2-0", set()),
        ("pddl-1-0", set()),
        ("dl-de-by-2-0", {ODRL.attribute, CC.Notice}),
        ("cc-by-4-0", {ODRL.attribute, CC.Notice}),
        ("cc-by-sa-4-0", {ODRL.attribute, CC.Notice, CC.ShareAlike}),
        ("odbl-1-0", {ODRL.attribute, CC.Notice, CC.ShareAlike}),
        ("other-closed", {ODRL.reviewPolicy}),
    ],
)
def test_what_a_licence_asks_for(name: str, owed: set[Any]) -> None:
    assert duties(policies()[name]) == owed


def test_every_licence_has_a_whole_policy() -> None:
    made = policies()
    assert len(made) == len(vocabulary.vocabulary(vocabulary.LICENCES).terms)
    for name, graph in made.items():
        node = URIRef(f"{ROOT}/policies/{name}")
        assert (node, ODRL.uid, node) in graph
        rules = [*graph.objects(node, ODRL.permission), *graph.objects(node, ODRL.prohibition)]
        assert rules
        assert all(graph.value(rule, ODRL.action) is not None for rule in rules)
        for limit in graph.subjects(RDF.type, ODRL.Constraint):
            assert all(graph.value(limit, part) for part in (ODRL.leftOperand, ODRL.operator, ODRL.rightOperand))


def test_who_gives_nothing_back_pays() -> None:
    graph = describe_policies([of_profile(FAIR)], ROOT)
    (duty,) = graph.subjects(ODRL.action, ODRL.compensate)
    (limit,) = graph.objects(duty, ODRL.constraint)
    assert graph.value(limit, ODRL.leftOperand) == ODRL.purpose
    assert {str(each) for each in graph.objects(limit, ODRL.rightOperand)} == set(BOTH.values())


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        (replace(FAIR, title={"de": "x"}), "policies.fair-return.title.en"),
        (replace(FAIR, page="javascript:x"), "policies.fair-return.page"),
        (replace(FAIR, id="cc-by-4-0"), "policies.cc-by-4-0"),
        (replace(FAIR, id="dataset-x"), "policies.dataset-x"),
    ],
)
def test_what_is_wrong_of_terms(policy: PolicyProfile, place: str) -> None:
    with pytest.raises(ProfileError) as error:
        check_policies({policy.id: policy}, ["de", "en"])
    assert error.value.place == place


@pytest.fixture
def profile(db: Any, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A city with a chargeable dataset, one for some alone, and one that nobody may know of."""
    some = open_profile().datasets["parking"]
    hidden = replace(some, id="hidden", access="restricted", public_description=False)
    made = replace(
        open_profile(),
        policies={FAIR.id: FAIR},
        datasets={
            "sold": replace(some, id="sold", licence=FAIR.id),
            "inner": replace(some, id="inner", access="restricted", public_description=True),
            "hidden": hidden,
        },
        sources={}, rules={}, things=(), groups={},
    )  # fmt: skip
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made)
    return made


def test_the_catalogue_names_policies_and_is_valid(profile: Profile) -> None:
    graph = graph_of(catalogue_of(profile))
    for way in graph.subjects(RDF.type, DCAT.Distribution):
        assert len(list(graph.objects(way, ODRL.hasPolicy))) == 1
    named = {str(each).rpartition("/")[2] for each in graph.objects(None, ODRL.hasPolicy)}
    assert named == {"fair-return", "dataset-inner"}
    wrong = faults(graph, "dcat-ap-de-3.0", warnings=False)
    assert {fault for fault in wrong if "K12&13" not in fault} == set()


def test_grants_are_told_without_a_person_s_name(client: Client, profile: Profile) -> None:
    steward, anna = User.objects.create_user("stella"), User.objects.create_user("anna-example")
    Membership.objects.create(user=steward, role="steward")
    works = Organisation.objects.create(id="works", title="Stadtwerke")
    until = timezone.localdate() + timedelta(days=30)
    grant(profile, "inner", by=steward, user=anna, purpose="Forschung zum Verkehr", until=until)
    grant(profile, "inner", by=steward, organisation=works, purpose="Betrieb der Netze", until=until)
    for suffix, format_ in (("ttl", "turtle"), ("jsonld", "json-ld")):
        body = client.get(f"/policies/dataset-inner.{suffix}").content.decode()
        assert "anna" not in body, format_
        assert all(word in body for word in ("Stadtwerke", "Forschung", "Betrieb", until.isoformat())), format_
    graph = Graph().parse(data=client.get("/policies/dataset-inner.ttl").content, format="turtle")
    assert len(list(graph.subjects(RDF.type, FOAF.Person))) == 1
    assert [str(graph.value(each, RDFS.label)) for each in graph.subjects(RDF.type, FOAF.Organization)] == [
        "Stadtwerke"
    ]
    assert list(graph.objects(None, ODRL.prohibition))
    page = client.get("/policies/dataset-inner", headers={"Accept-Language": "de"}).content.decode()
    assert "anna" not in page
    assert "Nur für: Forschung zum Verkehr" in page


def test_pages_and_addresses(client: Client, profile: Profile) -> None:
    assert client.get("/policies/dataset-hidden").status_code == 404
    assert client.get("/policies/dataset-none").status_code == 404
    assert client.get("/policies/dataset-sold").status_code == 404
    assert client.get("/policies/none").status_code == 404
    listed = client.get("/policies/", headers={"Accept-Language": "de"}).content.decode()
    assert "/policies/dataset-inner" in listed
    assert "dataset-hidden" not in listed
    page = client.get("/policies/fair-return", headers={"Accept-Language": "de"}).content.decode()
    assert "nur wenn die Nutzung dies ist: privater Gewinn ohne Beitrag" in page
    answer = client.get("/policies/cc-by-4-0", headers={"Accept": "application/ld+json"})
    assert answer["Content-Type"].startswith("application/ld+json")
    again = client.get("/policies/cc-by-4-0.jsonld", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    shown = client.get("/dataset/sold", headers={"Accept-Language": "de"}).content.decode()
    assert 'href="/policies/fair-return"' in shown
    assert "Frei, außer für Gewinn ohne Gegengabe" in shown
