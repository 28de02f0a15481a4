"""What is held of somebody in orders of files."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.downloads.models import Order
from allmende.web.downloads.orders import forget


class Orders(Rows):
    """With their files. An order without an account leads to nobody."""

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        for order in self.rows(subject):
            forget(order)
        return []


def register_all() -> None:
    """Those of this app."""
    register(
        Orders(
            Order, place="orders", title=_("Orders of files"), fate=_("is deleted, with the files"), order=30,
            by=("user",), also=("token", "client", "selection"), sections=("Orders of files",), erasure="delete",
            told=("dataset", "selection", "format", "state", "token", "asked", "over", "rows", "size"),
        )
    )  # fmt: skip
