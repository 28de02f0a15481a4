"""What is held of somebody in grants."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import RECIPIENTS, Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.grants.models import KEPT_DAYS, Grant


class Received(Rows):
    """Grants to the person, and those that they decided on."""

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """See Holding. Who else decided, or received, is left out."""
        received = models.When(user=subject.user, then=models.Value("received"))
        own = models.Case(received, default=models.Value("decided"))
        found = self.rows(subject).annotate(how=own).order_by("pk")
        return list(found.values("how", "dataset", "purpose", "at", "until", "withdrawn"))

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding: that somebody received it, for what and until when is kept without their name."""
        if subject.user is None:
            return []
        kept = []
        for each in Grant.objects.filter(user=subject.user).order_by("pk"):
            end = min(each.until, each.withdrawn.date()) if each.withdrawn else each.until
            kept.append(
                Kept(
                    place="grants",
                    what=f"dataset:{each.dataset}, {each.at:%Y-%m-%d} – {end:%Y-%m-%d}: {each.purpose}",
                    why=RECIPIENTS,
                    until=end + timedelta(days=KEPT_DAYS),
                )
            )
            each.delete()
        Grant.objects.filter(granted_by=subject.user).update(granted_by=None)
        Grant.objects.filter(withdrawn_by=subject.user).update(withdrawn_by=None)
        return kept


def register_all() -> None:
    """Those of this app."""
    register(
        Received(
            Grant, place="grants", title=_("Access to data that are not open"), order=20,
            fate=_("what the person received is kept without their name until its time is over; their name goes"),
            by=("user", "granted_by", "withdrawn_by"), told=(), sections=("Access to data that are not open",),
            erasure="unname",
        )
    )  # fmt: skip
