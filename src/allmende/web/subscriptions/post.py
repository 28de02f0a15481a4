"""Hands letters over, at least once: a letter is marked as sent when somebody took it. What was taken just before the
machine died goes again, with the same Message-ID.

What everybody may not know of any more is not sent, however long it has been waiting.
"""

import smtplib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.core import mail
from django.db import transaction
from django.utils import timezone

from allmende.domain.profile import Profile
from allmende.web.config import Config
from allmende.web.observability.metrics import SUBSCRIPTION_LETTERS
from allmende.web.subscriptions.ledger import is_public
from allmende.web.subscriptions.letters import make_mail
from allmende.web.subscriptions.models import MAIL, Letter, Subscriber
from allmende.web.worker.pauses import pause_after

_MOST = 500
_TOGETHER = 30
"""News in one letter at most."""
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0

log = structlog.get_logger("allmende.subscriptions")


class Refused(Exception):
    """The other side does not take it. ``final``: it will not take anything for this subscriber."""

    def __init__(self, reason: str, *, final: bool = False, gone: bool = False) -> None:
        super().__init__(reason)
        self.final = final
        self.gone = gone
        """There is no such subscriber any more: no second try is needed to know."""


class Way(Protocol):
    """How letters go."""

    name: str

    def is_open(self) -> bool:
        """Whether the operator has set it up."""

    def send(self, letters: Sequence[Letter], profile: Profile) -> None:
        """Hand over as one. Raises Refused where the other side does not take it, OSError where it is away."""

    def close(self) -> None:
        """Called after each round."""


class MailWay:
    """By the house's mail server; one connection for all letters of a round."""

    name = MAIL

    def __init__(self, config: Config) -> None:
        self._config = config
        self._connection: Any = None

    def is_open(self) -> bool:
        """See Way."""
        return bool(self._config.mail_url)

    def send(self, letters: Sequence[Letter], profile: Profile) -> None:
        """See Way."""
        if self._connection is None:
            self._connection = mail.get_connection()
            self._connection.open()
        made = make_mail(letters, profile, self._config, self._connection)
        try:
            made.send()
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _words in error.recipients.values()), default=550)
            raise Refused(f"the recipient was refused: {code}", final=code >= 500) from None
        except smtplib.SMTPDataError as error:
            raise Refused(f"the mail was refused: {error.smtp_code}") from None

    def close(self) -> None:
        """See Way."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Post:
    """Hands over what is due on one way. Used by one thread."""

    def __init__(
        self, way: Way, profile: Callable[[], Profile], config: Config, clock: Callable[[], datetime] = timezone.now
    ) -> None:
        self._way = way
        self._profile = profile
        self._config = config
        self._clock = clock
        self._failures = 0
        self._not_before: datetime | None = None

    def hand_over(self) -> int:
        """Hand over what is due; gives how many letters were taken. One that is away is left alone for a while."""
        now = self._clock()
        if not self._way.is_open() or (self._not_before is not None and now < self._not_before):
            return 0
        profile, done = self._profile(), 0
        try:
            for parcel in self._parcels(now):
                letters = [letter for letter in parcel if self._is_current(letter, profile)]
                if not letters:
                    continue
                try:
                    self._way.send(letters, profile)
                except Refused as refusal:
                    self._refuse(letters, refusal, now)
                except OSError:
                    self._count("failed", len(letters))
                    raise
                else:
                    self._settle(letters)
                    done += len(letters)
        except OSError as error:  # smtplib's are OSErrors
            self._failures += 1
            self._not_before = now + timedelta(seconds=self._pause(self._failures))
            log.warning("letters could not be handed over", way=self._way.name, error=type(error).__name__)
            self._give_up_old(now)
        finally:
            self._way.close()
        if done:
            log.info("letters were handed over", way=self._way.name, letters=done)  # to whom is nobody's business
        return done

    def _parcels(self, now: datetime) -> Iterable[list[Letter]]:
        """Letters that go as one, those that have waited longest first. What was put together once stays so."""
        waiting = Letter.objects.filter(sent__isnull=True, given_up__isnull=True, due__lte=now)
        rows = waiting.filter(subscriber__way=self._way.name).order_by("attempts", "due", "id")
        found: dict[Any, list[Letter]] = {}
        for letter in rows.select_related("subscriber", "subscription", "happened")[:_MOST]:
            fresh = ("news", letter.subscriber_id) if letter.kind == Letter.NEWS else ("own", letter.pk)
            found.setdefault(("parcel", letter.parcel) if letter.parcel else fresh, []).append(letter)
        for letters in found.values():
            for place in range(0, len(letters), _TOGETHER):
                several = letters[place : place + _TOGETHER]
                name = several[0].parcel or f"{several[0].subscriber_id}.{min(letter.pk for letter in several)}"
                Letter.objects.filter(pk__in=[letter.pk for letter in several], parcel="").update(parcel=name)
                for letter in several:
                    letter.parcel = name
                yield several

    def _is_current(self, letter: Letter, profile: Profile) -> bool:
        """Whether it may and need be told; what need not is dropped."""
        if letter.happened is None:
            return True
        later = Letter.objects.filter(
            subscriber=letter.subscriber_id, happened=letter.happened_id, stage__gt=letter.stage, sent__isnull=True
        )
        if is_public(profile, letter.happened) and not later.exists():
            return True
        letter.delete()
        return False

    def _settle(self, letters: Sequence[Letter]) -> None:
        self._failures = 0
        self._count("sent", len(letters))
        with transaction.atomic():
            Letter.objects.filter(pk__in=[each.pk for each in letters]).update(sent=self._clock(), error="")
            Subscriber.objects.filter(pk=letters[0].subscriber_id, refusals__gt=0).update(refusals=0)

    def _refuse(self, letters: Sequence[Letter], refusal: Refused, now: datetime) -> None:
        subscriber = Subscriber.objects.filter(pk=letters[0].subscriber_id).first()
        if subscriber is None:
            return
        if refusal.final:
            subscriber.refusals += 1
            never = subscriber.confirmed is None  # an address that was mistyped
            if refusal.gone or never or subscriber.refusals >= self._config.subscription_refusals:
                subscriber.delete()
                self._count("unreachable", len(letters))
                log.info("a subscriber who cannot be reached was deleted", way=self._way.name)
                return
            subscriber.save(update_fields=["refusals"])
        for letter in letters:
            letter.attempts += 1
            letter.error = str(refusal)[:300]
            letter.due = now + timedelta(seconds=self._pause(letter.attempts))
            over = now - letter.made > self._patience
            if over:
                letter.given_up = now
            self._count("given_up" if over else "failed", 1)
            letter.save(update_fields=["attempts", "error", "due", "given_up"])

    @property
    def _patience(self) -> timedelta:
        return timedelta(hours=self._config.subscription_patience)

    def _give_up_old(self, now: datetime) -> None:
        """News of the day before yesterday are none."""
        old = Letter.objects.filter(sent__isnull=True, given_up__isnull=True, due__lt=now - self._patience)
        number = old.filter(subscriber__way=self._way.name).update(given_up=now, error="nobody took it in time")
        self._count("given_up", number)

    def _count(self, fate: str, letters: int) -> None:
        SUBSCRIPTION_LETTERS.labels(self._way.name, fate).inc(letters)

    @staticmethod
    def _pause(failures: int) -> float:
        return pause_after(failures, _FIRST_PAUSE, longest=_LONGEST_PAUSE)
