"""The bill of materials."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("cyclonedx")


@pytest.fixture(scope="module")
def sbom():
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "tools" / "sbom.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["sbom"]


@pytest.fixture(scope="module")
def bill(sbom):
    return json.loads(sbom.write(sbom.describe()))


def names(bill):
    return {each["purl"].partition("@")[0].removeprefix("pkg:") for each in bill["components"]}


def test_it_holds_what_runs_and_nothing_that_only_tests_or_builds(bill):
    assert {"pypi/django", "pypi/shapely", "pypi/openpyxl", "npm/maplibre-gl"} <= names(bill)
    assert not names(bill) & {"pypi/pytest", "pypi/ruff", "pypi/allmende", "npm/vite", "npm/sass", "npm/axe-core"}


def test_what_stands_on_what_is_said(bill):
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    (house,) = [ref for ref in needs if ref.startswith("pypi:allmende@")]
    assert any(ref.startswith("pypi:django@") for ref in needs[house])
    (django,) = [ref for ref in needs if ref.startswith("pypi:django@")]
    assert any(ref.startswith("pypi:sqlparse@") for ref in needs[django])


def test_everything_has_a_licence_that_lets_us_give_it_on(bill):
    bare = [each["name"] for each in bill["components"] if not each.get("licenses")]
    assert bare == []
    said = {each["name"]: json.dumps(each["licenses"]) for each in bill["components"]}
    # The EUPL's appendix lets its works be joined with these; the AGPL's terms would become the house's.
    assert [name for name, licence in said.items() if "AGPL" in licence or "SSPL" in licence] == []


def test_two_runs_give_the_same(sbom):
    assert sbom.write(sbom.describe()) == sbom.write(sbom.describe())
