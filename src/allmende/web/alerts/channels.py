"""The ways on which alerts are told: mail, webhook, Matrix. Each hands over one message, or several as one."""

import base64
import hashlib
import hmac
import smtplib
import time
from collections.abc import Sequence
from email.utils import formataddr
from typing import Any, Protocol
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import httpx
import msgspec
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import override

from allmende.connectors.fetching import USER_AGENT
from allmende.connectors.network import Guard, GuardedTransport
from allmende.domain.alerts import ChannelProfile
from allmende.domain.errors import AllmendeError, ConfigurationError
from allmende.domain.profile import Profile
from allmende.web.alerts import words
from allmende.web.alerts.events import happening
from allmende.web.alerts.links import link_to_acknowledge, page_of
from allmende.web.alerts.models import Message
from allmende.web.alerts.mqtt import as_json
from allmende.web.alerts.secrets import secret_of
from allmende.web.config import Config

_SECONDS = 15.0
_TO_ACKNOWLEDGE = ("raised", "escalated")


class Refused(AllmendeError):
    """This message was not taken; others of the channel may be."""


class Sender(Protocol):
    """A way to hand messages over."""

    def get_ready(self) -> None:
        """Load what the first message would wait for."""

    def send(self, several: Sequence[Message]) -> None:
        """Hand over as one message, whose id is the only one's or their parcel's. Raises OSError where the other side
        is away, ConfigurationError where something is not set, Refused where it does not take this one."""


def make_sender(channel: ChannelProfile, profile: Profile, config: Config) -> Sender:
    """The sender of a channel."""
    kinds = {"mail": MailSender, "webhook": WebhookSender, "matrix": MatrixSender}
    made: Sender = kinds[channel.kind](channel, profile, config)
    return made


def id_of(several: Sequence[Message]) -> str:
    """The id under which they go."""
    return several[0].parcel or several[0].id


class _Base:
    def __init__(self, channel: ChannelProfile, profile: Profile, config: Config) -> None:
        self._channel, self._profile, self._config = channel, profile, config
        self._zone = ZoneInfo(profile.time_zone)

    def get_ready(self) -> None:
        """See Sender: the words of a language take seconds to load."""
        with override(self._language()):
            words.say_severity("minor")

    def _language(self) -> str:
        return self._channel.language or self._profile.languages[0]

    def _subject(self, several: Sequence[Message]) -> str:
        if len(several) == 1 and not several[0].parcel:
            event, kind = several[0].event, several[0].kind
            said = str(words.KINDS[kind]) if kind != "raised" else words.say_severity(event.severity)
            return f"[{said}] {words.headline(event, self._language())}"
        return _("%(count)s messages of alerts from the quiet hours") % {"count": len(several)}

    def _text(self, several: Sequence[Message], *, link: bool) -> str:
        """All of them in plain text; with ``link`` each that still lasts has one by which it is acknowledged."""
        return "\n\n– – –\n\n".join(self._one(message, link=link) for message in several) + "\n"

    def _one(self, message: Message, *, link: bool) -> str:
        event, language, kind = message.event, self._language(), message.kind
        parts = [f"{words.say_severity(event.severity)}: {words.headline(event, language)}"]
        if kind == "escalated":
            parts.append(_("Nobody has acknowledged this alert yet."))
        if event.simulated:
            parts.append(_("The values are simulated."))
        if kind in words.ENDINGS:
            parts.append(str(words.ENDINGS[kind]))
        lasted = _("Since %(since)s") % {"since": words.say_time(event.since, self._zone)}
        if kind in words.ENDINGS and event.over:
            lasted += _(", until %(until)s") % {"until": words.say_time(event.over, self._zone)}
        parts.append(lasted)
        if kind in _TO_ACKNOWLEDGE:
            texts = (words.text_of(event.description, language), words.text_of(event.advice, language))
            parts += [text for text in texts if text]
        reason = event.end_reason if kind in words.ENDINGS else event.reason
        if reason:
            parts.append("\n".join([_("Why:"), *(f"- {line}" for line in words.say_why(reason, self._zone))]))
        parts.append(_("More: %(address)s") % {"address": page_of(self._config, event.id)})
        if link and kind in _TO_ACKNOWLEDGE and event.lasts:
            address = link_to_acknowledge(self._config, event.id, self._channel.id)
            parts.append(_("Acknowledge: %(address)s") % {"address": address})
        return "\n\n".join(parts)


class MailSender(_Base):
    """By mail: the house's settings say through which server."""

    def send(self, several: Sequence[Message]) -> None:
        """See Sender."""
        if not self._config.mail_url:
            raise ConfigurationError("the house sends no mail", where="ALLMENDE_MAIL_URL")
        sender = self._config.mail_from or None
        digest = hashlib.sha256(id_of(several).encode()).hexdigest()[:32]
        with override(self._language()):
            mail = EmailMessage(
                subject=" ".join(self._subject(several).split()),
                body=self._text(several, link=True),
                from_email=formataddr((self._profile.name, sender)) if sender else None,
                to=self._channel.to,
                headers={
                    "Message-ID": f"<alert.{digest}@{self._profile.id}.allmende.invalid>",
                    "X-Allmende-Message": id_of(several),
                    "Auto-Submitted": "auto-generated",  # RFC 3834: nobody is away from an alert
                },
            )
        try:
            mail.send()
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            raise Refused(f"the mail server does not take it: {type(error).__name__}") from None


class _Caller(_Base):
    """One that is asked by HTTP. Only public addresses are, but for hosts that the operator names."""

    def __init__(self, channel: ChannelProfile, profile: Profile, config: Config) -> None:
        super().__init__(channel, profile, config)
        host = urlsplit(channel.address).hostname or ""
        self._guard = Guard(public_only=host not in config.alert_private_hosts)
        self._guard.home = host
        said = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
        self._client = httpx.Client(transport=GuardedTransport(self._guard), timeout=_SECONDS, headers=said)

    def _call(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> None:
        self._guard.until = time.monotonic() + _SECONDS
        try:
            with self._client.stream(method, url, content=body, headers=headers) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The address may be a secret, and stands in some of httpx's words.
            reason = str(error) if isinstance(error, httpx.ConnectError) else ""
            raise OSError(f"{type(error).__name__} {reason}".strip()) from None
        if status in (400, 404, 405, 410, 413, 422):
            raise Refused(f"the other side does not take it: HTTP {status}")
        if not 200 <= status < 300:
            raise OSError(f"the other side answered with HTTP {status}")


class WebhookSender(_Caller):
    """A POST with JSON, signed as Standard Webhooks say: HMAC-SHA256 of ``id.timestamp.body``."""

    def send(self, several: Sequence[Message]) -> None:
        """See Sender."""
        key = secret_of(self._channel.secret)
        name = id_of(several)
        with override(self._language()):
            listed = [self._json(message) for message in several]
        said: dict[str, Any] = {"id": name, "type": "alert.digest", "alerts": listed}
        if len(several) == 1 and not several[0].parcel:
            said = {**listed[0], "id": name, "type": f"alert.{several[0].kind}"}
        body = msgspec.json.encode(said)
        stamp = str(int(time.time()))
        mark = base64.b64encode(hmac.digest(key.encode(), f"{name}.{stamp}.".encode() + body, "sha256")).decode()
        headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{mark}"}
        self._call("POST", self._channel.address, body, headers)

    def _json(self, message: Message) -> dict[str, Any]:
        language = self._language()
        return {
            "id": message.id,
            "kind": message.kind,
            **as_json(self._config, happening(message.event)),
            "headline": words.headline(message.event, language),
            "text": self._one(message, link=False),
            "simulated": message.event.simulated,
        }


class MatrixSender(_Caller):
    """A message in a room, by the client-server API (v1.11): the transaction's id makes that it comes once."""

    def send(self, several: Sequence[Message]) -> None:
        """See Sender."""
        token = secret_of(self._channel.secret)
        with override(self._language()):
            text = f"{self._subject(several)}\n\n{self._text(several, link=False)}".strip()
        transaction = hashlib.sha256(id_of(several).encode()).hexdigest()[:40]
        room = quote(self._channel.room, safe="")
        root = self._channel.address.rstrip("/")
        url = f"{root}/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}"
        body = msgspec.json.encode({"msgtype": "m.text", "body": text, "city.allmende.message": id_of(several)})
        self._call("PUT", url, body, {"Authorization": f"Bearer {token}"})
