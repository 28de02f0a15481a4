"""What is held of somebody in sources that they are making."""

from collections.abc import Iterable, Iterator
from functools import partial

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Kept, Subject, Wishes, register
from allmende.web.accounts.rows import Rows
from allmende.web.making.models import Making
from allmende.web.making.uploads import drop, path_of

_PIECE = 1 << 20


class Makings(Rows):
    """With the files that they brought."""

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding."""
        for making in self.rows(subject):
            path = path_of(making)
            if path.is_file():
                with path.open("rb") as file:
                    yield f"sources/{making.key}", iter(partial(file.read, _PIECE), b"")

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        for making in self.rows(subject):
            drop(making)
            making.delete()
        return []


def register_all() -> None:
    """Those of this app."""
    register(
        Makings(
            Making, place="makings", title=_("Sources that are being made"), fate=_("is deleted, with the files"),
            order=30, by=("user",), also=("name", "address"), sections=("Sources made in the browser",),
            told=("name", "address", "size", "state", "about", "created", "changed"), erasure="delete",
        )
    )  # fmt: skip
