"""What is held of those who enter tariffs: their names beside the steps that they took."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from allmende.city.parking.pricing.models import EnteredTariff
from allmende.domain.holdings import Kept, Named, Subject, Wishes, register

_BY = ("made_by", "proposed_by", "settled_by")


class Priced:
    """Tariffs that were entered here. See :class:`allmende.domain.holdings.Holding`."""

    named = Named(
        place="parking-tariffs",
        title=_("Tariffs of parking"),
        fate=_("the tariff stays with the city, the name goes"),
        order=21,
        fields={EnteredTariff._meta.label_lower: _BY},
        sections=("Tariffs of parking",),
    )

    def count(self, subject: Subject) -> int:
        """See Holding."""
        return self._rows(subject).count()

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """See Holding."""
        return list(self._rows(subject).values("pk", "plan", "valid_from", "state", "made", "changed"))

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding: none."""
        return ()

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        if subject.user is not None:
            for column in _BY:
                EnteredTariff.objects.filter(**{column: subject.user}).update(**{column: None})
        return []

    def _rows(self, subject: Subject) -> Any:
        if subject.user is None:
            return EnteredTariff.objects.none()
        mine = Q(made_by=subject.user) | Q(proposed_by=subject.user) | Q(settled_by=subject.user)
        return EnteredTariff.objects.filter(mine).order_by("pk")


def register_all() -> None:
    """Those of this part."""
    register(Priced())
