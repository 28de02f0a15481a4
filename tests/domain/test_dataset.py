"""The description of datasets: what is checked, which words are known, and that a form leaves no field out."""

from typing import Any

import msgspec
import pytest

from allmende.domain import vocabulary
from allmende.domain.dataset import CatalogueProfile, DatasetProfile, Organisation, check_catalogue, check_datasets
from allmende.domain.dataset import check_organisations as check_all
from allmende.domain.dataset_fields import FIELDS
from allmende.domain.profile_checks import ProfileError
from allmende.domain.times import DAY, HOUR, MINUTE
from allmende.web.profiles import load_profile

TEXT = {"de": "x", "en": "x"}


def check(**said: Any) -> None:
    body = {"id": "a", "title": TEXT, "description": TEXT, "publisher": "P", "licence": "CC0-1.0", "attribution": ""}
    datasets = {"a": msgspec.convert({**body, **said}, DatasetProfile)}
    datasets["s"] = msgspec.convert({**body, "id": "s", "series": True}, DatasetProfile)
    check_datasets(datasets)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"themes": ["TRAFFIC"]}, "datasets.a.themes"),
        ({"periodicity": "often"}, "datasets.a.periodicity"),
        ({"landing_page": "javascript:alert(1)"}, "datasets.a.landing_page"),
        ({"landing_page": "https://a.example/<script>"}, "datasets.a.landing_page"),
        ({"legislation": ["EU 2023/138"]}, "datasets.a.legislation"),
        ({"contact": {"name": "Somebody"}}, "datasets.a.contact"),
        ({"contact": {"name": "Somebody", "phone": "03641 49"}}, "datasets.a.contact.phone"),
        ({"geocoding": ["municipalityKey/16053"]}, "datasets.a.geocoding[0]"),
        ({"bbox": (12.0, 51.0, 11.0, 50.0)}, "datasets.a.bbox"),
        ({"outline": {"type": "Point"}}, "datasets.a.outline"),
        ({"period": {"start": "2025-13"}}, "datasets.a.period.start"),
        ({"period": {"start": "2025-03", "end": "2025-02"}}, "datasets.a.period"),
        ({"versions": [{"number": "1", "date": "2025", "reason": {"de": " "}}]}, "datasets.a.versions[0]"),
        ({"part_of": "b"}, "datasets.a.part_of"),
        ({"part_of": "a"}, "datasets.a.part_of"),
        ({"related": ["b"]}, "datasets.a.related[0]"),
        ({"withdrawn": {"date": "", "reason": TEXT}}, "datasets.a.withdrawn.date"),
        ({"withdrawn": {"date": "2025", "reason": TEXT, "successor": "b"}}, "datasets.a.withdrawn.successor"),
        ({"downloads": [{"title": TEXT, "address": "ftp://x", "format": "CSV"}]}, "datasets.a.downloads.address"),
        ({"keywords": {"de": ["gut", " "]}}, "datasets.a.keywords.de"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(said: dict[str, Any], place: str) -> None:
    with pytest.raises(ProfileError) as error:
        check(**said)
    assert error.value.place == place


def test_what_is_right_passes() -> None:
    check(
        themes=["TRAN"], periodicity="5MIN", contact={"name": "Office", "mail": "a@b.example"}, part_of="s",
        geocoding=["municipalityKey/16053000"], period={"start": "2023-11-07", "end": "2023-11"}, related=["s"],
        versions=[{"number": "1", "date": "2025-02", "reason": TEXT}], bbox=(11.0, 50.0, 12.0, 51.0),
    )  # fmt: skip


def test_organisations_have_one_name_each() -> None:
    with pytest.raises(ProfileError, match=r"organisations\.b\.name"):
        check_all([Organisation(id="a", name="City"), Organisation(id="b", name="City")])
    with pytest.raises(ProfileError, match=r"organisations\.a\.type"):
        check_all([Organisation(id="a", name="City", type="City")])


def test_contributor_is_govdata_s() -> None:
    check_catalogue(CatalogueProfile(contributor="http://dcat-ap.de/def/contributors/someCity"))
    with pytest.raises(ProfileError, match=r"catalogue\.contributor"):
        check_catalogue(CatalogueProfile(contributor="someCity"))


def test_the_form_asks_for_every_key_once() -> None:
    assert sorted(field.name for field in FIELDS) == sorted(DatasetProfile.__struct_fields__)
    assert {field.name for field in FIELDS if field.required} == {
        field.name for field in msgspec.structs.fields(DatasetProfile) if field.required
    }
    for field in FIELDS:
        assert set(field.label) == {"de", "en"}
        assert not isinstance(field.choices, str) or not field.choices or field.choices in vocabulary.LISTS


@pytest.mark.parametrize("name", vocabulary.LISTS)
def test_every_list_says_where_it_is_from(name: str) -> None:
    listed = vocabulary.vocabulary(name)
    assert listed.source.startswith("https://")
    assert listed.licence
    assert all(term.label["de"] and term.label["en"] for term in listed.terms.values())


@pytest.mark.parametrize("city", ["jena", "example"])
def test_licences_of_the_cities_are_known_everywhere(city: str) -> None:
    for dataset in load_profile(city).datasets.values():
        assert vocabulary.find(vocabulary.LICENCES, dataset.licence), dataset.id


@pytest.mark.parametrize(
    ("interval", "word"),
    [(MINUTE // 3, "UPDATE_CONT"), (5 * MINUTE, "5MIN"), (20 * MINUTE, "30MIN"), (2 * HOUR, "12HRS"), (30 * DAY, "")],
)
def test_periodicity_never_promises_more(interval: int, word: str) -> None:
    assert vocabulary.frequency_of(interval) == word
