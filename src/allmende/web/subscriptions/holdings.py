"""What is held of somebody in subscriptions: they are known by their mail address."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Subject, register
from allmende.web.accounts.rows import Rows
from allmende.web.subscriptions.models import MAIL, Letter, Subscriber, Subscription
from allmende.web.subscriptions.sealing import mark_of, unseal

_SECTIONS = ("Subscriptions",)


def _marks(subject: Subject) -> list[str]:
    return [mark_of(MAIL, address) for address in subject.emails]


class Subscribers(Rows):
    """By the check number of the address. A browser that is told leads to nobody."""

    def rows(self, subject: Subject) -> models.QuerySet[Subscriber]:
        """Those of the person's addresses."""
        return Subscriber.objects.filter(mark__in=_marks(subject))

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """See Holding: with the address itself."""
        return [
            {**row, "address": unseal(sealed)}
            for row, sealed in zip(
                super().tell(subject),
                self.rows(subject).order_by("pk").values_list("sealed", flat=True),
                strict=True,
            )
        ]


class OfSubscribers(Rows):
    """What hangs on them."""

    def rows(self, subject: Subject) -> models.QuerySet[Any]:
        """Those of the person's addresses."""
        return self.model._default_manager.filter(subscriber__mark__in=_marks(subject))


def register_all() -> None:
    """Those of this app."""
    register(
        OfSubscribers(
            Letter, place="subscription-letters", title=_("News that the person was sent"), fate=_("are deleted"),
            order=48, by=(), also=("subscriber", "happened", "subscription"), told=("kind", "happened", "made", "sent"),
            sections=_SECTIONS, erasure="delete",
        ),
        OfSubscribers(
            Subscription, place="subscriptions", title=_("Subscriptions"), fate=_("are deleted"), order=49, by=(),
            also=("subscriber", "selection", "created", "confirmed"), told=("selection", "created", "confirmed"),
            sections=_SECTIONS, erasure="delete",
        ),
        Subscribers(
            Subscriber, place="subscribers", title=_("Addresses that subscribed"), fate=_("are deleted"), order=50,
            by=(), also=("sealed", "mark", "language", "rhythm", "quiet_from", "quiet_to", "urgent", "created",
                         "confirmed", "until"),
            told=("way", "language", "rhythm", "quiet_from", "quiet_to", "urgent", "created", "confirmed", "until"),
            sections=_SECTIONS, erasure="delete",
        ),
    )  # fmt: skip
