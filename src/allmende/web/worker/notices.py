"""Tells whoever is responsible that a source is in trouble, once, and that it is over, once.

At least once: a mail that was handed over just before the machine died goes again, with the same Message-ID.
"""

import smtplib
import time
from collections.abc import Callable
from email.utils import formataddr

import httpx
import structlog
from django.core.mail import EmailMessage
from django.utils import translation

from allmende.connectors.fetching import USER_AGENT
from allmende.domain.profile import Profile
from allmende.domain.times import MINUTE, format_instant
from allmende.web.config import Config
from allmende.web.feedback.notice import tell_operator
from allmende.web.troubles import say_title, say_trouble
from allmende.web.worker.models import Trouble
from allmende.web.worker.pauses import pause_after
from allmende.web.worker.watch import HARVEST, Teller

PATIENCE = 2 * MINUTE
"""What is over again by then is not worth a mail, though the page shows it."""
_MOST = 50
_SECONDS = 20.0

log = structlog.get_logger("allmende.watch")


class Notices(Teller):
    """By mail to the responsible and by a POST to the webhook, where they are set. What cannot be told now is told
    later, with longer and longer pauses."""

    def __init__(self, profile: Callable[[], Profile], config: Config) -> None:
        """``profile`` gives the one in force now."""
        self._open_profile = profile
        self._config = config
        self._failures = 0
        self._not_before = 0.0
        self._sent: set[tuple[str, str]] = set()
        """Where only one of mail and webhook got through: what need not go that way again."""

    @property
    def _profile(self) -> Profile:
        return self._open_profile()

    def tell(self, now: int) -> None:
        """Tell what was not told yet, of sources and of people."""
        tell_operator(self._profile, self._config)
        if time.monotonic() < self._not_before:
            return
        waiting = Trouble.objects.filter(told__isnull=True, since__lte=now - PATIENCE, over__isnull=True)
        over = Trouble.objects.filter(told__isnull=False, told_over__isnull=True, over__isnull=False)
        try:
            for trouble in waiting.order_by("since")[:_MOST]:
                self._send(trouble, "begin")
                Trouble.objects.filter(pk=trouble.pk).update(told=now)
            for trouble in over.order_by("over")[:_MOST]:
                self._send(trouble, "over")
                Trouble.objects.filter(pk=trouble.pk).update(told_over=now)
            self._failures = 0
        except (OSError, httpx.HTTPError) as error:  # smtplib's errors are OSErrors
            self._failures += 1
            self._not_before = time.monotonic() + pause_after(self._failures, 60.0)
            log.warning("a trouble could not be told", error=_reason(error))

    def _send(self, trouble: Trouble, state: str) -> None:
        """By both ways, each once: a webhook that fails for days must not repeat the mail each time."""
        id_ = f"{trouble.pk}.{state}"
        failed: Exception | None = None
        for way in (self._mail, self._post):
            if (id_, way.__name__) in self._sent:
                continue
            try:
                way(trouble, state, id_)
            except (OSError, httpx.HTTPError) as error:
                failed = error
            else:
                self._sent.add((id_, way.__name__))
        if failed is not None:
            raise failed
        self._sent = {each for each in self._sent if each[0] != id_}

    def _words(self, trouble: Trouble, state: str) -> tuple[str, str, str]:
        """Title, text, and the address of the source on its page."""
        with translation.override(self._profile.languages[0]):
            title = say_title(self._profile, trouble, over=state == "over")
            text = say_trouble(trouble.kind, trouble.finding)
        root = (self._config.public_url or self._config.url).rstrip("/")
        harvest = trouble.source.removeprefix(HARVEST)
        place = f"sources/#source-{trouble.source}" if harvest == trouble.source else f"catalogues/#{harvest}"
        return title, text, f"{root}/{place}"

    def _mail(self, trouble: Trouble, state: str, id_: str) -> None:
        profile = self._profile
        source = profile.sources.get(trouble.source) or profile.harvests.get(trouble.source.removeprefix(HARVEST))
        to = (source.responsible if source else "") or self._config.responsible
        if not (to and self._config.mail_url):
            return
        title, text, address = self._words(trouble, state)
        sender = self._config.mail_from or None
        mail = EmailMessage(
            subject=title,
            body=f"{text}\n\n{address}\n",
            from_email=formataddr((self._profile.name, sender)) if sender else None,
            to=[to],
            headers={"Message-ID": f"<trouble.{id_}@{self._profile.id}.allmende.invalid>"},
        )
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            # it would be refused each time, and those after it would wait for ever
            log.warning("who is responsible gets no mail", source=trouble.source, error=type(error).__name__)

    def _post(self, trouble: Trouble, state: str, id_: str) -> None:
        if not self._config.trouble_webhook:
            return
        title, text, address = self._words(trouble, state)
        body = {
            "id": id_,
            "source": trouble.source,
            "kind": trouble.kind,
            "state": state,
            "since": format_instant(trouble.since),
            "title": title,
            "text": text,
            "address": address,
        }
        with httpx.Client(trust_env=False, timeout=_SECONDS, headers={"User-Agent": USER_AGENT}) as client:
            client.post(self._config.trouble_webhook, json=body).raise_for_status()


def _reason(error: Exception) -> str:
    """Without the webhook's address, which may be its secret."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"the webhook answered with {error.response.status_code}"
    return type(error).__name__ if isinstance(error, httpx.HTTPError) else f"{type(error).__name__}: {error}"
