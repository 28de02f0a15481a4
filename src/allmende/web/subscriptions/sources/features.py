"""Objects with a time: roadworks, closures, events, whatever open collections hold that begins and ends."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _l

from allmende.domain.catalogue import may_read
from allmende.domain.features import FeatureQuery, KeptCollection, KeptFeature
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import DAY
from allmende.web.subscriptions.happening import Happening, State, Texts
from allmende.web.subscriptions.models import Happened
from allmende.web.subscriptions.sources.datasets import in_all

_PAGE = 1000
_BACK = 90 * DAY
"""What ended longer ago is not read."""
TYPES = {
    "MaintenanceWorks": _l("Road maintenance"),
    "ConstructionWorks": _l("Construction works"),
    "Roadworks": _l("Roadworks"),
    "RoadOrCarriagewayOrLaneManagement": _l("Road closed or narrowed"),
    "ReroutingManagement": _l("Diversion"),
    "SpeedManagement": _l("Speed limit"),
    "PublicEvent": _l("Event"),
    "Accident": _l("Accident"),
    "AbnormalTraffic": _l("Traffic jam"),
    "VehicleObstruction": _l("Vehicle in the way"),
    "GeneralObstruction": _l("Obstacle"),
    "InfrastructureDamageObstruction": _l("Damage to the road"),
    "EnvironmentalObstruction": _l("Obstacle by weather or nature"),
    "PoorEnvironmentConditions": _l("Bad weather on the road"),
    "WeatherRelatedRoadConditions": _l("Slippery or wet road"),
    "TransitInformation": _l("Public transport"),
    "work-zone": _l("Roadworks"),
    "detour": _l("Diversion"),
}
"""Types of DATEX II and of WZDx, in words that people use."""
_NAMES = ("title", "name", "headline", "event_name", "bezeichnung", "titel")
_TEXTS = ("comment", "description", "beschreibung", "text", "hinweis")
_PLACES = ("roads", "road_names", "street", "strasse", "straße", "address", "adresse", "location", "ort")
_LONGEST = 1000


class Features:
    """Reads the collections in which something has a time."""

    name = "features"

    def __init__(self) -> None:
        self._seen: dict[str, int | None] = {}
        """When each collection had last changed by the time that all of it was noted; by this process's one reader."""
        self._read: dict[str, int | None] = {}

    def settle(self) -> None:
        """See Reading."""
        self._seen, self._read = self._read, {}

    def read(self, profile: Profile, store: Store, after: int, now: int) -> Iterable[Happening]:
        """See Reading. At most ``ALLMENDE_SUBSCRIPTION_FEATURES`` objects of a collection are read."""
        self._read = {}
        for collection in store.collections(ANONYMOUS):
            dataset = profile.datasets.get(collection.dataset)
            timed = collection.first is not None or collection.last is not None
            if not timed or dataset is None or dataset.simulated:
                continue
            self._read[collection.id] = collection.changed_at
            if collection.id in self._seen and self._seen[collection.id] == collection.changed_at:
                continue
            # one that was opened to all now is older than what was read before
            known = Happened.objects.filter(id__startswith=f"features:{collection.id}:").exists()
            for row in _rows(store, collection.id, now):
                if not known or max(row.since, row.gone_at or 0) > after:
                    yield _happening(row, collection, profile.languages[0])

    def is_public(self, profile: Profile, happened: Happened) -> bool:
        """See Reading."""
        dataset = profile.datasets.get(happened.dataset)
        return dataset is not None and not dataset.simulated and may_read(dataset, ANONYMOUS)


def _rows(store: Store, collection: str, now: int) -> Iterable[KeptFeature]:
    left, after = settings.ALLMENDE.subscription_features, None
    while left > 0:
        question = FeatureQuery(
            collection=collection, reader=ANONYMOUS, start=now - _BACK, gone=True, after=after, top=min(_PAGE, left)
        )
        page = store.features(question)
        yield from (row for row in page.items if row.valid_from is not None or row.valid_to is not None)
        left, after = left - len(page.items), page.next
        if after is None:
            return


def _happening(row: KeptFeature, collection: KeptCollection, language: str) -> Happening:
    said: dict[str, Any] = msgspec.json.decode(row.properties)
    state, until = _state(row)
    address = " · ".join(_told(said, _PLACES))
    texts = [text for text in _told(said, _TEXTS) if text]
    return Happening(
        id=f"features:{collection.id}:{row.id}",
        title=_title(said, collection.title, address),
        text={language: texts[0][:_LONGEST]} if texts else {},
        changed=max(row.since, row.gone_at or 0),
        since=row.first_seen if row.valid_from is None else row.valid_from,
        until=until,
        state=state,
        dataset=collection.dataset,
        collection=collection.id,
        place=None if row.geometry is None else msgspec.json.decode(row.geometry),
        address=address,
        page=f"/ogc/v1/collections/{quote(collection.id, safe=':~')}/items/{quote(row.id, safe='')}?f=html",
    )


def _state(row: KeptFeature) -> tuple[State, int | None]:
    """What left its source before its time is cancelled, or over where no time was said."""
    if row.gone_at is None:
        return "on", row.valid_to
    if row.valid_to is not None and row.gone_at >= row.valid_to:
        return "on", row.valid_to
    begun = row.valid_from is None or row.valid_from <= row.gone_at
    if row.valid_to is None and begun:
        return "over", row.gone_at
    return "cancelled", row.gone_at if begun else row.valid_to


def _title(said: Mapping[str, Any], collection: str, address: str) -> Texts:
    """Its own name, else its type in words, with the place behind it."""
    kind = str(said.get("type") or said.get("event_type") or "")
    named = next(iter(_told(said, _NAMES)), "")
    short = address[:100]

    def words() -> str:
        head = named or str(TYPES.get(kind, "")) or collection
        return f"{head}: {short}" if short and short not in head else head

    return in_all(words)


def _told(said: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    small = {key.casefold(): value for key, value in said.items()}
    found = []
    for name in names:
        value = small.get(name)
        several = value if isinstance(value, list) else [value]
        found += [" ".join(each.split()) for each in several if isinstance(each, str) and each.strip()]
    return list(dict.fromkeys(found))
