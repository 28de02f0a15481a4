"""Pages of a service, asked for over HTTP: all of them, or none is taken for all."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from allmende.connectors.fetching import FetchError
from allmende.connectors.ogc_features.fetch import fetch
from allmende.connectors.ogc_features.parse import parse
from allmende.connectors.testing import features, manifest_settings
from allmende.domain.connector import Source

NAMES = [f"b-{n}" for n in range(5)]


class Service(BaseHTTPRequestHandler):
    """Five features, by links (``/items``, with a fault by ``fault``), by a WFS (``/wfs``), or at once (``/plain``)."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        answer = {"/items": self.items, "/wfs": self.wfs, "/plain": lambda _: self.page(NAMES)}[parts.path](asked)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def page(self, names: list[str]) -> dict[str, Any]:
        found = [{"type": "Feature", "id": name, "geometry": None, "properties": {}} for name in names]
        return {"type": "FeatureCollection", "features": found, "numberReturned": len(found), "numberMatched": 5}

    def items(self, asked: dict[str, str]) -> dict[str, Any]:
        begin, size, fault = int(asked.get("offset", 0)), int(asked["limit"]), asked.get("fault", "")
        page = self.page(NAMES[begin : begin + size])
        more = f"/items?limit={size}&offset={begin + size}&fault={fault}"
        if fault == "host":
            more = f"http://elsewhere.example{more}"
        if begin + size < 5 and fault != "short":
            page["links"] = [{"rel": "next", "href": self.path if fault == "loop" else more}]
        return page

    def wfs(self, asked: dict[str, str]) -> dict[str, Any]:
        assert (asked["request"], asked["typeNames"], asked["version"]) == ("GetFeature", "app:works", "2.0.0")
        begin = int(asked["startIndex"])
        return self.page(NAMES[begin : begin + int(asked["count"])])

    def log_message(self, *_: object) -> None:
        """Nothing: the tests say what went wrong."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def source(address: str, **settings: object) -> Source:
    known = manifest_settings("allmende.connectors.ogc_features")
    return Source(id="o", connector="ogc_features", dataset="d", address=address, settings=known | settings)


@pytest.mark.parametrize(
    ("path", "settings", "pages"),
    [
        ("/items", {"page_size": 2}, 3),
        ("/items", {"page_size": 5}, 1),
        ("/wfs", {"service": "wfs", "type_names": "app:works", "page_size": 2}, 3),
        ("/plain", {"service": "plain"}, 1),
    ],
)
def test_all_pages_come(address, path, settings, pages):
    asked = source(address + path, **settings)
    payloads = list(fetch(asked, now=7, since=None))
    assert [payload.received_at for payload in payloads] == [7] * pages
    parsed = [parse(payload, asked) for payload in payloads]
    assert not [rejection for one in parsed for rejection in one.rejections], "pages of a whole need no other word"
    assert [name for one in parsed for name in features(one)] == NAMES


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"query": {"fault": "short"}}, "Only 2 of 5"),
        ({"query": {"fault": "host"}}, "another host"),
        ({"query": {"fault": "loop"}}, "leads nowhere"),
        ({"pages": 2}, "more than 2 pages"),
        ({"service": "ftp"}, "ogc-api, wfs or plain"),
    ],
)
def test_what_is_not_all_fails(address, settings, words):
    with pytest.raises(FetchError, match=words):
        list(fetch(source(f"{address}/items", page_size=2, **settings), now=1, since=None))
