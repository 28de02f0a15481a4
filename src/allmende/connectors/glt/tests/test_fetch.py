"""Against a small server of our own that plays the building control: tokens, sites, points, datalogs."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from allmende.connectors.fetching import FetchError
from allmende.connectors.glt.fetch import fetch
from allmende.connectors.glt.parse import parse
from allmende.connectors.testing import manifest_settings, values
from allmende.domain.connector import Source
from allmende.domain.errors import ConfigurationError
from allmende.domain.times import DAY, HOUR, MINUTE, format_instant, parse_instant

NOW = parse_instant("2026-01-07T10:00:00Z")
FIRST = NOW - 3 * HOUR
POINT = 17170438


class Played:
    """What the server has: a value every ten minutes, as `valueAt` says; and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.forms: list[dict[str, list[str]]] = []
        self.points = [POINT]
        self.status = 200
        self.until = NOW

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        self.asked.append((path, query))
        if path == "/rest/sites/065":
            return 200, {
                "id": "065",
                "name": "Mustergebäude",
                "lon": 11.58,
                "lat": 50.93,
                "ip": "10.0.0.7",
            }
        if path == "/rest/system/entities/65/types":
            return 200, [{"id": point, "type": "DATALOG"} for point in self.points]
        if path == "/rest/monitoring/datalogs/content/65":
            begin, end = (parse_instant(query[key][0]) for key in ("from", "to"))
            times = [t for t in range(FIRST, self.until + 1, 10 * MINUTE) if begin <= t <= end]
            if not times:
                return 404, {"error": "no data"}
            texts = [format_instant(time) for time in times]
            entries = [(time - FIRST) / MINUTE for time in times]
            log = {
                "name": "Temperatur",
                "entriesT": texts,
                "entriesV": entries,
                "comments": [{"author": "Erika"}],
            }
            return self.status, [{"id": int(point), **log} for point in query["id"]]
        return 404, {}


@pytest.fixture
def played() -> Iterator[tuple[Played, str]]:
    state = Played()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            state.forms.append(form)
            known = form.get("client_secret") == ["opensesame"]
            self._send(200 if known else 401, {"access_token": "a-token", "expires_in": 60} if known else {})

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            if self.headers.get("Authorization") != "Bearer a-token":
                self._send(401, {})
            else:
                self._send(*state.answer(split.path, parse_qs(split.query)))

        def _send(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test says what is wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_GLT_ID", "allmende")
    monkeypatch.setenv("SOURCE_GLT_SECRET", "opensesame")


def source(base: str, **settings: Any) -> Source:
    known = {**manifest_settings("allmende.connectors.glt"), "token_address": f"{base}/token", "sites": ["065"]}
    return Source(
        id="glt",
        connector="glt",
        dataset="buildings",
        address=f"{base}/rest",
        secrets={"client_id": "SOURCE_GLT_ID", "client_secret": "SOURCE_GLT_SECRET"},
        settings={**known, **settings},
    )


def read(given: Source, since: int | None = None, now: int = NOW) -> dict[str, list[object]]:
    [payload] = fetch(given, now=now, since=since)
    parsed = parse(payload, given)
    assert not parsed.rejections
    return values(parsed)


def test_the_last_hour_is_asked_for_with_a_token(played: tuple[Played, str]) -> None:
    state, base = played
    assert read(source(base)) == {f"065~{POINT}~value": [120.0, 130.0, 140.0, 150.0, 160.0, 170.0, 180.0]}
    assert state.forms == [
        {"grant_type": ["client_credentials"], "client_id": ["allmende"], "client_secret": ["opensesame"]}
    ]


def test_two_polls_overlap_and_say_the_same(played: tuple[Played, str]) -> None:
    _, base = played
    given = source(base)
    points = []
    for now in (NOW - 10 * MINUTE, NOW):
        [payload] = fetch(given, now=now, since=now - 10 * MINUTE)
        series = parse(payload, given).records[1]
        points.append(set(zip(series.times, series.results, strict=True)))  # type: ignore[union-attr]
    assert len(points[0] & points[1]) == 6  # repeated, each with its one value: the store takes it once
    assert len({time for time, _ in points[0] | points[1]}) == len(points[0] | points[1])


def test_after_an_outage_it_catches_up_but_not_for_ever(played: tuple[Played, str]) -> None:
    state, base = played
    assert len(read(source(base), since=NOW - 2 * HOUR)[f"065~{POINT}~value"]) == 13
    read(source(base, catch_up="PT90M"), since=NOW - 30 * DAY)
    assert state.asked[-1][1]["from"] == [format_instant(NOW - 90 * MINUTE)]


def test_many_points_are_asked_for_in_parts_and_chosen_ones_alone(played: tuple[Played, str]) -> None:
    state, base = played
    state.points = list(range(1, 251))
    assert len(read(source(base))) == 250
    assert [len(query["id"]) for path, query in state.asked if "content" in path] == [100, 100, 50]
    assert list(read(source(base, only={"065": [7]}))) == ["065~7~value"]


def test_nothing_new_is_no_error(played: tuple[Played, str]) -> None:
    state, base = played
    state.until = FIRST
    assert read(source(base)) == {}


def test_what_is_not_ours_to_keep_does_not_leave_fetch(played: tuple[Played, str]) -> None:
    _, base = played
    [payload] = fetch(source(base), now=NOW, since=None)
    assert set(msgspec.json.decode(payload.body)["site"]) == {"id", "name", "lon", "lat"}
    for word in (b"10.0.0.7", b"Erika", b"opensesame", b"a-token"):
        assert word not in payload.body


def test_trouble_is_told_without_the_secret(played: tuple[Played, str], monkeypatch: pytest.MonkeyPatch) -> None:
    state, base = played
    state.status = 500
    with pytest.raises(FetchError, match="500"):
        read(source(base))
    monkeypatch.setenv("SOURCE_GLT_SECRET", "wrong-one")
    with pytest.raises(FetchError, match="401") as caught:
        read(source(base))
    assert "wrong-one" not in str(caught.value)
    monkeypatch.delenv("SOURCE_GLT_SECRET")
    with pytest.raises(ConfigurationError, match="SOURCE_GLT_SECRET"):
        read(source(base))


@pytest.mark.parametrize(
    "settings",
    [
        {"sites": []},
        {"sites": "065"},
        {"token_address": ""},
        {"look_back": "soon"},
        {"catch_up": "PT0S"},
        {"only": {"065": ["x"]}},
    ],
)
def test_settings_that_cannot_be_used(played: tuple[Played, str], settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        read(source(played[1], **settings))
