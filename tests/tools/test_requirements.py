"""The pins fit the ranges, and say nothing of where packages come from."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support import ROOT

GROUPS = {"run": ["build", "files", "forecasts", "sql"], "dev": ["test", "check", "gtfs"], "docs": ["docs"]}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(group: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{group}.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("group", GROUPS)
def test_a_pin_is_a_name_and_a_version(group):
    text = (ROOT / "requirements" / f"{group}.txt").read_text("utf-8")
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+!]*", line), line


@pytest.mark.parametrize("group", GROUPS)
def test_all_that_is_wanted_is_pinned_in_its_range(group):
    wanted = [*(PROJECT["dependencies"] if group == "run" else ())]
    for extra in GROUPS[group]:
        wanted += PROJECT["optional-dependencies"][extra]
    pinned = pins("run") | pins(group)
    for text in wanted:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not pinned: python tools/pin_requirements.py"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: {version}"
