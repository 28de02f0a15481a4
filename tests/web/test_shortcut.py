"""The short way of programs' requests: the same answers, rights and headers as by the long one."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from allmende.web.accounts.tokens import create_token
from allmende.web.house import furnish, open_profile, open_store

PAGES_ALONE = {"Content-Language", "Vary"}
"""Headers that say something of pages: their language, and that a session changes them."""


@pytest.fixture
def house(db: Any) -> None:
    furnish(open_store(), open_profile())


@pytest.fixture
def no_session() -> Client:
    """A client whose cookie names a session that there is not, so that its requests take the long way."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "gone"
    return client


@pytest.mark.parametrize("path", ["", "/Things", "/Things(1)", "/Nothing", "/Things?$top=x", "/Things?$count=true"])
@pytest.mark.parametrize("method", ["get", "head", "post", "options", "trace"])
def test_both_ways_say_the_same(client: Client, no_session: Client, house: None, method: str, path: str) -> None:
    headers = {"X-Request-ID": "the-same-for-both", "Origin": "https://map.example"}
    short, long = (getattr(c, method)(f"/sta/v1.1{path}", headers=headers) for c in (client, no_session))
    assert (short.status_code, short.content) == (long.status_code, long.content)
    kept = {name: value for name, value in long.headers.items() if name not in PAGES_ALONE}
    assert {name: value for name, value in short.headers.items() if name not in PAGES_ALONE} == kept
    assert short.headers["X-Request-ID"] == "the-same-for-both"
    assert "Content-Language" not in short.headers


def test_rights_hold_on_the_short_way(client: Client, house: None) -> None:
    _, secret = create_token("reads", actor="test")
    body: Any = {"name": "Bench", "description": "A bench"}
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer no"}, 401),
        ({"Authorization": f"Bearer {secret}"}, 403),
    ):
        answer = client.post("/sta/v1.1/Things", body, content_type="application/json", headers=headers)
        assert answer.status_code == status


def test_a_wrong_host_is_refused(client: Client, house: None) -> None:
    assert client.get("/sta/v1.1/Things", headers={"Host": "elsewhere.example"}).status_code == 400


def test_an_error_of_ours_is_answered(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("allmende.web.sta.answer", fail)
    client.raise_request_exception = False
    answer = client.get("/sta/v1.1/Things")
    assert answer.status_code == 500
    assert len(answer.headers["X-Request-ID"]) == 16
    assert b"on purpose" not in answer.content
