"""Tells whoever is responsible that a source is in trouble, once, and that it is over, once.

At least once: a mail that was handed over just before the machine died goes again, with the same Message-ID.
"""

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
from allmende.web.worker.watch import Teller

PATIENCE = 2 * MINUTE
"""What is over again by then is not worth a mail, though the page shows it."""
_MOST = 50
_SECONDS = 20.0

log = structlog.get_logger("allmende.watch")


class Notices(Teller):
    """By mail to the responsible and by a POST to the webhook, where they are set. What cannot be told now is told
    later, with longer and longer pauses."""

    def __init__(self, profile: Callable[[], Profile], config: Config) -> None:
        self._profile = profile
        self._config = config
        self._failures = 0
        self._not_before = 0.0

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
            log.warning("a trouble could not be told", error=f"{type(error).__name__}: {error}")

    def _send(self, trouble: Trouble, state: str) -> None:
        profile = self._profile()
        source = profile.sources.get(trouble.source)
        id_ = f"{trouble.pk}.{state}"
        with translation.override(profile.languages[0]):
            title = say_title(profile, trouble, over=state == "over")
            text = say_trouble(trouble.kind, trouble.finding)
        address = f"{(self._config.public_url or self._config.url).rstrip('/')}/sources/#source-{trouble.source}"
        to = (source.responsible if source else "") or self._config.responsible
        if to and self._config.mail_url:
            sender = self._config.mail_from or None
            mail = EmailMessage(
                subject=title,
                body=f"{text}\n\n{address}\n",
                from_email=formataddr((profile.name, sender)) if sender else None,
                to=[to],
                headers={"Message-ID": f"<trouble.{id_}@{profile.id}.allmende.invalid>"},
            )
            mail.send()
        if self._config.trouble_webhook:
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
