"""The invented town: a second profile that shares no name with the first, so that none can hide in the code."""

from pathlib import Path

import pytest
from shapely import coverage_is_valid
from shapely.geometry import shape

from allmende.domain.errors import ConfigurationError
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.web.profiles import FILE_NAME, available_profiles, load_profile


@pytest.fixture(scope="module")
def example() -> Profile:
    return load_profile("example")


def test_it_is_another_city(example: Profile) -> None:
    assert example.name == "Beispielstadt"
    assert example.time_zone == "Europe/Lisbon"
    assert example.languages == ["de", "en"]
    assert [thing.id for thing in example.things] == ["parking-altmarkt", "parking-hafen"]
    assert {source.connector for source in example.sources.values()} == {"demo", "chirpstack"}
    assert len(example.geography.districts["features"]) == 2
    assert coverage_is_valid([shape(item["geometry"]) for item in example.geography.districts["features"]])


def test_it_shares_nothing_with_jena(example: Profile) -> None:
    jena = load_profile("jena")
    assert not {thing.id for thing in example.things} & {thing.id for thing in jena.things}
    # but for what services bring to both
    assert set(example.datasets) & set(jena.datasets) == {"parking-guidance"}
    for path in filter(Path.is_file, available_profiles()["example"].parent.rglob("*")):
        assert "jena" not in path.read_text(encoding="utf-8").lower()


def test_the_demo_table_covers_the_week(example: Profile) -> None:
    table = example.sources["demo"].tables["demo_parking.csv"].decode().splitlines()
    assert table[0] == "place,weekday,quarter,mean,spread"
    assert len(table) == 1 + 2 * 7 * 96


def test_profiles_are_found_by_name_and_by_path(example: Profile) -> None:
    path = available_profiles()["example"]
    assert {"example", "jena"} <= set(available_profiles())
    assert load_profile(str(path)).id == load_profile(str(path.parent)).id == example.id


def test_an_unknown_city_is_named_with_those_that_are_there() -> None:
    with pytest.raises(ConfigurationError, match='there is no city "atlantis"; bundled are example, jena'):
        load_profile("atlantis")


def test_broken_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("id = \n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"is no TOML: .*line 1"):
        load_profile(str(tmp_path))


@pytest.mark.parametrize("name", ["none.geojson", "../boundary.geojson", "/etc/hostname"])
def test_files_lie_beside_the_profile_and_nowhere_else(tmp_path: Path, name: str) -> None:
    folder = available_profiles()["example"].parent
    text = (folder / FILE_NAME).read_text(encoding="utf-8").replace('"boundary.geojson"', f'"{name}"')
    (tmp_path / "town").mkdir()
    (tmp_path / "boundary.geojson").write_bytes((folder / "boundary.geojson").read_bytes())
    (tmp_path / "town" / FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match=r'geography.boundary: there is no file "'):
        load_profile(str(tmp_path / "town"))
