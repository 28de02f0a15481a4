"""What of a catalogue follows where a profile says nothing, and who may know of what."""

from typing import Any

import msgspec
import pytest

from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.cataloguing import build_catalogue
from allmende.domain.contract import Contract
from allmende.domain.dataset import CatalogueProfile, Contact, Organisation, Period, Version
from allmende.domain.features import KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.domain.ids import slug
from allmende.domain.interfaces import stream_distributions
from allmende.domain.policy import ANONYMOUS, Reader, house_reader
from allmende.domain.profile import Profile
from allmende.domain.times import DAY
from allmende.web.profiles import load_profile

ROOT = "https://city.example"
FIGURES = DatasetFigures(streams=2, readings=9, first=19_000 * DAY, newest=20_000 * DAY, bbox=(11.0, 50.0, 12.0, 51.0))
EXAMPLE = load_profile("example")


def profile(**sensors: Any) -> Profile:
    """Beispielstadt, whose sensors are described so."""
    told = {"contact": None, "versions": [], **sensors}
    changed = msgspec.structs.replace(EXAMPLE.datasets["sensors"], **told)
    return msgspec.structs.replace(EXAMPLE, datasets={**EXAMPLE.datasets, "sensors": changed})


def build(city: Profile, reader: Reader = ANONYMOUS, **more: Any) -> Catalogue:
    return build_catalogue(
        city, reader, root=ROOT, **{"figures": {"sensors": FIGURES}, "adders": [stream_distributions], **more}
    )


def entry(city: Profile, **more: Any) -> Entry:
    found = build(city, **more).entry("sensors")
    assert found is not None
    return found


def test_extent_and_period_are_measured_where_nobody_says_them() -> None:
    trees = KeptCollection(
        id="t", dataset="sensors", title="", description="", snapshot=True, fields={}, source="x", count=3,
        bbox=(10.0, 50.5, 11.5, 52.0), first=18_000 * DAY, last=None, changed_at=20_001 * DAY,
    )  # fmt: skip
    found = entry(profile(), collections=[trees])
    assert found.bbox == (10.0, 50.0, 12.0, 52.0)
    assert (found.start, found.end, found.modified) == ("2019-04-14", "2024-10-04", "2024-10-05")
    told = entry(profile(bbox=(1.0, 2.0, 3.0, 4.0), period=Period(start="2020")))
    assert (told.bbox, told.start, told.end) == ((1.0, 2.0, 3.0, 4.0), "2020", "")


def test_periodicity_is_that_of_the_quickest_source() -> None:
    assert entry(profile(), contracts={"chirpstack": Contract(interval="PT50M")}).periodicity == "HOURLY"
    assert entry(profile(), contracts={"chirpstack": Contract(interval="never")}).periodicity == ""
    assert entry(profile(periodicity="IRREG"), contracts={"chirpstack": HOURLY}).periodicity == "IRREG"


HOURLY = Contract(interval="PT1H")


def test_contact_is_the_publisher_s_or_the_catalogue_s() -> None:
    city = profile()
    assert entry(city).contact == Contact(
        name="Beispielstadt", mail="rathaus@beispielstadt.example", page="https://beispielstadt.example/"
    )
    office = Contact(name="Office", mail="a@b.example")
    nobody = msgspec.structs.replace(city, organisations={}, catalogue=CatalogueProfile(contact=office))
    assert entry(nobody).contact == office
    assert entry(msgspec.structs.replace(city, organisations={})).contact is None


def test_provenance_is_sources_and_rules() -> None:
    assert entry(profile()).provenance == {"de": "Quellen: LoRaWAN-Sensoren.", "en": "Sources: LoRaWAN sensors."}


def test_a_version_makes_a_dataset_newer() -> None:
    version = Version(number="2", date="2025-01-01", reason={"de": "x", "en": "x"})
    assert entry(profile(versions=[version])).modified == "2025-01-01"


@pytest.mark.parametrize("reader", [ANONYMOUS, Reader(name="x", datasets=frozenset({"sensors"})), house_reader("x")])
@pytest.mark.parametrize("access", ["open", "restricted", "protected"])
@pytest.mark.parametrize("public", [True, False])
def test_who_knows_and_who_sees(reader: Reader, access: str, public: bool) -> None:
    found = build(profile(access=access, public_description=public), reader).entry("sensors")
    sees = access == "open" or reader is not ANONYMOUS
    assert (found is not None) == (sees or public)
    if found is not None:
        assert bool(found.distributions) == bool(found.figures.streams) == (found.bbox is not None) == sees


def test_simulated_and_withdrawn_datasets_are_left_out() -> None:
    assert [each.id for each in build(profile()).entries] == ["parking-guidance", "sensors"]
    assert [each.id for each in build(profile(), simulated=True).entries] == [
        "car-parks", "parking-guidance", "sensors",
    ]  # fmt: skip


def test_a_series_that_one_may_not_know_of_is_not_named() -> None:
    hidden = msgspec.structs.replace(
        EXAMPLE.datasets["sensors"], id="series", series=True, access="restricted", contact=None
    )
    city = profile(part_of="series")
    city = msgspec.structs.replace(city, datasets={**city.datasets, "series": hidden})
    assert entry(city).dataset.part_of == ""
    known = build(city, house_reader("x"))
    assert known.entry("series").members == ("sensors",)  # type: ignore[union-attr]
    assert known.entry("sensors").dataset.part_of == "series"  # type: ignore[union-attr]


def test_a_licence_that_nobody_knows_is_not_called_open() -> None:
    found = entry(profile(licence="https://terms.example/of-use")).licence
    assert found.uri == "http://dcat-ap.de/def/licenses/other-closed"
    assert (found.more["url"], found.more["open"]) == ("https://terms.example/of-use", False)


def test_names_become_parts_of_addresses() -> None:
    assert slug("Thüringer Straße & Söhne e. V.") == "thueringer-strasse-soehne-e-v"
    assert slug("統計") == "unknown"
    assert build(profile()).organisations["Beispielstadt"] == Organisation(
        id="beispielstadt", name="Beispielstadt", type="LocalAuthority", page="https://beispielstadt.example/",
        mail="rathaus@beispielstadt.example", address="Am Markt 1, 00000 Beispielstadt",
    )  # fmt: skip
