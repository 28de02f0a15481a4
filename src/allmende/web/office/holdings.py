"""What is held of somebody in drafts and releases."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import DECISIONS, Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.office.models import Revision


class Revisions(Rows):
    """The city's profile has to be explained and undone: the revisions stay, without the name."""

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        number = self.count(subject)
        super().erase(subject, wishes)
        if not number:
            return []
        return [Kept(place="revisions", what=f"revisions: {number}", why=DECISIONS)]


def register_all() -> None:
    """Those of this app."""
    register(
        Revisions(
            Revision, place="revisions", title=_("Drafts and releases"), fate=_("stays, without the name"), order=40,
            by=("author", "releaser"), sections=("Back office",), erasure="unname",
            told=("kind", "key", "number", "state", "reason", "answer", "created", "changed", "released"),
        )
    )  # fmt: skip
