"""How often one client may ask: an address or a token, without a token that is made up counting as one."""

import msgspec
import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from allmende.web.accounts.clients import address_of, browser_of, prefix_of
from allmende.web.accounts.tokens import create_token, known_reader
from allmende.web.limits import Bucket, LimitsMiddleware

ASK = RequestFactory()


@pytest.fixture
def limited(settings):
    """``limited(path, **headers)`` asks a house that takes 3 requests of an address, and 5 of a token."""
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, rate_limit=3, token_rate_limit=5, proxies=0)
    middleware = LimitsMiddleware(lambda request: HttpResponse("answer"))

    def ask(path: str = "/", address: str = "192.0.2.1", token: str = "") -> HttpResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return middleware(ASK.get(path, headers=headers, REMOTE_ADDR=address))

    return ask


def test_whoever_asks_too_often_is_told_when_to_come_again(limited):
    answers = [limited() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert 1 <= int(answers[3]["Retry-After"]) <= 20
    assert "ALLMENDE_RATE_LIMIT" in msgspec.json.decode(answers[3].content)["message"]
    assert limited(address="192.0.2.2").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/static/build/assets/main.js"])
def test_machines_and_files_are_not_limited(limited, path):
    assert {limited(path).status_code for _ in range(10)} == {200}
    assert "RateLimit" not in limited(path)


def test_a_network_of_ipv6_is_one_client(limited):
    assert [limited(address=f"2001:db8:1:2::{n}").status_code for n in range(4)][-1] == 429
    assert limited(address="2001:db8:1:3::1").status_code == 200


@pytest.mark.django_db
def test_a_token_has_an_allowance_of_its_own_wherever_it_is(limited):
    _, secret = create_token("gate", actor="test")
    assert known_reader(secret) is not None
    answers = [limited(address=f"192.0.2.{n}", token=secret).status_code for n in range(6)]
    assert answers == [200, 200, 200, 200, 200, 429]
    assert limited(address="192.0.2.1").status_code == 200


@pytest.mark.django_db
def test_made_up_tokens_give_no_fresh_allowance(limited):
    _, secret = create_token("gate", actor="test")  # nobody has shown it yet
    tokens = [f"allmende_{n}" for n in range(3)] + [secret]
    assert [limited(token=token).status_code for token in tokens] == [200, 200, 200, 429]


def test_no_limit_is_no_header(limited, settings):
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, rate_limit=0)
    assert "RateLimit" not in LimitsMiddleware(lambda request: HttpResponse())(ASK.get("/"))


def test_a_bucket_fills_again():
    now = [0.0]
    bucket = Bucket(60, lambda: now[0])
    assert [bucket.spend("a") for _ in range(2)] == [(0.0, 59.0), (0.0, 58.0)]
    for _ in range(58):
        bucket.take("a")
    assert bucket.take("a") == 1.0
    now[0] = 1.0
    assert bucket.take("a") == 0.0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what stands before may be made up
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "no address", "10.0.0.1"),
    ],
)
def test_the_address_is_what_the_outermost_proxy_saw(settings, proxies, forwarded, found):
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, proxies=proxies)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert address_of(ASK.get("/", REMOTE_ADDR="10.0.0.1", headers=headers)) == found


def test_prefixes_and_browsers_say_little():
    assert [prefix_of(text) for text in ("192.0.2.1", "2001:db8:1:2:3::4", "odd")] == [
        "192.0.2.1",
        "2001:db8:1:2::",
        "odd",
    ]
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    assert browser_of(ASK.get("/", headers={"User-Agent": firefox})) == "Firefox, Linux"
    assert browser_of(ASK.get("/", headers={"User-Agent": "<script>"})) == "Browser"
