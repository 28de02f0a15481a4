"""The register of addresses in the database, and what is found by typing: addresses, districts, things."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from shapely import Point

from allmende.domain.errors import InvalidInput
from allmende.domain.features import FeatureQuery
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.knowledge.maps.areas import Areas
from allmende.knowledge.maps.finding import AddressRow, Finder, Hit, Spot, find
from allmende.knowledge.maps.register import Fault, read_register
from allmende.web.house import House, open_store
from allmende.web.live import Derived
from allmende.web.maps.items import as_item
from allmende.web.maps.layers import layers_for
from allmende.web.maps.models import Address, Register

_PORTION = 1000
_FRESH_SECONDS = 20.0
"""A house in which things are made all the time does not make its index each time."""
_KEPT_SECONDS = 300.0


class Imported(NamedTuple):
    """What an import did."""

    register: Register
    faults: list[Fault]


areas_of: Derived[Areas] = Derived(lambda profile: Areas(profile.geography.districts))
"""The districts of the profile as it is now."""


def import_register(body: bytes, *, file: str, source: str, licence: str, crs: str = "EPSG:4326") -> Imported:
    """Put a file's addresses in place of all that were there; a house whose row names no place gets the district that
    it lies in. Raises InvalidInput, and nothing is changed then."""
    rows: list[AddressRow] = []
    faults: list[Fault] = []
    for found in read_register(body, crs):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            rows.append(found)
    if not rows:
        first = f": line {faults[0].line} {faults[0].reason}" if faults else ""
        raise InvalidInput(f"holds no address that could be taken{first}", where=file)
    inside = areas_of().of([(row.lon, row.lat) for row in rows])
    made = [
        Address(
            street=row.street, number=row.number, postcode=row.postcode, lon=row.lon, lat=row.lat,
            place=row.place or (area.name if area else ""),
        )
        for row, area in zip(rows, inside, strict=True)
    ]  # fmt: skip
    with transaction.atomic():
        drop_register()
        Address.objects.bulk_create(made, batch_size=_PORTION)
        register = Register.objects.create(file=file, source=source, licence=licence, count=len(made))
    return Imported(register, faults)


def drop_register() -> int:
    """Delete all addresses; gives how many there were."""
    with transaction.atomic():
        gone, _ = Address.objects.all().delete()
        Register.objects.all().delete()
    return gone


def current_register() -> Register | None:
    """The one that holds."""
    return Register.objects.order_by("-pk").first()


class _Streets(NamedTuple):
    register: int | None
    city: str
    finder: Finder


class _Spots(NamedTuple):
    profile: Profile
    entities: int
    at: float
    finder: Finder


_streets: dict[object, _Streets] = {}
_found: dict[object, _Spots] = {}
"""By store: of this process."""
_making = threading.Lock()


def forget() -> None:
    """Know nothing, as a process that has just started."""
    _streets.clear()
    _found.clear()


def find_places(house: House, text: str, most: int = 8) -> list[Hit]:
    """What a text may mean. Found are things that everybody may see, whoever asks."""
    with _making:  # who comes second waits for the first, instead of making the same
        finders = (_addresses_known(house.profile.name), _spots_known(house.profile))
    return find(finders, text, most)


def find_addresses(house: House, text: str, most: int) -> list[Hit]:
    """The addresses and streets of the register that a text may mean; it is open to all."""
    with _making:
        finder = _addresses_known(house.profile.name)
    return find((finder,), text, most)


def _addresses_known(city: str) -> Finder:
    register = current_register()
    number, store = (register.pk if register else None), open_store()
    known = _streets.get(store)
    if known is None or (known.register, known.city) != (number, city):
        known = _streets[store] = _Streets(number, city, Finder(_addresses(), (), city))
    return known.finder


def _spots_known(profile: Profile) -> Finder:
    store, now = open_store(), time.monotonic()
    known = _found.get(store)
    if known is not None and known.profile is profile:
        age = now - known.at
        if age < _FRESH_SECONDS or (age < _KEPT_SECONDS and known.entities == store.newest_entity_change()):
            return known.finder
    entities = store.newest_entity_change()
    finder = Finder((), _spots(profile), profile.name)
    _found[store] = _Spots(profile, entities, now, finder)
    return finder


def _addresses() -> Iterator[AddressRow]:
    columns = ("street", "number", "postcode", "place", "lon", "lat")
    rows = Address.objects.order_by("pk").values_list(*columns)
    return (AddressRow(*row) for row in rows.iterator(chunk_size=5000))


def _spots(profile: Profile) -> Iterator[Spot]:
    for area in areas_of().all:
        middle: Point = area.shape.representative_point()
        yield Spot("district", area.name, middle.x, middle.y, area.id)
    house = House(store=open_store(), profile=profile, reader=ANONYMOUS)
    for layer in layers_for(house):
        if not layer.things:
            continue
        query = FeatureQuery(
            collection=layer.source, reader=ANONYMOUS, things=True, simulated=True, top=settings.ALLMENDE.map_things
        )
        for row in house.store.features(query).items:
            item = as_item(row, layer, None)
            if item.place is not None:
                yield Spot("thing", item.name, *item.place, f"{layer.id}|{item.id}")
