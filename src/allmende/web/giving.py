"""What services give into the commons: readings that they worked out, by the way of all others."""

from collections.abc import Iterable
from functools import cache

from django.conf import settings

import allmende
from allmende.domain.batch import Receipt
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput, NotFound
from allmende.domain.ingest import ingest
from allmende.domain.profile import Profile
from allmende.domain.records import Parsed, Record
from allmende.domain.service import Service
from allmende.domain.store import Store
from allmende.web.disk import DiskFloor
from allmende.web.intake import now_micros, reading_bounds
from allmende.web.pieces import split


@cache
def _disk() -> DiskFloor:
    return DiskFloor(settings.ALLMENDE)


def find_service(name: str) -> Service:
    """A service that is switched on; raises NotFound."""
    for service in settings.SERVICES:
        if service.name == name:
            return service
    raise NotFound(f'the city has no service "{name}"')


def give(store: Store, profile: Profile, service: str, dataset: str, records: Iterable[Record]) -> Receipt:
    """See :meth:`allmende.city.house.House.give`."""
    found = find_service(service)
    if dataset not in profile.datasets:
        known = ", ".join(profile.datasets) or "none"
        raise NotFound(f'there is no dataset "{dataset}"; there are {known}')
    source = Source(
        id=found.origin,
        connector=found.name,
        dataset=dataset,
        time_zone=profile.time_zone,
        language=profile.languages[0],
        words=profile.properties,
    )
    payload = Payload(body=b"", name=found.origin, received_at=now_micros())
    told = Parsed(tuple(records), ())
    version = f"{found.app} {allmende.__version__}"
    batch = ingest(told, payload=payload, source=source, version=version, limits=reading_bounds(settings.ALLMENDE))
    if batch.rejections:
        first = batch.rejections[0]
        raise InvalidInput(f"{first.reason} (and {len(batch.rejections) - 1} more)", where=found.origin)
    _disk().check()
    total = Receipt()

    def work() -> None:
        nonlocal total
        total = Receipt()  # anew: a transaction that lost a race is run again
        for piece in split(batch):
            total.add(store.append(piece))

    store.together(work)
    return total
