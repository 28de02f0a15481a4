"""The house's other interfaces fuzzed by their OpenAPI documents: OGC API, catalogue, files, own sensors, parking.
Every answer has a status, a media type and a shape that the document names.

``ALLMENDE_TEST_FUZZ`` is the number of requests for each operation (1 by default), the same each time.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.control import SkipTest

from allmende.city.parking.feeds.openapi import described
from allmende.city.parking.feeds.urls import urlpatterns as feeds
from allmende.city.parking.feeds.versions import number_of
from allmende.domain.store import Store
from allmende.faces.ckan.face import ACTIONS
from allmende.faces.ckan.openapi import PARAMETERS
from allmende.storage.sqlite import SqliteStore
from allmende.web import house
from allmende.web.house import furnish, open_profile, open_store
from tests.city.parking.test_state import Town
from tests.conformance.ogc.conftest import furnish as furnish_town
from tests.support import ENGINES

MOST = int(os.environ.get("ALLMENDE_TEST_FUZZ", "1"))
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(max(120, 120 * MOST))]
load_all_checks()
application = WSGIHandler()
# Views take their functions when they are imported, which has to be before one is replaced.
assert get_resolver().url_patterns
KEPT = [
    check
    for check in CHECKS.get_all()
    if check.__name__
    in ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
]


def fuzz(address: str, mode: GenerationMode, known: dict[str, list[str]], only: str = "") -> None:
    """Ask every operation of a document, or those with a word in their path; ``known`` are values of parameters in
    paths that lead somewhere."""
    schema = schemathesis.openapi.from_wsgi(address, application).include(path_regex=only)
    schema.config.generation.update(modes=[mode])
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=MOST * (5 if operation.path.endswith("/items") else 1),
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode), st.randoms(use_true_random=False))
        def ask(case: Any, chance: Any) -> None:
            for name in case.path_parameters or {}:
                if name in known and chance.random() < 0.8:
                    case.path_parameters[name] = chance.choice(known[name])
            case.call_and_validate(checks=KEPT, headers={"Accept-Encoding": "identity"})

        with suppress(Unsatisfiable, SkipTest):  # some operations can be asked rightly alone
            ask()
        tried += 1
    assert tried > 2


@pytest.fixture(scope="module", params=sorted(ENGINES))
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return furnish_town(ENGINES[request.param](tmp_path_factory.mktemp("fuzz")))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_ogc(town: Store, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it on one engine; on the other what asks it for features."""
    monkeypatch.setattr(house, "open_store", lambda: town)
    known = {"collectionId": ["trees", "works", "things:parking"], "featureId": ["001", "garage", "for/ever"]}
    fuzz("/ogc/v1/api", mode, known, "" if isinstance(town, SqliteStore) or MOST > 1 else "items|tileMatrix}")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_catalogue_files_and_own_sensors(mode: GenerationMode, tmp_path: Path) -> None:
    furnish(open_store(), open_profile())
    fuzz("/openapi.json", mode, {"name": list(open_profile().datasets)})


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_feeds_of_parking(mode: GenerationMode) -> None:
    """Whatever a service describes of itself; with a site, a zone and a bay."""
    furnish(open_store(), open_profile())
    town = Town(open_store())
    town.put("centre", "free", None, kind="parking-zone")
    town.put("lane", "free", 5, at=datetime.now(UTC), kind="parking-area", parent="centre", capacity=12)
    town.put("bay", "taken", 0, at=datetime.now(UTC), kind="parking-bay", parent="lane")
    known = {"number": [str(number_of(name)) for name in ("lane", "bay", "feed")], "thing_id": ["lane", "bay"]}
    fuzz("/parking/api/openapi.json", mode, known)


def test_every_feed_of_parking_is_described() -> None:
    pages = {"developers/", "api/openapi.json"}
    routes = {str(each.pattern).replace("<int:number>", "{number}").replace("<str:thing_id>", "{thing_id}")
              for each in feeds}  # fmt: skip
    assert {f"/{route}" for route in routes - pages} | {"/board.json", "/map.json"} == set(described()["paths"])


def test_every_action_is_described() -> None:
    assert set(PARAMETERS) == set(ACTIONS)
