"""Health, readiness, metrics, request ids, headers and limits, asked through the whole stack."""

import io
import json
import logging
import re

import pytest
from django.test import Client, RequestFactory

from allmende.domain.store import SourceState
from allmende.web.config import load_config
from allmende.web.counts import Bucket
from allmende.web.observability import logs, metrics, views
from allmende.web.security import content_security_policy, websocket_url

pytestmark = pytest.mark.django_db

OPENING = (
    "/accounts/invitation/5ec4e7/",
    "/accounts/confirm-email/5ec4e7/",
    "/accounts/password/reset/key/1-5ec4e7/",
    f"/downloads/5ec4e7{'a' * 26}/",
)
"""What is in these addresses opens something."""


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def configured(settings, **environ):
    kept = {"ALLMENDE_HOME": str(settings.ALLMENDE.home), "ALLMENDE_CITY": settings.ALLMENDE.city}
    settings.ALLMENDE = load_config({**kept, **environ})
    return settings.ALLMENDE


def test_health_answers(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "alive"
    assert answer["Cache-Control"] == "no-store"


def test_ready_says_so(client):
    assert client.get("/ready").json() == {"status": "ready"}


def test_not_ready_says_why(client, settings):
    configured(settings, ALLMENDE_DISK_FLOOR="100000000000000000")
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "ALLMENDE_DISK_FLOOR" in answer.json()["reasons"][0]


def test_not_ready_without_migrations(client, monkeypatch):
    monkeypatch.setattr(views, "_migrated", False)
    monkeypatch.setattr(views.MigrationExecutor, "migration_plan", lambda *_: [1, 2])
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "2 migrations" in answer.json()["reasons"][0]


def test_metrics_are_for_this_machine(client):
    client.get("/health")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert 'allmende_http_request_seconds_count{method="GET",route="health",status="200"}' in answer.text
    assert "allmende_disk_free_bytes" in answer.text


def test_metrics_tell_how_often_a_statement_was_ready(client):
    def counted(fate):
        found = re.search(rf'allmende_statements_total{{fate="{fate}"}} ([0-9.e+]+)', client.get("/metrics").text)
        return float(found[1]) if found else 0.0

    clock = iter(range(0, 1000, 2))
    lookups = metrics.LookupCounter(lambda: next(clock))
    lookups.note()
    before = counted("hit")
    for number in range(5):
        assert client.get(f"/sta/v1.1/Things({number})").status_code == 404
    lookups.note()
    assert counted("hit") >= before + 4


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_metrics_are_not_given_through_a_proxy(client, header):
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_metrics_elsewhere_need_the_token(client, settings):
    configured(settings, ALLMENDE_METRICS_TOKEN="s3cret-s3cret")
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 403
    wrong = {"Authorization": "Bearer wrong"}
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1", headers=wrong).status_code == 403
    right = {"Authorization": "Bearer s3cret-s3cret"}
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1", headers=right).status_code == 200


def test_metrics_tell_how_sources_fare():
    state = SourceState(id="feed", last_received=10_000_000, last_success=10_000_000, accepted=5, rejected=1)
    failing = SourceState(id="late", last_success=1, last_error_at=2, last_error="no answer")
    page = metrics.render([state, failing], 70_000_000, 1, (3, 12.5), alert_lag=7.5).decode()
    assert "allmende_rule_lag_seconds 12.5" in page
    assert "allmende_alert_lag_seconds 7.5" in page
    assert "allmende_rule_changes_waiting 3.0" in page
    assert 'allmende_readings_total{fate="accepted",source="feed"} 5.0' in page
    assert 'allmende_source_age_seconds{source="feed"} 60.0' in page
    assert 'allmende_source_failing{source="late"} 1.0' in page
    assert 'allmende_source_age_seconds{source="late"}' not in page


def test_a_sane_request_id_comes_back(client):
    assert client.get("/health", headers={"X-Request-ID": "abc-123.DEF_4"})["X-Request-ID"] == "abc-123.DEF_4"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space inside", "sneaky\r\nSet-Cookie: a=b", "ümläut-id"])
def test_another_request_id_is_replaced(client, given):
    assert re.fullmatch(r"[0-9a-f]{16}", client.get("/health", headers={"X-Request-ID": given})["X-Request-ID"])


def test_the_log_has_a_line_a_request_and_nothing_personal(client, settings, monkeypatch):
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        monkeypatch.setattr("sys.stderr", stream)
        logs.configure(load_config({"ALLMENDE_LOG_FORMAT": "json"}), "web")
        client.get("/nowhere?mail=anna@example.org", REMOTE_ADDR="192.0.2.77", headers={"X-Request-ID": "request-1"})
        for path in OPENING:
            client.get(path)
    finally:
        root.handlers[:], root.level = before
    line = next(json.loads(text) for text in stream.getvalue().splitlines() if '"event": "request"' in text)
    assert (line["request_id"], line["status"], line["route"], line["part"]) == ("request-1", 404, "unmatched", "web")
    assert "anna" not in stream.getvalue()
    assert "192.0.2.77" not in stream.getvalue()
    assert "/accounts/invitation/…/" in stream.getvalue()
    assert "5ec4e7" not in stream.getvalue(), "whoever reads the log would have the key"


def test_every_answer_has_the_headers(client):
    for path in ("/health", "/nowhere", "/static/nowhere.js"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]


def test_the_policy_lets_live_values_in_under_the_name_in_use():
    config = load_config({"ALLMENDE_MQTT_WEBSOCKET_PORT": "1234"})
    policy = content_security_policy(config, "city.example:8443")
    assert "connect-src 'self' ws://city.example:1234 wss://city.example:1234;" in policy
    assert websocket_url(config, "[::1]:8000", False) == "ws://[::1]:1234/"
    behind = load_config({"ALLMENDE_MQTT_WEBSOCKET_URL": "wss://city.example/mqtt"})
    assert "connect-src 'self' wss://city.example;" in content_security_policy(behind, "city.example")
    assert websocket_url(load_config({"ALLMENDE_MQTT_WEBSOCKET_PORT": "0"}), "city.example", True) == ""


def test_a_base_map_is_let_in_by_name_alone():
    config = load_config({"ALLMENDE_BASE_MAP": "https://tiles.example/{z}/{x}/{y}.png"})
    policy = content_security_policy(config, "localhost")
    assert "img-src 'self' data: blob: https://tiles.example;" in policy


def test_a_body_that_is_too_large_is_refused(client, settings):
    configured(settings, ALLMENDE_BODY_BYTES="2K")
    answer = client.post("/health", b"x" * 3000, content_type="application/json")
    assert answer.status_code == 413
    assert "ALLMENDE_BODY_BYTES" in answer.json()["message"]


def test_a_client_that_asks_too_often_waits():
    now = [0.0]
    bucket = Bucket(60, clock=lambda: now[0])
    assert [bucket.take("a") for _ in range(60)] == [0.0] * 60
    assert bucket.take("a") == pytest.approx(1.0)
    assert bucket.take("b") == 0.0
    now[0] = 1.5
    assert bucket.take("a") == 0.0


def test_an_unknown_host_is_refused(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert RequestFactory().get("/").get_host() == "testserver"
