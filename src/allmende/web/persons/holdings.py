"""What is held of somebody in requests like these."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.persons.models import PersonRequest
from allmende.web.persons.parcels import drop


class Requests(Rows):
    """Those of the person, and those of others that they wrote down or released."""

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding: that somebody asked is kept without their name; files go at once."""
        for each in PersonRequest.objects.filter(account=subject.user) if subject.user is not None else ():
            drop(each)
            PersonRequest.objects.filter(pk=each.pk).update(about="", note="")
        return super().erase(subject, wishes)


def register_all() -> None:
    """Those of this app."""
    register(
        Requests(
            PersonRequest, place="requests", title=_("Requests like this one"), fate=_("stays, without the name"),
            order=75, by=("account", "asker", "releaser"), also=("about", "note"), erasure="unname",
            told=("kind", "state", "received", "due", "answered", "found"), sections=("Requests of persons",),
        )
    )  # fmt: skip
