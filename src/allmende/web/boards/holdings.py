"""What is held of somebody in boards."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.boards.models import PRIVATE, Board, BoardVersion


class Boards(Rows):
    """Boards: those for the person alone are deleted, the others stay without their name."""

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        self.rows(subject).filter(audience=PRIVATE).delete()
        return super().erase(subject, wishes)


def register_all() -> None:
    """Those of this app."""
    register(
        Boards(
            Board, place="boards", title=_("Dashboards"), order=55, by=("user",), also=("draft",),
            told=("handle", "audience", "draft", "version", "created", "changed", "expires"),
            fate=_("those for you alone are deleted; those that others see stay, without your name"),
            sections=("Dashboards",), erasure="unname",
        ),
        Rows(
            BoardVersion, place="board-versions", title=_("Versions of dashboards"), order=56, by=("user",),
            told=("number", "at", "note", "body"), fate=_("stay without your name"),
            sections=("Dashboards",), erasure="unname",
        ),
    )  # fmt: skip
