"""What can be laid over the map, for one reader: things with their values, objects, and the city's own outlines."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.connectors.properties import catalogue
from allmende.domain import vocabulary
from allmende.domain.dataset import DatasetProfile
from allmende.domain.errors import NotFound
from allmende.domain.features import Box, FeatureQuery, KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.units import show_unit
from allmende.faces.ogc.layers import THINGS
from allmende.web.catalogue.files import each_stream
from allmende.web.catalogue.own import described
from allmende.web.house import House, open_store
from allmende.web.ogc.views import words_of
from allmende.web.portal.sources import spoken

GROUND = "ground:"
OUTLINES = ("districts", "waters")
"""Of the profile's outlines those that are layers; the boundary is always seen."""
_KEPT_SECONDS = 60.0
_OPEN_SHOWN = 2
"""Layers that are on where nobody chose."""


class Show(NamedTuple):
    """One of the values that the things of a layer have."""

    key: str
    """As the interface of objects calls it."""
    title: str
    unit: str
    count: int
    """Things that have it."""

    @property
    def shown_unit(self) -> str:
        """The unit as people write it."""
        return show_unit(self.unit)


class MapLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer with all that its legend says. Texts are in the active language, times in microseconds."""

    id: str
    """As the interface of objects calls it; outlines begin with GROUND."""
    kind: str
    """``things``, ``features`` or ``ground``."""
    title: str
    description: str = ""
    dataset: str = ""
    source: str = ""
    """What the store knows it by."""
    group: str = ""
    """Title of the series that its dataset is of."""
    licence: str = ""
    licence_title: str = ""
    attribution: str = ""
    address: str = ""
    simulated: bool = False
    count: int | None = None
    newest: int | None = None
    bbox: Box | None = None
    shows: tuple[Show, ...] = ()
    titles: Mapping[str, str] = {}
    """Of objects what their properties are called."""

    @property
    def things(self) -> bool:
        """Whether it has values."""
        return self.kind == "things"

    def show(self, key: str) -> Show | None:
        """The value that is asked for, else the first."""
        return next((each for each in self.shows if each.key == key), self.shows[0] if self.shows else None)


class _Kept(NamedTuple):
    profile: Profile
    entities: int
    read: float
    layers: tuple[MapLayer, ...]


_kept: dict[tuple[object, str], _Kept] = {}
"""By store and language: what everybody may see."""
_reading = threading.Lock()


def forget() -> None:
    """Know nothing, as a process that has just started."""
    _kept.clear()


def layers_for(house: House) -> tuple[MapLayer, ...]:
    """All that the reader may see. What everybody may see is worked out once for all, until an entity or the profile
    is another, or a minute is over; what somebody may see besides is worked out for them."""
    store = open_store()  # names and numbers of what there is, no values: nobody has read anything by that
    if house.reader.datasets or house.reader.sees_all:
        return tuple(_read(House(store=store, profile=house.profile, reader=house.reader)))
    key, now, entities = (store, get_language() or ""), time.monotonic(), store.newest_entity_change()
    known = _kept.get(key)
    if known and known.profile is house.profile and known.entities == entities and now - known.read < _KEPT_SECONDS:
        return known.layers
    with _reading:
        again = _kept.get(key)
        if again is not None and again is not known and again.profile is house.profile and again.entities == entities:
            return again.layers
        found = tuple(_read(House(store=store, profile=house.profile, reader=ANONYMOUS)))
        _kept[key] = _Kept(house.profile, entities, time.monotonic(), found)
    return found


def find_layer(house: House, name: str) -> MapLayer:
    """One of them; raises NotFound."""
    for layer in layers_for(house):
        if layer.id == name:
            return layer
    raise NotFound(f"there is no layer {name[:80]!r}")


def first_chosen(layers: Iterable[MapLayer]) -> list[str]:
    """What is on where nobody chose: the outlines, and the first layers of things that are measured."""
    listed = list(layers)
    things = [each for each in listed if each.things and each.shows and not each.group]
    measured = [each for each in things if not each.simulated] or things
    grounds = [each.id for each in listed if each.kind == "ground"]
    return [*(each.id for each in measured[:_OPEN_SHOWN]), *grounds]


def _read(house: House) -> Iterable[MapLayer]:
    store, profile = house.store, described(house.profile)
    language = (get_language() or "de").split("-")[0]
    things = [
        _of_things(store, house, profile, name, figures, language)
        for name, figures in store.figures(house.reader).items()
    ]
    objects = [_of_objects(profile, each, language) for each in store.collections(house.reader, simulated=True)]
    listed = [*things, *objects]
    yield from sorted(listed, key=lambda each: (bool(each.group), each.simulated, each.title.casefold(), each.id))
    geography = house.profile.geography
    titles = {"districts": _("Districts"), "waters": _("Waters")}
    for name in OUTLINES:
        outlines = getattr(geography, name)
        if outlines["features"]:
            licence = str(outlines.get("licence", ""))
            yield MapLayer(
                id=f"{GROUND}{name}", kind="ground", title=titles[name], source=name,
                attribution=geography.attribution, count=len(outlines["features"]),
                licence=licence, licence_title=_licence_of(licence),
            )  # fmt: skip


def _licence_of(address: str) -> str:
    """What the licence at an address is called, as far as the house knows it."""
    terms = vocabulary.vocabulary(vocabulary.LICENCES).terms.values()
    plain = address.rstrip("/")
    known = next((term for term in terms if plain and str(term.more.get("url", "")).rstrip("/") == plain), None)
    return spoken(known.label) if known else urlsplit(address).hostname or ""


def _said(profile: Profile, name: str, language: str) -> dict[str, Any]:
    dataset: DatasetProfile | None = profile.datasets.get(name)
    if dataset is None:
        return {"title": name, "dataset": name}
    words = words_of(dataset, language)
    series = profile.datasets.get(dataset.part_of) if dataset.part_of else None
    return {
        "title": words.title,
        "description": words.description,
        "dataset": name,
        "group": spoken(series.title) if series else "",
        "licence": words.licence,
        "licence_title": words.licence_title,
        "attribution": words.attribution,
        "address": words.address,
        "simulated": words.simulated,
    }


def _of_objects(profile: Profile, kept: KeptCollection, language: str) -> MapLayer:
    said = _said(profile, kept.dataset, language)
    said["title"] = kept.title or said["title"]
    said["description"] = kept.description or said.get("description", "")
    titles = {name: str(schema.get("title", name)) for name, schema in kept.fields.items()}
    return MapLayer(
        id=kept.id, kind="features", source=kept.id, count=kept.count, bbox=kept.bbox, newest=kept.changed_at,
        titles=titles, **said,
    )  # fmt: skip


def _of_things(
    store: Store, house: House, profile: Profile, name: str, figures: DatasetFigures, language: str
) -> MapLayer:
    query = FeatureQuery(
        collection=name, reader=house.reader, things=True, simulated=True, top=settings.ALLMENDE.map_things
    )
    found = store.features(query)
    counts: dict[str, list[Any]] = {}
    for item in found.items:
        properties = msgspec.json.decode(item.properties)
        for key in properties:
            if f"{key}.time" in properties:
                told = counts.setdefault(key, [0, ""])
                told[0] += 1
                told[1] = told[1] or properties.get(f"{key}.unit", "")
    names = {stream.property_id: stream.property for stream in each_stream(store, house.reader, name)}
    shows = [
        Show(key, _title(profile, names, key, language), unit if isinstance(unit, str) else "", number)
        for key, (number, unit) in counts.items()
    ]
    shows.sort(key=lambda show: (-show.count, show.title.casefold()))
    return MapLayer(
        id=f"{THINGS}{name}", kind="things", source=name, newest=figures.newest, bbox=figures.bbox, shows=tuple(shows),
        count=None if found.next else len(found.items), **_said(profile, name, language),
    )  # fmt: skip


def _title(profile: Profile, names: Mapping[str, str], key: str, language: str) -> str:
    words = profile.properties.get(key)
    if words is not None and words.name.get(language):
        return words.name[language]
    shared = catalogue().get(key, {})
    if shared.get(language):
        return str(shared[language])
    return names.get(key) or key
