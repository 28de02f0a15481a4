"""How often one client may ask: an address or a token, without a token that is made up counting as one."""

import subprocess
import sys

import msgspec
import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from allmende.web.accounts.clients import address_of, browser_of, prefix_of
from allmende.web.accounts.tokens import create_token, known_reader
from allmende.web.counts import _GROUP, AttemptsCache, Bucket, Table, share_counts, shared_table
from allmende.web.limits import LimitsMiddleware

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
    bucket = Bucket(60, clock=lambda: now[0])
    assert [bucket.spend("a") for _ in range(2)] == [(0.0, 59.0), (0.0, 58.0)]
    for _ in range(58):
        bucket.take("a")
    assert bucket.take("a") == 1.0
    now[0] = 1.0
    assert bucket.take("a") == 0.0


_SPENDER = """
import sys
from allmende.web.counts import Bucket
bucket = Bucket(50, "test", clock=lambda: 1000.0)
sys.stdin.read()
print(sum(not bucket.take("192.0.2.1") for _ in range(50)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is shared on Linux alone")
def test_all_processes_of_the_house_count_together(monkeypatch):
    monkeypatch.setenv("ALLMENDE_COUNTS", "")  # what is set next is taken back with it
    share_counts()
    command = [sys.executable, "-c", _SPENDER]
    crew = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for each in crew:
        each.stdin.close()  # type: ignore[union-attr]  they begin together
    assert sum(int(each.stdout.read()) for each in crew) == 50  # type: ignore[union-attr]
    assert [each.wait(10) for each in crew] == [0, 0, 0]


def test_a_process_whose_parent_is_gone_counts_by_itself(monkeypatch):
    monkeypatch.setenv("ALLMENDE_COUNTS", '{"requests":"/proc/1/fd/none","attempts":"/proc/1/fd/none"}')
    shared_table.cache_clear()
    assert [Bucket(1).take("192.0.2.1") for _ in range(2)] == [0.0, 0.0], "each bucket has its own"
    shared_table.cache_clear()


def test_where_there_is_no_room_what_ends_first_is_forgotten():
    table = Table(_GROUP, 8)
    for number in range(_GROUP):
        with table.record(f"{number}", 0.0) as record:
            record.keep(b"%d" % number, 100.0 - number)
    with table.record("new", 50.0) as record:
        assert record.data is None
        record.keep(b"new", 60.0)
        with pytest.raises(ValueError, match="9 bytes"):
            record.keep(b"nine char", 60.0)
    kept = []
    for key in [*map(str, range(_GROUP)), "new"]:
        with table.record(key, 50.0) as record:
            kept.append(record.data)
    assert kept == [*(b"%d" % number for number in range(_GROUP - 1)), None, b"new"]
    with table.record("0", 100.0) as record:
        assert record.data is None, "it is over"


def test_attempts_are_counted_in_a_cache_of_django():
    cache = AttemptsCache("", {"TIMEOUT": 300})
    cache.clear()
    assert cache.add("a", True)
    assert not cache.add("a", False)
    assert cache.get("a") is True
    cache.set("times", [1700000000.25 + n for n in range(60)], 60)
    assert cache.get("times")[59] == 1700000059.25
    assert AttemptsCache("", {}).get("times") is not None, "each thread has its own over the same"
    assert (cache.touch("times"), cache.touch("none")) == (True, False)
    assert (cache.delete("a"), cache.delete("a"), cache.get("a", 5)) == (True, False, 5)
    cache.set("gone", 1, timeout=-1)
    assert cache.get("gone") is None
    cache.set("kept", 1, timeout=None)
    assert cache.get("kept") == 1
    cache.clear()
    assert cache.get("kept") is None


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
