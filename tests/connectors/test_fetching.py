"""One policy for all who ask the network: bounds, secrets by name, and no errors that tell them."""

import httpx
import msgspec
import pytest

from allmende.connectors.fetching import FetchError, headers, open_client, read, secret
from allmende.domain.connector import Source
from allmende.domain.errors import ConfigurationError

SOURCE = Source(
    id="s",
    connector="c",
    dataset="d",
    headers={"Authorization": "Bearer ${SOURCE_TOKEN}", "X-Plain": "as it is"},
    secrets={"password": "SOURCE_PASSWORD"},
)


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_TOKEN", "t0ken")
    monkeypatch.setenv("SOURCE_PASSWORD", "pa55")
    assert headers(SOURCE) == {"Authorization": "Bearer t0ken", "X-Plain": "as it is"}
    assert secret(SOURCE, "password") == "pa55"
    assert "t0ken" not in repr(SOURCE)
    assert "pa55" not in repr(SOURCE)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match=r"sources\.s\.headers: .*SOURCE_TOKEN"):
        open_client(SOURCE)
    with pytest.raises(ConfigurationError, match=r"sources\.s\.secrets\.other"):
        secret(SOURCE, "other")
    monkeypatch.setenv("ALLMENDE_SECRET_KEY", "the house's own")
    with pytest.raises(ConfigurationError):
        secret(msgspec.structs.replace(SOURCE, secrets={"x": "ALLMENDE_SECRET_KEY"}), "x")


def test_a_secret_does_not_go_along_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_TOKEN", "t0ken")
    with open_client(SOURCE) as client:
        assert not client.follow_redirects
    with open_client(msgspec.structs.replace(SOURCE, headers={})) as client:
        assert client.follow_redirects
        assert not client.trust_env


def test_an_answer_is_bounded_and_judged() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if request.url.path == "/" else 503, content=b"x" * 100)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        assert read(client, "https://x/") == b"x" * 100
        with pytest.raises(FetchError, match="larger than 99 bytes"):
            read(client, "https://x/", max_bytes=99)
        with pytest.raises(FetchError, match="503"):
            read(client, "https://x/away")
