"""A holding that is the rows of one table with a column for the person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from django.db import models

from allmende.domain.holdings import Kept, Named, Subject, Wishes


class Rows:
    """Rows whose column ``by`` is the person's account. See :class:`allmende.domain.holdings.Holding`."""

    def __init__(
        self,
        model: type[models.Model],
        *,
        place: str,
        title: Any,
        fate: Any,
        order: int,
        by: Sequence[str],
        told: Sequence[str],
        also: Sequence[str] = (),
        sections: Sequence[str],
        erasure: Literal["delete", "unname"],
    ) -> None:
        """``by`` are keys to accounts; ``told`` the columns of an access, ``also`` further ones that tell of the
        person. ``unname`` empties ``by`` and keeps the rows."""
        self.model, self.by, self.told, self.erasure = model, tuple(by), tuple(told), erasure
        fields = {model._meta.label_lower: (*by, *also)}
        self.named = Named(place=place, title=title, fate=fate, order=order, fields=fields, sections=tuple(sections))

    def rows(self, subject: Subject) -> models.QuerySet[Any]:
        """Those of the person."""
        if subject.user is None:
            return self.model._default_manager.none()
        which = models.Q()
        for column in self.by:
            which |= models.Q(**{column: subject.user})
        return self.model._default_manager.filter(which)

    def count(self, subject: Subject) -> int:
        """See Holding."""
        return self.rows(subject).count()

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """See Holding."""
        return list(self.rows(subject).order_by("pk").values(*self.told))

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding: none."""
        return ()

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        if self.erasure == "delete":
            self.rows(subject).delete()
        elif subject.user is not None:
            for column in self.by:
                self.model._default_manager.filter(**{column: subject.user}).update(**{column: None})
        return []
