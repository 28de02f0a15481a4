"""Messages of the browser: encrypted for it alone, sent to push services alone, and ended with it."""

import base64
import json
import stat
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from allmende.domain.errors import InvalidInput
from allmende.domain.times import HOUR, from_datetime
from allmende.web.config import Config
from allmende.web.counts import Bucket
from allmende.web.house import open_profile
from allmende.web.subscriptions import own_views
from allmende.web.subscriptions.asking import REMIND, tidy
from allmende.web.subscriptions.happening import Happening
from allmende.web.subscriptions.models import DAYS, Happened, Letter, Subscriber, Subscription
from allmende.web.subscriptions.post import Post
from allmende.web.subscriptions.push import PushWay, encrypt, is_allowed, public_key, read_browser
from allmende.web.subscriptions.sources.all import SOURCES

pytestmark = pytest.mark.django_db(transaction=True)
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/secret"


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class FakeBrowser:
    """Keys as a browser makes them, and what it does with what it gets: by the letter of RFC 8291, with nothing of what
    the house encrypts by."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None, auth: bytes = b"0123456789abcdef") -> None:
        self.private = private or ec.generate_private_key(ec.SECP256R1())
        self.auth = auth
        self.point = point_of(self.private.public_key())
        self.said = {"endpoint": ENDPOINT, "p256dh": text_of(self.point), "auth": text_of(self.auth)}

    def read(self, body: bytes) -> dict[str, Any]:
        return json.loads(self.decrypt(body))

    def decrypt(self, body: bytes) -> bytes:
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]  # RFC 8188, 2.1
        theirs, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size, "there is one record"
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        about = b"WebPush: info\0" + self.point + theirs  # RFC 8291, 3.4
        secret = HKDF(SHA256(), 32, self.auth, about).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        text = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert text.endswith(b"\2"), "it is the last record"
        return text[:-1]


class Service:
    """A push service as far as it is asked."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.taken.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 201)


@pytest.fixture
def config(tmp_path, settings, monkeypatch, request) -> Config:
    made = Config(home=tmp_path, public_url="https://city.example/")
    settings.ALLMENDE = replace(settings.ALLMENDE, home=tmp_path, public_url="https://city.example/")
    monkeypatch.setattr(own_views, "BUCKET", Bucket(100, request.node.nodeid))
    return made


def subscribe(browser: FakeBrowser, query: str = "", **more: str) -> Any:
    return Client(HTTP_ACCEPT_LANGUAGE="de").post(f"/subscriptions/push/?{query}", {**browser.said, **more})


def write(monkeypatch, **said: Any) -> None:
    """Something happened that everybody may know of."""
    now = from_datetime(timezone.now())
    happening = Happening(id="features:a:b", title={"de": "Sperrung: Wagnergasse"}, changed=now, since=now + HOUR,
                          page="/ogc/v1/x?f=html", **said)  # fmt: skip
    import msgspec

    kept = Happened.objects.create(id=happening.id, kind="features", mark=happening.mark, changed=now,
                                   body=msgspec.to_builtins(happening))  # fmt: skip
    monkeypatch.setattr(SOURCES["features"], "is_public", lambda *_: True)
    for subscriber in Subscriber.objects.all():
        Letter.objects.create(kind="news", subscriber=subscriber, subscription=subscriber.subscriptions.first(),
                              happened=kept, stage=1)  # fmt: skip


def post(config: Config, service: Service) -> int:
    return Post(PushWay(config, httpx.MockTransport(service)), open_profile, config).hand_over()


def test_a_browser_reads_what_it_is_sent_and_knows_who_sent_it(config, monkeypatch) -> None:
    browser, service = FakeBrowser(), Service()
    answer = subscribe(browser, "kind=features")
    assert Client().get(answer.json()["mine"]).status_code == 200
    assert ENDPOINT not in Subscriber.objects.get().sealed
    write(monkeypatch, text={"de": "ö" * 3000})
    assert (post(config, service), post(config, service)) == (1, 0)
    (sent,) = service.taken
    assert str(sent.url) == ENDPOINT
    assert len(sent.content) <= 4096
    told = browser.read(sent.content)
    assert told["title"] == "Sperrung: Wagnergasse"
    assert (told["page"], told["lang"]) == ("/ogc/v1/x?f=html", "de")
    assert told["body"].startswith("öö")
    # RFC 8292: signed by the key that the browser was given, for this service alone
    scheme, token, key = sent.headers["Authorization"].replace(",", " ").split()
    assert (scheme, key) == ("vapid", f"k={public_key(config)}")
    known = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw_of(public_key(config)))
    service_of = "https://updates.push.services.mozilla.com"
    claims = jwt.decode(token.removeprefix("t="), known, algorithms=["ES256"], audience=service_of)
    assert claims["sub"].startswith(("mailto:", "https:"))
    assert 0 < claims["exp"] - timezone.now().timestamp() <= 24 * 3600
    assert (sent.headers["Content-Encoding"], sent.headers["Urgency"]) == ("aes128gcm", "normal")
    assert len(sent.headers["Topic"]) <= 32


def test_the_browser_of_these_tests_reads_the_example_of_rfc_8291() -> None:
    number = int.from_bytes(raw_of("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
    browser = FakeBrowser(ec.derive_private_key(number, ec.SECP256R1()), raw_of("BTBZMqHH6r4Tts7J_aSIgg"))
    body = raw_of(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert browser.decrypt(body) == b"When I grow up, I want to be a watermelon"


def test_a_browser_that_is_reached_elsewhere_stays_subscribed(config, monkeypatch) -> None:
    before, after = FakeBrowser(), FakeBrowser()
    after.said["endpoint"] = f"{ENDPOINT}-other"
    subscribe(before, "kind=features")
    moved = Client(enforce_csrf_checks=True).post("/subscriptions/push/move/", {**after.said, "before": ENDPOINT})
    assert moved.status_code == 204
    write(monkeypatch, text={"de": "Hier"})
    service = Service()
    assert post(config, service) == 1
    assert str(service.taken[0].url) == after.said["endpoint"]
    assert after.read(service.taken[0].content)["body"].startswith("Hier")
    # again, with what nobody knows, and with what no browser sends
    assert Client().post("/subscriptions/push/move/", {**after.said, "before": ENDPOINT}).status_code == 404
    wrong = {**after.said, "endpoint": "https://evil.example/x", "before": after.said["endpoint"]}
    assert Client().post("/subscriptions/push/move/", wrong).status_code == 422
    # where both are known they become one
    subscribe(before, "kind=features")
    subscribe(before, "kind=alerts")
    assert Client().post("/subscriptions/push/move/", {**after.said, "before": ENDPOINT}).status_code == 204
    assert (Subscriber.objects.count(), Subscription.objects.count()) == (1, 2)


def test_every_message_has_a_key_of_its_own(config) -> None:
    browser = FakeBrowser()
    read = read_browser(**browser.said, config=config)
    assert encrypt(b"{}", read)[:100] != encrypt(b"{}", read)[:100]


def test_the_houses_key_is_made_once_and_read_by_the_house_alone(config) -> None:
    first = public_key(config)
    assert public_key(config) == first
    assert stat.S_IMODE((config.home / "push_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(config, monkeypatch, status: int) -> None:
    subscribe(FakeBrowser())
    write(monkeypatch)
    assert post(config, Service(status)) == 0
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("status", [429, 500, 301])
def test_a_service_that_is_busy_is_asked_again_later(config, monkeypatch, status: int) -> None:
    subscribe(FakeBrowser())
    write(monkeypatch)
    service = Service(status)
    assert (post(config, service), post(config, service)) == (0, 0)
    Letter.objects.update(due=timezone.now())
    assert post(config, service) == 1
    assert service.taken[0].headers["Topic"] == service.taken[1].headers["Topic"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://updates.push.services.mozilla.com/x"}, {"endpoint": "https://evil.example/x"},
        {"endpoint": "https://127.0.0.1/x"}, {"endpoint": "https://[::1]/x"}, {"endpoint": "https://localhost/x"},
        {"endpoint": "https://a@fcm.googleapis.com/x"}, {"endpoint": "https://fcm.googleapis.com:8443/x"},
        {"endpoint": "https://fcm.googleapis.com.evil.example/x"}, {"endpoint": "https://fcm.googleapis.com:x/"},
        {"endpoint": ""}, {"p256dh": "AAAA"}, {"p256dh": text_of(b"\4" + b"1" * 64)}, {"auth": "AAAA"},
        {"auth": "ä"},
    ],
)  # fmt: skip
def test_what_no_browser_sends_is_refused(config, wrong: dict[str, str]) -> None:
    answer = subscribe(FakeBrowser(), **wrong)
    assert answer.status_code == 422
    assert not Subscriber.objects.exists()


def test_an_operator_who_allows_all_still_allows_no_address_of_the_houses_own_network(config, monkeypatch) -> None:
    config = replace(config, push_hosts=("*",))
    assert is_allowed("push.city.example", config.push_hosts)
    for host in ("127.0.0.1", "10.0.0.1", "[::1]", "localhost", "metadata"):
        assert not is_allowed(host, config.push_hosts)
    monkeypatch.setattr(
        "allmende.connectors.network.getaddrinfo", lambda host, port, **_: [(0, 0, 0, "", ("127.0.0.1", port))]
    )
    browser = FakeBrowser()
    browser.said["endpoint"] = "https://push.city.example/x"  # its name leads to the machine itself
    with pytest.raises(InvalidInput):
        read_browser(**browser.said, config=replace(config, push_hosts=()))
    from allmende.web.subscriptions.asking import Wishes, subscribe_browser
    from allmende.web.subscriptions.selection import Selection

    subscribe_browser(browser.said["endpoint"], json.dumps(browser.said), Selection(), Wishes(), config)
    write(monkeypatch)
    assert Post(PushWay(config), open_profile, config).hand_over() == 0
    assert Letter.objects.get().error == "the push service could not be asked: ConnectError"


def test_one_browser_is_one_subscriber_and_finds_its_list_by_its_endpoint(config) -> None:
    browser = FakeBrowser()
    mine = subscribe(browser, "street=Gasse").json()["mine"]
    subscribe(browser, "street=Gasse")
    subscribe(browser, "street=Weg")
    assert (Subscriber.objects.count(), Subscription.objects.count()) == (1, 2)
    found = Client().post("/subscriptions/push/mine/", {"endpoint": ENDPOINT}).json()["mine"]
    assert found.split("/")[3].split(":")[0] == mine.split("/")[3].split(":")[0]
    assert Client().post("/subscriptions/push/mine/", {"endpoint": "https://other"}).json() == {"mine": ""}


def test_a_browser_is_asked_once_a_year_too(config) -> None:
    browser, service = FakeBrowser(), Service()
    subscribe(browser)
    tidy(timezone.now() + timedelta(days=DAYS) - REMIND / 2, config)
    Letter.objects.update(due=timezone.now())
    assert post(config, service) == 1
    page = browser.read(service.taken[0].content)["page"]
    assert page.startswith("/subscriptions/renew/")
    assert Client().post(page).status_code == 302


def test_a_page_elsewhere_cannot_subscribe_a_browser(config) -> None:
    browser = FakeBrowser()
    assert Client(enforce_csrf_checks=True).post("/subscriptions/push/", browser.said).status_code == 403


def test_the_worker_looks_after_its_own_pages_alone(config) -> None:
    answer = Client().get("/subscriptions/worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "Service-Worker-Allowed" not in answer
    assert b"'fetch'" not in answer.content
    page = Client().get("/subscriptions/new/").content.decode()
    assert f'data-key="{public_key(config)}"' in page
    assert 'data-scope="/subscriptions/"' in page
