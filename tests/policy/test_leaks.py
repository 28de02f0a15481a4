"""No address of the house tells somebody of what they may not see: not its values, and not that it is there."""

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


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("probe", PROBES)
def test_both_towns_answer_alike(towns: tuple[Answers, ...], probe: str, who: str) -> None:
    plain, secret = (town[who, probe] for town in towns[:2])
    assert plain["status"] < 500
    assert {**secret, "tags": None} == {**plain, "tags": None}
    assert towns[2].get((who, probe), secret) == secret, "what happens behind the door is noticed before it"
    told = secret["body"].replace(probe, "").replace(probe.replace("'", "&#x27;"), "")
    asked = probe.count(CANARY) > 0
    assert asked or CANARY not in told
    assert asked or str(NUMBER) not in told or str(NUMBER) in probe


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("route", [name for name, way in ROUTES.items() if isinstance(way, Guarded)])
def test_nobody_comes_in_without_the_deed(towns: tuple[Answers, ...], route: str, who: str) -> None:
    for probe in ROUTES[route].probes:  # type: ignore[union-attr]
        answer = towns[1][who, probe.replace("{canary}", CANARY)]
        assert answer["status"] in (302, 401, 403, 404, 405), probe


def test_what_is_hidden_is_shown_to_who_may_see_it(towns: tuple[Answers, ...]) -> None:
    """Else nothing above would be a test."""
    assert CANARY in towns[1]["head", "/sources/"]["body"]
    assert CANARY in towns[1]["head", "/sta/v1.1/Things?$count=true"]["body"]
    assert CANARY not in towns[0]["head", "/sources/"]["body"]


@pytest.mark.parametrize("probe", PROBES)
def test_no_cache_keeps_what_was_answered_to_somebody_known(towns: tuple[Answers, ...], probe: str) -> None:
    headers = towns[1]["head", probe]["headers"]
    assert "private" in headers["Cache-Control"] or "no-store" in headers["Cache-Control"]
    assert "public" not in headers["Cache-Control"]
