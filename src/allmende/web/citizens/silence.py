"""Tells a giver, once, that their sensor has been silent for long; the city is not told. When it speaks again it may
fall silent again.

At least once: a mail that was handed over just before the machine died goes again, with the same Message-ID.
"""

import threading
from datetime import datetime, timedelta
from email.utils import formataddr

import structlog
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from allmende.domain.profile import Profile
from allmende.web.citizens.models import BLOCKED, OwnSensor
from allmende.web.config import Config
from allmende.web.worker.rounds import Rounds

_SECONDS = 600.0
_MOST = 50

log = structlog.get_logger("allmende.citizens")


class SilenceThread(Rounds):
    """Looks for sensors that went silent."""

    def __init__(self, profile: Profile, config: Config, stop: threading.Event) -> None:
        super().__init__("own-sensors", stop, first=_SECONDS)
        self._profile = profile
        self._config = config

    def turn(self) -> float:
        """One look; what could not be told is told at the next."""
        try:
            tell_silent(self._profile, self._config, timezone.now())
        except OSError as error:  # smtplib's are such, and name the address
            log.warning("a silent sensor could not be told", error=type(error).__name__)
        return _SECONDS


def tell_silent(profile: Profile, config: Config, now: datetime) -> int:
    """Mark sensors that have been silent for too long, on their pages, and write to givers whose address is confirmed.

    Gives how many were marked. One that never spoke is not silent: its giver knows. Raises OSError where mail cannot
    be handed over; the rest is then told the next time.
    """
    before = now - timedelta(hours=config.own_silent_hours)
    found = (
        OwnSensor.objects.filter(user__is_active=True, paused=False, told_silent=None, last_received__lt=before)
        .exclude(state=BLOCKED)
        .select_related("user")
    )
    told = 0
    for sensor in found[:_MOST]:
        _write(sensor, profile, config)
        # Only if it has not spoken meanwhile.
        told += OwnSensor.objects.filter(pk=sensor.pk, last_received=sensor.last_received).update(told_silent=now)
    return told


def _write(sensor: OwnSensor, profile: Profile, config: Config) -> None:
    address = EmailAddress.objects.filter(user=sensor.user, verified=True).order_by("-primary").first()
    if address is None or not config.mail_url or sensor.last_received is None:
        return
    page = f"{(config.public_url or config.url).rstrip('/')}{reverse('citizens:sensor', args=[sensor.pk])}"
    with override(profile.languages[0]):
        subject = _("Your sensor “%(name)s” is silent") % {"name": sensor.name}
        words = _(
            "Your sensor “%(name)s” has sent nothing for a while. Is it switched on? Has it a connection? "
            "If you want it to rest, you can pause it on its page. We write to you only once."
        ) % {"name": sensor.name}
    sender = config.mail_from or None
    mail = EmailMessage(
        subject=" ".join(subject.split()),
        body=f"{words}\n\n{page}\n",
        from_email=formataddr((profile.name, sender)) if sender else None,
        to=[address.email],
        headers={
            "Message-ID": f"<own.{sensor.handle}.{int(sensor.last_received.timestamp())}@{profile.id}.allmende.invalid>"
        },
    )
    mail.send()
