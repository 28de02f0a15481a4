"""What is held of somebody in notes of reads that are not in the audit log yet."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.reads.models import ReadNote


class Reads(Rows):
    """By the names of the person and their tokens."""

    def rows(self, subject: Subject) -> models.QuerySet[ReadNote]:
        """Those of the person."""
        return ReadNote.objects.filter(reader__in=subject.actors)

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding: who received what is not open is told under another name."""
        for place, each in enumerate(self.rows(subject).order_by("pk"), 1):
            ReadNote.objects.filter(pk=each.pk).update(reader=f"{wishes.pseudonym}.{place}")
        return []


def register_all() -> None:
    """Those of this app."""
    register(
        Reads(
            ReadNote, place="reads", title=_("Reads of what is not open, in the last hours"),
            fate=_("stays under another name"), order=85, by=(), also=("reader",), erasure="unname",
            told=("dataset", "hour", "answers", "conditions"), sections=("Reads of what is not open",),
        )
    )  # fmt: skip
