"""A hub is told of what changed, over real HTTP: a small server that behaves as piveau-hub-repo's API says."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from django.conf import settings
from rdflib import Graph, URIRef
from rdflib.namespace import RDF
from tests.web.catalogue.conftest import DAY, MIDNIGHT

from allmende.domain.policy import ANONYMOUS
from allmende.faces.dcat.names import DCAT
from allmende.web import house as house_module
from allmende.web.catalogue.gather import gather
from allmende.web.catalogue.hub import Hub, HubError
from allmende.web.catalogue.models import Description, Pushed
from allmende.web.worker.catalogue import CatalogueThread

KEY = "a secret key"
ROOT = "https://city.example"


class Piveau(ThreadingHTTPServer):
    """Keeps datasets by their original ids, within catalogues that have to be there first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.catalogues: dict[str, str] = {}
        self.datasets: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []
        self.broken: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/hub/repo"


class Answers(BaseHTTPRequestHandler):
    """PUT /catalogues/{id}, PUT and DELETE /catalogues/{id}/datasets/origin?originalId={id}."""

    server: Piveau

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        steps = parts.path.removeprefix("/api/hub/repo/").split("/")
        original = parse_qs(parts.query).get("originalId", [""])[0]
        self.server.asked.append((self.command, original))
        self.send_response(self._judge(steps, original, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _judge(self, steps: list[str], original: str, body: str) -> int:
        server = self.server
        if self.headers.get("X-API-Key") != KEY:
            return 401
        if self.command == "PUT":
            if self.headers.get("Content-Type") != "text/turtle" or original in server.broken:
                return 400
            Graph().parse(data=body, format="turtle")
        if len(steps) == 2:
            server.catalogues[steps[1]] = body
            return 201
        if steps[1] not in server.catalogues or steps[2:] != ["datasets", "origin"]:
            return 404
        key = (steps[1], original)
        if self.command == "DELETE":
            return 204 if server.datasets.pop(key, None) else 404
        known, server.datasets[key] = server.datasets.get(key), body
        return 204 if known else 201

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def piveau() -> Iterator[Piveau]:
    server = Piveau()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hub(piveau: Piveau) -> Iterator[Hub]:
    made = Hub(piveau.address, "jena", KEY)
    yield made
    made.close()


def now_known() -> Any:
    profile = house_module.open_profile()
    return gather(house_module.open_store(), profile, ANONYMOUS, ROOT)


def change(monkeypatch: pytest.MonkeyPatch, **datasets: Any) -> None:
    profile = house_module.open_profile()
    kept = {name: each for name, each in {**profile.datasets, **datasets}.items() if each is not None}
    changed = msgspec.structs.replace(profile, datasets=kept)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: changed)


def test_a_hub_hears_of_everything_once(house: None, hub: Hub, piveau: Piveau) -> None:
    done = hub.push(now_known(), MIDNIGHT)
    assert ("jena", "parking") in piveau.datasets
    assert sorted(done.put) == sorted(name for _, name in piveau.datasets)
    assert not {"transit", "buildings", "demo-parking"} & {name for _, name in piveau.datasets}
    graph = Graph().parse(data=piveau.datasets["jena", "parking"], format="turtle")
    assert (URIRef(f"{ROOT}/dataset/parking"), RDF.type, DCAT.Dataset) in graph
    piveau.asked.clear()
    assert hub.push(now_known(), MIDNIGHT) == ([], [], {})
    assert piveau.asked == []


def test_only_what_changed_goes_again(house: None, hub: Hub, piveau: Piveau, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.push(now_known(), MIDNIGHT)
    trees = house_module.open_profile().datasets["trees"]
    change(monkeypatch, trees=msgspec.structs.replace(trees, landing_page="https://trees.example/"), weather=None)
    piveau.asked.clear()
    done = hub.push(now_known(), MIDNIGHT + DAY)
    assert (done.put, done.deleted) == (["trees"], ["weather"])
    assert sorted(piveau.asked) == [("DELETE", "weather"), ("PUT", "trees")]
    assert ("jena", "weather") not in piveau.datasets
    assert not Pushed.objects.filter(dataset="weather").exists()


def test_what_the_hub_refuses_stands_in_nobody_s_way(house: None, hub: Hub, piveau: Piveau) -> None:
    piveau.broken = {"air"}
    done = hub.push(now_known(), MIDNIGHT)
    assert set(done.failed) == {"air"}
    assert "400" in done.failed["air"]
    assert ("jena", "weather") in piveau.datasets
    piveau.broken = set()
    assert hub.push(now_known(), MIDNIGHT).put == ["air"]


def test_a_wrong_key_is_told_without_the_key(house: None, piveau: Piveau) -> None:
    wrong = Hub(piveau.address, "jena", "wrong key")
    with pytest.raises(HubError, match="401") as error:
        wrong.push(now_known(), MIDNIGHT)
    wrong.close()
    assert "wrong key" not in str(error.value)
    assert not Pushed.objects.exists()


def test_a_hub_that_is_away_is_told_later(house: None) -> None:
    away = Hub("http://127.0.0.1:9/api", "jena", KEY)
    with pytest.raises(HubError, match="ConnectError"):
        away.push(now_known(), MIDNIGHT)
    away.close()


def test_the_worker_looks_after_the_catalogue(house: None, piveau: Piveau, monkeypatch: pytest.MonkeyPatch) -> None:
    config = msgspec.structs.replace(
        settings.ALLMENDE, hub_url=piveau.address, hub_key=KEY, public_url=f"{ROOT}/", quality_days=7
    )
    now = [MIDNIGHT + DAY // 2]
    thread = CatalogueThread(
        house_module.open_store(), house_module.open_profile, config, threading.Event(), clock=lambda: now[0]
    )
    thread.round()
    first = Description.objects.get(dataset="parking").quality
    assert (first["end"], first["counted"]) == (MIDNIGHT, 2)
    assert ("jena", "parking") in piveau.datasets
    piveau.asked.clear()
    now[0] += 60_000_000
    thread.round()
    assert piveau.asked == []
    assert Description.objects.get(dataset="parking").quality == first
    now[0] += DAY
    thread.round()
    assert Description.objects.get(dataset="parking").quality["counted"] == 4
    assert ("PUT", "parking") in piveau.asked
