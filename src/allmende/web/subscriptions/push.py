"""Messages of the browser: handed to its push service (RFC 8030), readable by the browser alone (RFC 8291), signed by
the house (RFC 8292, VAPID)."""

import base64
import binascii
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address
from urllib.parse import urlsplit

import http_ece
import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils.translation import gettext as _
from django.utils.translation import override
from py_vapid import Vapid02

from allmende.connectors.fetching import USER_AGENT
from allmende.connectors.network import Guard, GuardedTransport
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Profile
from allmende.web.config import Config
from allmende.web.secrets import kept_secret
from allmende.web.subscriptions.ledger import read_body
from allmende.web.subscriptions.letters import digest_of, words_of
from allmende.web.subscriptions.links import path
from allmende.web.subscriptions.models import PUSH, Letter
from allmende.web.subscriptions.post import Refused
from allmende.web.subscriptions.sealing import unseal

_SECONDS = 15.0
_KEPT_SECONDS = 86_400
"""For how long a push service keeps a message for a browser that is not there."""
_SIGNED_SECONDS = 12 * 3600
_LONGEST = 2000
"""Bytes of a message: what is encrypted has to fit into 4096 (RFC 8291, 4), and services add to it."""


class Browser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a browser is reached; ``p256dh`` and ``auth`` are base64url."""

    endpoint: str
    p256dh: str
    auth: str


def read_browser(endpoint: str, p256dh: str, auth: str, config: Config) -> Browser:
    """What a browser's page sent; raises InvalidInput that names what is wrong. No host is asked."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise InvalidInput("is no address", where="endpoint") from None
    host = (parts.hostname or "").lower()
    plain = parts.scheme == "https" and host and port in (None, 443) and not parts.username and len(endpoint) <= 2000
    if not plain or not is_allowed(host, config.push_hosts):
        raise InvalidInput("is no push service that is known here", where="endpoint")
    key, secret = _bytes(p256dh, "p256dh"), _bytes(auth, "auth")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        raise InvalidInput("is no key", where="p256dh") from None
    if len(key) != 65 or len(secret) != 16:
        raise InvalidInput("has another length", where="auth")
    return Browser(endpoint, p256dh, auth)


def is_allowed(host: str, patterns: Sequence[str]) -> bool:
    """Whether a host is one of those that the operator lets be asked; numbers are none."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return "." in host and any(fnmatchcase(host, pattern) for pattern in patterns)
    return False


def house_key(config: Config) -> ec.EllipticCurvePrivateKey:
    """The house's own key, made once and kept in the home. With another one all browsers have to subscribe anew."""
    text = kept_secret(config.home, "push_key", make=_make_key)
    number = int.from_bytes(_bytes(text, "push_key"))
    return ec.derive_private_key(number, ec.SECP256R1())


def _make_key() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32)).decode()


def public_key(config: Config) -> str:
    """The public half as browsers take it: an uncompressed point in base64url."""
    point = house_key(config).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def encrypt(text: bytes, browser: Browser) -> bytes:
    """One record of ``aes128gcm`` (RFC 8188), with a key that is made for this message alone."""
    encrypted: bytes = http_ece.encrypt(
        text,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_bytes(browser.p256dh, "p256dh"),
        auth_secret=_bytes(browser.auth, "auth"),
        version="aes128gcm",
    )
    return encrypted


class PushWay:
    """By the browsers' push services. Only public addresses are asked, over TLS, and no redirect is followed."""

    name = PUSH

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None) -> None:
        """``transport`` instead of the guarded one."""
        self._config = config
        self._transport = transport

    def is_open(self) -> bool:
        """See Way."""
        return bool(self._config.push_hosts)

    def send(self, letters: Sequence[Letter], profile: Profile) -> None:
        """See Way. That one service is away keeps no other waiting: then it is refused for now."""
        browser = msgspec.json.decode(unseal(letters[0].subscriber.sealed), type=Browser)
        parts = urlsplit(browser.endpoint)
        if not is_allowed(parts.hostname or "", self._config.push_hosts):
            raise Refused("the push service is not allowed any more", final=True)
        urgent = any(letter.happened is not None and read_body(letter.happened).urgent for letter in letters)
        headers = {
            "User-Agent": USER_AGENT,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_KEPT_SECONDS),
            "Urgency": "high" if urgent else "normal",
            "Topic": digest_of(letters),  # what goes again takes the place of what waits there
            **self._sign(f"https://{parts.hostname}"),
        }
        status = self._call(browser.endpoint, encrypt(message_of(letters, profile), browser), headers)
        if status in (404, 410):
            raise Refused(f"the browser is gone: HTTP {status}", final=True, gone=True)
        if not 200 <= status < 300:
            raise Refused(f"the push service answered with HTTP {status}", final=status in (400, 401, 403))

    def close(self) -> None:
        """See Way: nothing is kept open."""

    def _sign(self, audience: str) -> dict[str, str]:
        root = self._config.public_url.rstrip("/")
        contact = f"mailto:{self._config.mail_from}" if self._config.mail_from else root
        until = int(time.time()) + _SIGNED_SECONDS
        claims = {"aud": audience, "exp": until, "sub": contact or "mailto:allmende@localhost"}
        signed: dict[str, str] = Vapid02(house_key(self._config), conf={"no-strict": True}).sign(claims)
        return signed

    def _call(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        guard = Guard(public_only=True)
        guard.home = urlsplit(url).hostname or ""
        guard.until = time.monotonic() + _SECONDS
        transport = self._transport or GuardedTransport(guard)
        try:
            with (
                httpx.Client(transport=transport, timeout=_SECONDS, headers=headers) as client,
                client.stream("POST", url, content=body) as answer,
            ):
                return answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # the address is a secret, and stands in some of httpx's words
            raise Refused(f"the push service could not be asked: {type(error).__name__}") from None


def message_of(letters: Sequence[Letter], profile: Profile) -> bytes:
    """What the browser shows, as JSON: ``title``, ``body``, ``tag``, ``lang``, and ``page`` to be opened."""
    subscriber = letters[0].subscriber
    page = path("renew" if letters[0].kind == Letter.RENEW else "mine", subscriber.pk, subscriber.key)
    with override(subscriber.language):
        title, text = words_of(letters, profile)
        if letters[0].kind == Letter.RENEW:
            text = _("Otherwise they end, and we delete what we know of this browser.")
    happened = [letter.happened for letter in letters if letter.happened is not None]
    if len(happened) == 1:
        page = read_body(happened[0]).page or page
        text = text.partition("\n")[2]  # the title says what its first line says
        text = "\n".join(line for line in text.splitlines() if page not in line)
    elif happened:
        text = "\n".join(block.partition("\n")[0] for block in text.split("\n\n– – –\n\n"))
    said = {
        "title": title[:150],
        "body": text.strip().encode()[:_LONGEST].decode("utf-8", "ignore"),
        "tag": digest_of(letters),
        "lang": subscriber.language.partition("-")[0],
        "page": page,
    }
    return msgspec.json.encode(said)


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text[:200] + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise InvalidInput("is no base64url", where=where) from None
