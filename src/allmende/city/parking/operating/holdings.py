"""What is held of those who operate: their names beside what they decided."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from allmende.city.parking.operating.paperwork import KINDS
from allmende.domain.holdings import Kept, Named, Subject, Wishes, register

_BY = ("made_by", "ended_by")


class Operated:
    """Decisions on car parks. See :class:`allmende.domain.holdings.Holding`."""

    named = Named(
        place="parking",
        title=_("Decisions on car parks"),
        fate=_("the decision stays with the city, the name goes"),
        order=20,
        fields={model._meta.label_lower: _BY for model in KINDS.values()},
        sections=("Decisions on car parks",),
    )

    def count(self, subject: Subject) -> int:
        """See Holding."""
        return sum(rows.count() for _kind, rows in self._rows(subject))

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """See Holding."""
        columns = ("pk", "start", "until", "reason", "made", "ended")
        return [{"kind": kind, **row} for kind, rows in self._rows(subject) for row in rows.values(*columns)]

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding: none."""
        return ()

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        if subject.user is not None:
            for model in KINDS.values():
                for column in _BY:
                    model._default_manager.filter(**{column: subject.user}).update(**{column: None})
        return []

    def _rows(self, subject: Subject) -> Iterator[tuple[str, Any]]:
        if subject.user is None:
            return
        for kind, model in KINDS.items():
            which = Q(made_by=subject.user) | Q(ended_by=subject.user)
            yield kind, model._default_manager.filter(which).order_by("pk")


def register_all() -> None:
    """Those of this service."""
    register(Operated())
