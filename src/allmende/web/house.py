"""The house as a request sees it: the store, the city's profile, who asks, and the time."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from allmende.domain.catalogue import may_know
from allmende.domain.dataset import DatasetProfile
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.profile import Profile
from allmende.domain.store import DatasetRecord, Store
from allmende.web.database import make_store
from allmende.web.live import Derived, live
from allmende.web.sources import PreparedSource, prepare_sources


@cache
def open_store() -> Store:
    """The store of this process."""
    return make_store(settings.ALLMENDE)


def store_for(reader: Reader) -> Store:
    """The store for one reader's questions: what they read that is not open is noted. For those who read what is open
    alone it is the store itself."""
    if not reader.datasets:
        return open_store()
    from allmende.web.reads.noting import noting

    return noting(open_store())


def open_profile() -> Profile:
    """The city's profile as it is now: what was released in the office is in it. The same object until it changes."""
    return live().current()


@Derived
def open_sources(profile: Profile) -> dict[str, PreparedSource]:
    """The sources of the profile as it is now, ready for use."""
    return prepare_sources(profile)


def furnish(store: Store, profile: Profile) -> None:
    """Make the profile's datasets known to the store; safe to repeat at every start."""
    store.put_datasets(
        DatasetRecord(
            id=dataset.id,
            title=dataset.title,
            description=dataset.description,
            publisher=dataset.publisher,
            licence=dataset.licence,
            attribution=dataset.attribution,
            # what was withdrawn is given out no more, by whatever interface
            access=dataset.access if dataset.withdrawn is None else "protected",
            simulated=dataset.simulated,
        )
        for dataset in profile.datasets.values()
    )


class House(msgspec.Struct, frozen=True, kw_only=True):
    """What a view may use; set as ``request.house``."""

    store: Store
    profile: Profile
    reader: Reader

    @property
    def datasets(self) -> list[DatasetProfile]:
        """Those that the reader may know of."""
        return [each for each in self.profile.datasets.values() if self.knows(each)]

    def knows(self, dataset: DatasetProfile) -> bool:
        """Whether the reader may know that there is such a dataset: of one that is closed to them they hear nothing."""
        return may_know(dataset, self.reader)

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)


class HouseMiddleware:
    """Sets ``request.house``. A middleware before it may have found out who asks (``request.reader``)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Open the house and let the view answer."""
        reader = getattr(request, "reader", ANONYMOUS)
        request.house = House(store=store_for(reader), profile=open_profile(), reader=reader)  # type: ignore[attr-defined]
        timezone.activate(ZoneInfo(open_profile().time_zone))  # pages show times in the city's zone
        return self.get_response(request)
