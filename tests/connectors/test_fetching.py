"""One policy for all who ask the network: bounds, secrets by name, and no errors that tell them."""

from collections import deque
from collections.abc import Iterator

import httpcore
import httpx
import msgspec
import pytest

from allmende.connectors import fetching
from allmende.connectors.fetching import (
    FetchError,
    Patience,
    filled_address,
    headers,
    open_client,
    read,
    secret,
    without_secrets,
)
from allmende.connectors.network import Guard
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
        if request.url.path == "/same":
            return httpx.Response(304)
        return httpx.Response(200 if request.url.path == "/" else 503, content=b"x" * 100)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        assert read(client, "https://x/") == b"x" * 100
        with pytest.raises(FetchError, match="larger than 99 bytes"):
            read(client, "https://x/", max_bytes=99)
        with pytest.raises(FetchError, match="503"):
            read(client, "https://x/away")
        with pytest.raises(FetchError, match="304"):
            read(client, "https://x/same")


def test_a_variable_in_the_address_is_filled_and_taken_out_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_KEY", "a b/c")
    source = Source(id="s", connector="c", dataset="d", address="wss://x/feed?token=${SOURCE_KEY}")
    assert filled_address(source) == "wss://x/feed?token=a%20b%2Fc"
    told = without_secrets(source, "no way to wss://x/feed?token=a%20b%2Fc (a b/c) or https://n:p@y/?api_key=7&q=1")
    assert told == "no way to wss://x/feed?token=${SOURCE_KEY} (${SOURCE_KEY}) or https://***@y/?api_key=***&q=1"
    monkeypatch.delenv("SOURCE_KEY")
    with pytest.raises(ConfigurationError, match=r"sources\.s\.address: .*SOURCE_KEY"):
        open_client(source)


def test_an_answer_cannot_ask_for_the_secrets_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_KEY", "mine")
    monkeypatch.setenv("SOURCE_OTHER", "theirs")
    known = fetching._of_address(Source(id="s", connector="c", dataset="d", address="https://x/?k=${SOURCE_KEY}"))
    assert (
        fetching._fill("https://x/2?k=%24%7BSOURCE_KEY%7D&o=${SOURCE_OTHER}", known)
        == "https://x/2?k=mine&o=${SOURCE_OTHER}"
    )


@pytest.mark.parametrize("place", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00::1", "0.0.0.0"])
def test_only_the_named_host_may_lie_in_a_net_of_ones_own(place: str) -> None:
    guard = Guard()
    with pytest.raises(httpcore.ConnectError, match="no public address"):
        guard.connect_tcp(place, 9, timeout=0.1)


def test_one_part_that_fails_takes_no_other_along_and_is_told() -> None:
    def parts(failing: set[int]) -> Iterator[int]:
        patience = Patience()
        for part in range(8):
            with patience:
                if part in failing:
                    raise FetchError(f"part {part}")
                yield part
        patience.end()

    got: list[int] = []
    with pytest.raises(FetchError, match="part 2"):
        deque(map(got.append, parts({2, 3, 5})), 0)
    assert got == [0, 1, 4, 6, 7]
    got.clear()
    with pytest.raises(FetchError, match="part 4"):
        deque(map(got.append, parts({2, 3, 4})), 0)
    assert got == [0, 1], "it is the host: the rest is not asked for"


def test_who_is_not_the_operator_names_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_TOKEN", "t0ken")
    theirs = {"settings": {fetching.PUBLIC_ONLY: True}}
    for named in ({"headers": {"X": "${SOURCE_TOKEN}"}}, {"address": "https://mine.example/?t=${SOURCE_TOKEN}"}):
        with pytest.raises(ConfigurationError, match="not made by the operator"):
            open_client(Source(id="s", connector="c", dataset="d", **named, **theirs))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="not made by the operator"):
        filled_address(Source(id="s", connector="c", dataset="d", address="ws://127.0.0.1/", **theirs))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="not made by the operator"):
        secret(Source(id="s", connector="c", dataset="d", secrets={"x": "SOURCE_TOKEN"}, **theirs), "x")  # type: ignore[arg-type]
