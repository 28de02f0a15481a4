"""The collections of the face: every collection of features, and for every dataset its things with newest values.

Things of the dataset ``weather`` are the collection ``things:weather``: no collection's own id holds a colon.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.domain.errors import NotFound
from allmende.domain.features import Box, FeatureQuery, KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.domain.policy import Reader
from allmende.domain.store import Store

THINGS = "things:"


class DatasetWords(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a dataset, in the language of the answer."""

    title: str
    description: str = ""
    licence: str = ""
    """Address of the licence, "" where nobody knows one."""
    licence_title: str = ""
    attribution: str = ""
    address: str = ""
    """The path of the dataset's page."""
    simulated: bool = False


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the face says of its house."""

    title: str
    description: str
    language: str
    datasets: Mapping[str, DatasetWords]
    """By id; more than the reader may know of: the store says what may be shown."""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A collection as the face shows it."""

    id: str
    title: str
    description: str
    dataset: str
    source: str
    """What the store knows it by: a collection's id, or a dataset's."""
    things: bool = False
    fields: Mapping[str, Mapping[str, Any]] = {}
    """What its source says of its properties, as JSON Schema; may be empty."""
    count: int | None = None
    """How many features there are, where that is known without counting."""
    bbox: Box | None = None
    first: int | None = None
    last: int | None = None
    version: int | None = None
    """A number that is another with every change of what is in it; None where nobody keeps one."""
    words: DatasetWords

    @property
    def strict(self) -> bool:
        """Whether all of its properties are known beforehand."""
        return bool(self.fields) and not self.things


def list_layers(store: Store, reader: Reader, about: About) -> list[Layer]:
    """All that the reader may see, in the order of their ids."""
    kept = [_of_collection(each, about) for each in store.collections(reader, simulated=True)]
    things = [_of_things(name, about, figures) for name, figures in store.figures(reader).items()]
    return sorted([*kept, *things], key=lambda layer: layer.id)


def find_layer(store: Store, reader: Reader, about: About, name: str, *, figures: bool = False) -> Layer:
    """One of them; raises NotFound. Only with ``figures`` things have an extent: it is dear."""
    if name.startswith(THINGS):
        dataset = name.removeprefix(THINGS)
        if figures:
            known = store.figures(reader).get(dataset)
            if known is not None:
                return _of_things(dataset, about, known)
        else:
            store.features(FeatureQuery(collection=dataset, reader=reader, things=True, simulated=True, top=1))
            return _of_things(dataset, about, DatasetFigures())
    for each in store.collections(reader, simulated=True):
        if each.id == name:
            return _of_collection(each, about)
    raise NotFound(f"there is no collection {name!r}")


def _of_collection(kept: KeptCollection, about: About) -> Layer:
    words = about.datasets.get(kept.dataset, DatasetWords(title=kept.dataset))
    return Layer(
        id=kept.id,
        title=kept.title,
        description=kept.description or words.description,
        dataset=kept.dataset,
        source=kept.id,
        fields=kept.fields,
        count=kept.count,
        bbox=kept.bbox,
        first=kept.first,
        last=kept.last,
        version=kept.changed_at,
        words=words,
    )


def _of_things(dataset: str, about: About, figures: DatasetFigures) -> Layer:
    words = about.datasets.get(dataset, DatasetWords(title=dataset))
    german = about.language == "de"
    return Layer(
        id=f"{THINGS}{dataset}",
        title=f"{words.title} ({'neueste Werte' if german else 'newest values'})",
        description=words.description,
        dataset=dataset,
        source=dataset,
        things=True,
        bbox=figures.bbox,
        first=figures.first,
        last=figures.newest,
        words=words,
    )
