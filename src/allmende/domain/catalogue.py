"""The catalogue: every dataset that somebody may know of, with what is said of it and what was measured.

Faces and pages read entries; none of them reads a profile. :mod:`allmende.domain.cataloguing` makes them of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from allmende.domain import vocabulary
from allmende.domain.dataset import Contact, DatasetProfile, Organisation, Texts
from allmende.domain.editions import Edition
from allmende.domain.features import Box, KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.domain.harvest import Kept, Origin
from allmende.domain.policy import Reader
from allmende.domain.quality import Quality
from allmende.domain.tombstones import Tombstone
from allmende.domain.vocabulary import Term

HIGH_VALUE_LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
"""Implementing Regulation (EU) 2023/138 on high-value datasets."""


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One way to the data. ``name`` is unique within the dataset and a part of its address."""

    name: str
    title: Texts
    address: str
    """Where a person or a program begins."""
    download: str = ""
    """Where all of it comes as one file, if it does."""
    format: str = ""
    """A key of :data:`allmende.domain.vocabulary.FORMATS`."""
    service: str = ""
    """Name of the service that it comes from."""
    conforms_to: tuple[str, ...] = ()
    licence: str = ""
    """Where it is another one than the dataset's: a key of :data:`allmende.domain.vocabulary.LICENCES`, or a name."""
    size: int = 0
    """Of a file, in bytes."""
    sha256: str = ""
    """Of a file, hexadecimal."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """An interface over which data are asked for."""

    name: str
    title: Texts
    endpoint: str
    description: str = ""
    """Address of what describes it for machines."""
    documentation: str = ""
    conforms_to: tuple[str, ...] = ()


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the house remembers of a dataset's description; times in microseconds."""

    issued: int
    changed: int
    quality: Quality | None = None
    editions: tuple[Edition, ...] = ()
    """The oldest first."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset as the catalogue shows it."""

    dataset: DatasetProfile
    address: str
    """Its persistent address."""
    publisher: Organisation
    contact: Contact | None = None
    figures: DatasetFigures = DatasetFigures()
    collections: tuple[KeptCollection, ...] = ()
    quality: Quality | None = None
    periodicity: str = ""
    provenance: Texts = {}
    start: str = ""
    end: str = ""
    """Days that the data cover, ``2023-11-07``; of what goes on, ``end`` is the newest reading's."""
    bbox: Box | None = None
    issued: str = ""
    modified: str = ""
    """The day on which data or description last changed."""
    described: int = 0
    """When the description last changed, in microseconds; 0 where nobody remembers."""
    distributions: tuple[Distribution, ...] = ()
    members: tuple[str, ...] = ()
    """Ids of the datasets of a series."""
    policy: str = ""
    """Id of the policy that holds for it, "" where nobody knows one."""
    own_terms: Texts = {}
    """What the city calls its own terms, where the dataset has such."""
    chargeable: bool = False
    """Whether these make somebody pay."""
    origin: Origin | None = None
    """Of one that was taken over from another catalogue."""
    editions: tuple[Edition, ...] = ()
    """Of its description, the oldest first: those that the reader may know of."""

    @property
    def id(self) -> str:
        return self.dataset.id

    @property
    def licence(self) -> Term:
        """The licence's term; of one that no list knows, a term of its own under the closed ones."""
        known = vocabulary.find(vocabulary.LICENCES, self.dataset.licence)
        if known is not None:
            return known
        other = vocabulary.vocabulary(vocabulary.LICENCES).terms["other-closed"]
        if not self.dataset.licence:  # only of what was taken over; the key is CKAN's
            return Term(key="notspecified", uri="", label={"de": "nicht angegeben", "en": "not stated"})
        if self.own_terms:
            kind = vocabulary.vocabulary(vocabulary.LICENCES).terms["other-commercial"] if self.chargeable else other
            return Term(key=self.dataset.licence, uri=kind.uri, label=self.own_terms, more={"open": False})
        name = self.dataset.licence
        url = name if name.startswith(("http://", "https://")) else ""
        return Term(key=name, uri=other.uri, label={"de": name, "en": name}, more={"url": url, "open": False})

    @property
    def legislation(self) -> tuple[str, ...]:
        """ELI addresses, with the regulation on high-value datasets where it is one."""
        law = (HIGH_VALUE_LAW,) if self.dataset.high_value else ()
        return tuple(dict.fromkeys([*self.dataset.legislation, *law]))


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All entries that one reader may know of, in the order of their ids."""

    root: str
    """The house's address without a slash at the end."""
    title: Texts
    description: Texts
    languages: tuple[str, ...]
    publisher: Organisation
    contact: Contact | None
    licence: str
    geocoding: tuple[str, ...]
    contributor: str
    entries: tuple[Entry, ...]
    services: tuple[Service, ...]
    organisations: Mapping[str, Organisation]
    """By name: all that any entry names."""
    kept: Kept | None = None
    """Where the graphs of entries with an origin are to be had."""
    tombstones: tuple[Tombstone, ...] = ()
    """Of what was in it once; only where they are asked for."""

    def entry(self, name: str) -> Entry | None:
        """The entry of that id, or None."""
        return next((entry for entry in self.entries if entry.id == name), None)


Adder = Callable[[DatasetProfile, DatasetFigures, Sequence[KeptCollection], str], Iterable[Distribution]]
"""Gives the distributions that another interface adds to a dataset: its description, its figures, its collections, the
root of the house."""


def may_know(dataset: DatasetProfile, reader: Reader) -> bool:
    """Whether the reader may know that there is such a dataset, or was."""
    return dataset.access == "open" or dataset.public_description or may_read(dataset, reader)


def may_read(dataset: DatasetProfile, reader: Reader) -> bool:
    """Whether the reader may see its data; the same rule as the store's. What was withdrawn is open to nobody."""
    open_ = dataset.access == "open" and dataset.withdrawn is None
    return open_ or reader.sees_all or dataset.id in reader.datasets
