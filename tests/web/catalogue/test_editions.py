"""The history of a description: its editions, why each came, at addresses that last; and what it tells of nobody."""

from typing import Any

import msgspec
import pytest
from django.test import Client
from rdflib import URIRef
from rdflib.namespace import DCTERMS, RDF
from tests.conformance.dcat.shapes import faults
from tests.web.catalogue.conftest import DAY, MIDNIGHT
from tests.web.catalogue.test_addresses import HOST, change_profile, graph

from allmende.domain.dataset import DatasetProfile, Version
from allmende.faces.dcat.names import ADMS, DCAT
from allmende.web import house as house_module
from allmende.web.accounts.models import User
from allmende.web.catalogue.models import Description
from allmende.web.catalogue.notes import note_descriptions
from allmende.web.office.models import REPLACED, Revision

PARKING = URIRef(f"{HOST}/dataset/parking")


def change(monkeypatch: pytest.MonkeyPatch, at: int, **fields: Any) -> DatasetProfile:
    """The description of the car parks is another one from a moment on."""
    datasets = dict(house_module.open_profile().datasets)
    datasets["parking"] = msgspec.structs.replace(datasets["parking"], **fields)
    note_descriptions(change_profile(monkeypatch, datasets), at)
    return datasets["parking"]


def test_a_released_change_is_an_edition_with_its_reason(
    client: Client, house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, chief = (User.objects.create_superuser(name) for name in ("carla.clerk", "chris.chief"))
    Revision.objects.create(
        kind="dataset", key="parking", number=1, state=REPLACED, author=clerk, releaser=chief, bundle="dataset:parking",
        reason="Der Fachdienst heißt jetzt anders.", released="2025-11-07T12:00:00Z",
    )  # fmt: skip
    change(monkeypatch, MIDNIGHT, attribution="Stadt Jena, Fachdienst Mobilität")
    page = client.get("/dataset/parking", headers={"accept-language": "de"}).content.decode()
    assert "Der Fachdienst heißt jetzt anders." in page
    for path in ("/dataset/parking", "/dataset/parking/version/2", "/dataset/parking/version/2.ttl"):
        text = client.get(path, headers={"accept-language": "de"}).content.decode()
        assert "carla" not in text
        assert "chris" not in text
    page = client.get("/dataset/parking/version/2", headers={"accept-language": "de"}).content.decode()
    assert "Quellenangabe" in page
    assert "Stadt Jena, Fachdienst Mobilität" in page


def test_editions_keep_their_addresses(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = house_module.open_profile().datasets["parking"]
    change(monkeypatch, MIDNIGHT, licence="CC-BY-4.0", title={"de": "Parkplätze, frei", "en": "Free parking"})
    version = Version(number="2.0", date="2025-11-09", reason={"de": "Neue Zählung.", "en": "Counted anew."})
    change(monkeypatch, MIDNIGHT + DAY, versions=[version])
    found = graph(client.get("/dataset/parking.ttl"))
    assert str(found.value(PARKING, DCAT.version)) == "2.0"
    assert found.value(PARKING, DCAT.previousVersion) == URIRef(f"{PARKING}/version/2")
    assert "2.0 (2025-11-09): Neue Zählung." in {str(each) for each in found.objects(PARKING, ADMS.versionNotes)}
    old = graph(client.get("/dataset/parking/version/1.ttl"))
    node = URIRef(f"{PARKING}/version/1")
    assert (node, RDF.type, DCAT.Dataset) in old
    assert (node, DCAT.isVersionOf, PARKING) in old
    assert (node, DCTERMS.isReplacedBy, URIRef(f"{PARKING}/version/2")) in old
    assert {str(each) for each in old.objects(node, DCTERMS.title)} == set(before.title.values())
    page = client.get("/dataset/parking/version/2", headers={"accept-language": "de"}).content.decode()
    assert "Parkplätze, frei" in page
    assert "Lizenz" in page
    assert client.get("/dataset/parking/version/4").status_code == 404
    assert client.get("/dataset/parking/version/1", headers={"accept": "text/turtle"}).status_code == 200


@pytest.mark.parametrize("profile", ["dcat-ap-de-2.0", "dcat-ap-de-3.0"])
def test_editions_are_valid(client: Client, house: None, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    change(monkeypatch, MIDNIGHT, licence="CC-BY-4.0")
    for path in ("/dataset/parking/version/1.ttl", "/dataset/parking/version/2.ttl", "/dataset/parking.ttl"):
        found = faults(graph(client.get(f"{path}?profile={profile}")), profile, warnings=False)
        # this city delivers to nobody, and has no id that GovData gives
        assert {fault for fault in found if "K12&13" not in fault} == set(), path


def test_what_was_hidden_then_is_hidden_now(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, MIDNIGHT, access="restricted", title={"de": "Geheim", "en": "Secret"})
    assert client.get("/dataset/parking/version/1").status_code == 404
    change(monkeypatch, MIDNIGHT + DAY, access="restricted", public_description=True, title={"de": "P", "en": "P"})
    assert client.get("/dataset/parking/version/1").status_code == 200
    assert client.get("/dataset/parking/version/2").status_code == 404
    assert "Geheim" not in client.get("/dataset/parking").content.decode()
    assert "/version/2" not in client.get("/dataset/parking.ttl").content.decode()


def test_what_is_as_it_was_makes_no_edition(db: Any) -> None:
    profile = house_module.open_profile()
    for day in range(3):
        note_descriptions(profile, MIDNIGHT + day * DAY)
    assert all(len(each.editions) == 1 for each in Description.objects.all())
    gone = {name: each for name, each in profile.datasets.items() if name != "parking"}
    note_descriptions(msgspec.structs.replace(profile, datasets=gone), MIDNIGHT + 3 * DAY)
    note_descriptions(profile, MIDNIGHT + 4 * DAY)
    kept = Description.objects.get(dataset="parking")
    assert (len(kept.editions), kept.gone) == (2, None)
