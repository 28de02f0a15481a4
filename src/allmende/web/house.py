"""The house as a request sees it: the store, the city's profile, who asks, and the time."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from allmende.city.house import Person, Place
from allmende.domain.batch import Receipt
from allmende.domain.catalogue import may_know
from allmende.domain.dataset import DatasetProfile
from allmende.domain.policy import ANONYMOUS, Reader, house_reader
from allmende.domain.profile import Profile
from allmende.domain.records import Record
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
    """What a view may use; set as ``request.house``. Services see it as :class:`allmende.city.house.House`."""

    store: Store
    profile: Profile
    reader: Reader
    request: HttpRequest | None = None
    """Whose person may do what they may. None: nobody's, as in a job or where everybody sees the same."""
    job: str = ""
    """The name of the job that it was opened for."""

    @property
    def datasets(self) -> list[DatasetProfile]:
        """Those that the reader may know of."""
        return [each for each in self.profile.datasets.values() if self.knows(each)]

    @property
    def person(self) -> Person | None:
        """Who is logged in."""
        user = self.request.user if self.request is not None else None
        return Person(user.pk, user.get_username()) if user is not None and user.is_authenticated else None

    @property
    def frames(self) -> bool:
        """Whether pages of others may show ours in a frame."""
        return bool(settings.ALLMENDE.embed_hosts)

    def knows(self, dataset: DatasetProfile) -> bool:
        """Whether the reader may know that there is such a dataset: of one that is closed to them they hear nothing."""
        return may_know(dataset, self.reader)

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)

    def settings(self, service: str) -> dict[str, Any]:
        """See :class:`allmende.city.house.House`, as for all below."""
        from allmende.web.giving import find_service

        return {**find_service(service).settings, **self.profile.services.get(service, {})}

    def places(self, text: str, most: int = 8) -> list[Place]:
        """See there."""
        from allmende.web.maps.register import find_places

        return [Place(hit.name, hit.detail, hit.lon, hit.lat) for hit in find_places(self, text, most)]

    def may(self, deed: str, organisation: str | None = None) -> bool:
        """See there."""
        from allmende.web.accounts.roles import least_role, may

        least_role(deed)  # a word that means nothing is told to everybody
        return self.request is not None and may(self.request.user, deed, organisation)

    def note(self, action: str, subject: str = "", /, **detail: Any) -> None:
        """See there."""
        from allmende.web.accounts.audit import record

        person = self.person
        record(f"user:{person.name}" if person else self.job or self.reader.name, action, subject, **detail)

    def give(self, service: str, dataset: str, records: Iterable[Record]) -> Receipt:
        """See there."""
        from allmende.web.giving import give

        return give(open_store(), self.profile, service, dataset, records)

    def turned_away(self, deed: str, *, somewhere: bool = False) -> HttpResponse | None:
        """See there."""
        from allmende.web.accounts.roles import turned_away

        if self.request is None:
            raise PermissionDenied(deed)
        return turned_away(self.request, deed, somewhere=somewhere)

    def for_anybody(self) -> "House":
        """See there."""
        return House(store=open_store(), profile=self.profile, reader=ANONYMOUS)

    def let_frame(self, response: HttpResponse) -> HttpResponse:
        """See there."""
        from allmende.web.frames import let_frame

        return let_frame(self.request, response) if self.request is not None else response


def house_for_job(job: str) -> House:
    """The house for a service's work that nobody asked for; ``job`` is its name in logs and in the audit log."""
    return House(store=open_store(), profile=open_profile(), reader=house_reader(job), job=f"job:{job}")


class HouseMiddleware:
    """Sets ``request.house``. A middleware before it may have found out who asks (``request.reader``)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Open the house and let the view answer."""
        reader = getattr(request, "reader", ANONYMOUS)
        house = House(store=store_for(reader), profile=open_profile(), reader=reader, request=request)
        request.house = house  # type: ignore[attr-defined]
        timezone.activate(ZoneInfo(open_profile().time_zone))  # pages show times in the city's zone
        return self.get_response(request)
