"""No address of the house tells somebody of what they may not see: not its values, and not that it is there."""

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.homes import BOTH, migrated_database, put_database
from tests.policy.routes import ROUTES, Apart, Guarded
from tests.policy.town import CANARY, NUMBER, make_town

pytestmark = [pytest.mark.xdist_group("policy"), pytest.mark.timeout(600)]  # the towns are built once
ROOT = Path(__file__).resolve().parents[2]
PROBES = [
    probe.replace("{canary}", CANARY) for way in ROUTES.values() if not isinstance(way, Apart) for probe in way.probes
]
WHO = ("anybody", "mallory")
Answers = dict[tuple[str, str], dict[str, Any]]


def addresses(resolver: URLResolver, before: str = "") -> list[str]:
    found = []
    for each in resolver.url_patterns:
        here = before + str(each.pattern)
        found += [here] if isinstance(each, URLPattern) else addresses(each, here)
    return found


def test_every_address_is_tried_or_says_why_not() -> None:
    known = set(addresses(get_resolver()))
    assert known - set(ROUTES) == set(), "new addresses: add each to tests/policy/routes.py"
    assert set(ROUTES) - known == set(), "these addresses are gone"


@pytest.fixture(scope="module", params=BOTH)
def towns(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answers, ...]:
    """What both towns answer, and the one with something to hide once more, when something happened there."""
    folder = tmp_path_factory.mktemp("towns")
    databases = [migrated_database() for _ in range(2)] if request.param == "postgres" else ["", ""]
    (plain, _), (secret, later) = (
        visit(folder / name, secret=name == "secret", database=database)
        for name, database in zip(("plain", "secret"), databases, strict=True)
    )
    return plain, secret, later


def visit(folder: Path, *, secret: bool, database: str) -> tuple[Answers, Answers]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ALLMENDE_")}
    put_database(folder / "home")
    environ |= {
        "ALLMENDE_HOME": str(folder / "home"),
        "ALLMENDE_CITY": str(make_town(folder / "town", secret=secret)),
        "ALLMENDE_DISK_FLOOR": "0",
        "ALLMENDE_RATE_LIMIT": "0",
        "ALLMENDE_SQL_RATE": "0",
        "ALLMENDE_SQL_RATE_ANONYMOUS": "0",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    if database:
        environ["ALLMENDE_DATABASE_URL"] = database
    seen = [("head", "GET", probe, {}) for probe in ("/sources/", "/sta/v1.1/Things?$count=true")]
    probes = seen + [(who, "GET", probe, {"Accept-Language": "de"}) for who in WHO for probe in PROBES]
    if secret:
        probes += [("head", "GET", probe, {"Accept-Language": "de"}) for probe in PROBES]
    asked = json.dumps({"secret": secret, "probes": probes})
    command = [sys.executable, "-m", "tests.policy.visit"]
    done = subprocess.run(command, input=asked, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    first, again = json.loads(done.stdout)
    named = [(who, probe) for who, _, probe, _ in probes]
    of_anybody = [name for name in named if name[0] == "anybody"] if secret else []
    return dict(zip(named, first, strict=True)), dict(zip(of_anybody, again, strict=True))


def unlike(towns: tuple[Answers, ...], probe: str, who: str) -> str:
    """What is wrong with the answers to one who asks."""
    plain, secret = (town[who, probe] for town in towns[:2])
    if plain["status"] >= 500:
        return str(plain["status"])
    if {**secret, "tags": None} != {**plain, "tags": None}:
        names = [name for name in plain if name != "tags" and plain[name] != secret[name]]
        lines = difflib.unified_diff(*(str(town[names[0]]).splitlines() for town in (plain, secret)), lineterm="", n=0)
        return f"the towns differ in {names}: " + "\n".join(lines)[:2000]
    if towns[2].get((who, probe), secret) != secret:
        return "what happens behind the door is noticed before it"
    told = secret["body"].replace(probe, "").replace(probe.replace("'", "&#x27;"), "")
    asked = probe.count(CANARY) > 0
    if not asked and (CANARY in told or (str(NUMBER) in told and str(NUMBER) not in probe)):
        return "what is hidden is told"
    return ""


# One test for all addresses: to count, name and report each by itself took as long as to ask.
@pytest.mark.parametrize("who", WHO)
def test_both_towns_answer_alike(towns: tuple[Answers, ...], who: str) -> None:
    assert len(PROBES) > 400
    faults = {probe: unlike(towns, probe, who) for probe in PROBES}
    assert {probe: fault for probe, fault in faults.items() if fault} == {}


@pytest.mark.parametrize("who", WHO)
def test_nobody_comes_in_without_the_deed(towns: tuple[Answers, ...], who: str) -> None:
    guarded = [probe for way in ROUTES.values() if isinstance(way, Guarded) for probe in way.probes]
    assert guarded
    told = {probe: towns[1][who, probe.replace("{canary}", CANARY)]["status"] for probe in guarded}
    assert {probe: status for probe, status in told.items() if status not in (302, 401, 403, 404, 405)} == {}


def test_what_is_hidden_is_shown_to_who_may_see_it(towns: tuple[Answers, ...]) -> None:
    """Else nothing above would be a test."""
    assert CANARY in towns[1]["head", "/sources/"]["body"]
    assert CANARY in towns[1]["head", "/sta/v1.1/Things?$count=true"]["body"]
    assert CANARY not in towns[0]["head", "/sources/"]["body"]


def test_no_cache_keeps_what_was_answered_to_somebody_known(towns: tuple[Answers, ...]) -> None:
    kept = {probe: towns[1]["head", probe]["headers"]["Cache-Control"] for probe in PROBES}
    private = {
        probe for probe, told in kept.items() if "public" not in told and ("private" in told or "no-store" in told)
    }
    assert {probe: told for probe, told in kept.items() if probe not in private} == {}
