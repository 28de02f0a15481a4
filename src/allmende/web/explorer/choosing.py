"""Which streams there are to choose from, for one reader: found by their names, things, places, properties, datasets.
Those of the commons, which clients made through SensorThings and no dataset of the profile owns, are among them.

The index is made for one set of grants and holds nothing else (decision 50): names and no values. It is made anew as
soon as other datasets may be known, and after ``ALLMENDE_SEARCH_AGE``, if anything was declared or changed since.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import shapely
from django.conf import settings
from django.http import HttpRequest

from allmende.domain.dataset import DatasetProfile
from allmende.domain.figures import StreamSummary
from allmende.domain.policy import COMMONS, Reader
from allmende.domain.profile import Geography, Profile
from allmende.domain.search.index import Index
from allmende.domain.search.shelf import Document, Part, Shelf
from allmende.domain.wording import meaning_the_same
from allmende.web.catalogue.files import each_stream
from allmende.web.catalogue.own import described
from allmende.web.house import House, open_store

_KEPT = 8
"""Sets of grants whose streams a process holds at the same time."""
_NAME, _PROPERTY, _DATASET, _MORE = 16.0, 8.0, 3.0, 2.0


class Choice(NamedTuple):
    """A stream that may be chosen."""

    id: str
    name: str
    property: str
    property_id: str
    thing: str
    """Its id."""
    thing_name: str
    """"" where the reader may not see that."""
    place: tuple[float, float] | None
    """Degrees east and north; None where nobody knows."""
    district: str
    """"" where nobody knows."""
    dataset: str
    simulated: bool


class Place(NamedTuple):
    """A thing with streams to choose."""

    thing: str
    """Its id."""
    name: str
    place: tuple[float, float] | None
    district: str
    streams: list[Choice]


class _Made(NamedTuple):
    profile: Profile
    read: float
    entities: int
    """Up to which number of the log of entities it has read."""
    datasets: frozenset[str]
    choices: dict[str, Choice]
    index: Index


class Found(NamedTuple):
    """What a question led to, the best first; ``instead``: words that nothing is called, with what was taken."""

    choices: list[Choice]
    datasets: list[str]
    """Ids of all datasets that have a stream, whatever was asked."""
    properties: list[tuple[str, str]]
    """Ids and names of all properties, likewise."""
    instead: list[tuple[str, str]]


_lock = threading.Lock()
_made: OrderedDict[tuple[object, ...], _Made] = OrderedDict()


def forget() -> None:
    """Know nothing, as a process that has just started."""
    with _lock:
        _made.clear()


def find_streams(
    request: HttpRequest,
    text: str,
    *,
    dataset: str = "",
    observed: str = "",
    thing: str = "",
    simulated: bool = False,
) -> Found:
    """The streams that whoever asks may see and that a text leads to; without a text all, by their names."""
    made = _known(request)
    every = [one for one in made.choices.values() if simulated or not one.simulated]
    instead: list[tuple[str, str]] = []
    if text:
        hits = made.index.search(text)
        every = [one for one in every if one.id in hits.scores]
        every.sort(key=lambda one: (-hits.scores[one.id], one.name.casefold(), one.id))
        instead = [(word, ", ".join(words[:3])) for word, words in hits.instead.items()]
    chosen = [
        one
        for one in every
        if dataset in ("", one.dataset) and observed in ("", one.property_id) and thing in ("", one.thing)
    ]
    offered = [one for one in made.choices.values() if simulated or not one.simulated]
    properties = {one.property_id: one.property for one in offered}
    return Found(
        choices=chosen,
        datasets=sorted({one.dataset for one in offered}),
        properties=sorted(properties.items(), key=lambda pair: pair[1].casefold()),
        instead=instead,
    )


def by_place(choices: Iterable[Choice]) -> list[Place]:
    """The things that streams are of, by their names; those whose thing may not be seen are left out."""
    found: dict[str, Place] = {}
    for one in choices:
        if one.thing:
            place = found.setdefault(one.thing, Place(one.thing, one.thing_name, one.place, one.district, []))
            place.streams.append(one)
    return sorted(found.values(), key=lambda place: (place.name.casefold(), place.thing))


def _known(request: HttpRequest) -> _Made:
    house: House = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    key = house.reader.sees_all, house.reader.datasets
    every = described(house.profile).datasets.values()
    datasets = [each for each in every if house.knows(each) and each.withdrawn is None]
    now, ids = time.monotonic(), frozenset(each.id for each in datasets)
    with _lock:
        known = _made.get(key)
        alike = known is not None and known.profile is house.profile and known.datasets == ids
        if known is not None and alike and now - known.read <= settings.ALLMENDE.search_age:
            _made.move_to_end(key)
            return known
        entities = open_store().newest_entity_change()
        if known is not None and alike and known.entities == entities:
            known = known._replace(read=now)
        else:
            known = _Made(house.profile, now, entities, ids, *_make(house, datasets))
        _made[key] = known
        _made.move_to_end(key)
        while len(_made) > _KEPT:
            _made.popitem(last=False)
    return known


def _make(house: House, datasets: Iterable[DatasetProfile]) -> tuple[dict[str, Choice], Index]:
    profile = house.profile
    places = _Districts(profile.geography)
    language = profile.languages[0]
    choices: dict[str, Choice] = {}
    documents: list[Document] = []
    for dataset, simulated, titles, stream in _streams(datasets, house.reader):
        name = stream.name if not stream.thing or stream.thing in stream.name else f"{stream.thing}: {stream.name}"
        known = None if stream.lon is None or stream.lat is None else (stream.lon, stream.lat)
        district = places.of(known)
        choices[stream.id] = Choice(
            stream.id, name, stream.property, stream.property_id, stream.thing_id, stream.thing, known, district,
            dataset, simulated,
        )  # fmt: skip
        parts = [Part(_NAME, name, language), Part(_PROPERTY, stream.property, language)]
        parts += [Part(_DATASET, title, spoken) for spoken, title in titles.items()]
        more = (stream.id, stream.thing_id, stream.property_id, stream.unit, district)
        parts += [Part(_MORE, text, language) for text in more if text]
        documents.append(Document(stream.id, tuple(parts)))
    same = meaning_the_same(profile.properties.values(), profile.synonyms.values())
    return choices, Index(Shelf(documents), same=same)


def _streams(
    datasets: Iterable[DatasetProfile], reader: Reader
) -> Iterator[tuple[str, bool, dict[str, str], StreamSummary]]:
    # Not the request's store, which notes who reads what is not open: names are no readings, and others will find here.
    store, left = open_store(), settings.ALLMENDE.search_things
    offered = [(dataset.id, dataset.simulated, dict(dataset.title)) for dataset in datasets]
    if all(name != COMMONS for name, _simulated, _titles in offered):
        offered.append((COMMONS, False, {}))
    for name, simulated, titles in offered:
        for stream in each_stream(store, reader, name):
            if left <= 0:
                return
            left -= 1
            yield name, simulated, titles, stream


class _Districts:
    """In which district of the city a place is."""

    def __init__(self, geography: Geography) -> None:
        features = [
            (str((feature.get("properties") or {}).get("name", "")), shapely.geometry.shape(feature["geometry"]))
            for feature in geography.districts["features"]
        ]
        self._names = [name for name, _ in features]
        self._tree = shapely.STRtree([shape for _, shape in features])

    def of(self, place: tuple[float, float] | None) -> str:
        """Its name; "" where nobody knows."""
        if place is None:
            return ""
        found = self._tree.query(shapely.Point(place), predicate="within")
        return self._names[int(found[0])] if len(found) else ""
