"""The catalogue: every dataset that somebody may know of, with what is said of it and what was measured.

Faces and pages read entries; none of them reads a profile. What a profile does not say follows here: contact, extent,
period, periodicity, provenance and the ways to the data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from allmende.domain import vocabulary
from allmende.domain.contract import Contract
from allmende.domain.dataset import Contact, DatasetProfile, Organisation, Texts
from allmende.domain.editions import Edition, dataset_of
from allmende.domain.features import Box, KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.domain.harvest import Kept, Origin
from allmende.domain.licensing import policy_id
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
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


def build_catalogue(
    profile: Profile,
    reader: Reader,
    *,
    root: str,
    figures: Mapping[str, DatasetFigures],
    collections: Iterable[KeptCollection] = (),
    notes: Mapping[str, Note] | None = None,
    contracts: Mapping[str, Contract] | None = None,
    adders: Sequence[Adder] = (),
    services: Sequence[Service] = (),
    simulated: bool = False,
    harvested: Sequence[Entry] = (),
    kept: Kept | None = None,
) -> Catalogue:
    """The catalogue for one reader. ``figures`` and ``collections`` are what the store gives to that reader;
    ``harvested`` are entries that everybody may know of, and ``kept`` has their graphs.

    Withdrawn datasets are not in it, simulated ones only where they are asked for.
    """
    shown = [
        dataset
        for dataset in sorted(profile.datasets.values(), key=lambda dataset: dataset.id)
        if may_know(dataset, reader) and dataset.withdrawn is None and (simulated or not dataset.simulated)
    ]
    by_dataset: dict[str, list[KeptCollection]] = {}
    for collection in collections:
        by_dataset.setdefault(collection.dataset, []).append(collection)
    ids = {dataset.id for dataset in shown}
    known = {organisation.name: organisation for organisation in profile.organisations.values()}
    about = profile.catalogue
    owner = _organisation(about.publisher or profile.name, known)
    entries = tuple(
        describe(
            dataset,
            profile,
            root=root,
            # who may know of it and not see it hears no figures of it
            figures=figures.get(dataset.id, DatasetFigures()) if may_read(dataset, reader) else DatasetFigures(),
            collections=by_dataset.get(dataset.id, ()) if may_read(dataset, reader) else (),
            note=(notes or {}).get(dataset.id),
            contracts=contracts or {},
            adders=adders if may_read(dataset, reader) else (),
            measured=may_read(dataset, reader),
            members=tuple(each.id for each in shown if each.part_of == dataset.id),
            known=ids,
        )
        for dataset in shown
    )
    named = {name for entry in entries for name in _named(entry.dataset)} - {""}
    return Catalogue(
        root=root,
        title=about.title or {"de": f"Offene Daten: {profile.name}", "en": f"Open data: {profile.name}"},
        description=about.description
        or {
            "de": f"Datensätze der Stadt {profile.name} und ihrer Partner: Messwerte, Objekte, Fahrpläne.",
            "en": f"Datasets of the city of {profile.name} and its partners: readings, objects, timetables.",
        },
        languages=tuple(profile.languages),
        publisher=owner,
        contact=about.contact,
        licence=about.licence,
        geocoding=tuple(about.geocoding),
        contributor=about.contributor,
        entries=tuple(sorted([*entries, *harvested], key=lambda entry: entry.id)) if harvested else entries,
        services=tuple(services),
        organisations={name: _organisation(name, known) for name in sorted({*named, owner.name})},
        kept=kept,
    )


def describe(
    dataset: DatasetProfile,
    profile: Profile,
    *,
    root: str,
    figures: DatasetFigures,
    collections: Sequence[KeptCollection] = (),
    note: Note | None = None,
    contracts: Mapping[str, Contract] | None = None,
    adders: Sequence[Adder] = (),
    measured: bool = True,
    members: tuple[str, ...] = (),
    known: Iterable[str] = (),
) -> Entry:
    """One entry. Without ``measured`` nothing is told that was measured."""
    publisher = _organisation(
        dataset.publisher or profile.catalogue.publisher or profile.name,
        {organisation.name: organisation for organisation in profile.organisations.values()},
    )
    firsts = [figures.first, *(collection.first for collection in collections)]
    lasts = [figures.newest, *(collection.last for collection in collections)]
    period = dataset.period
    version = dataset.version
    own = profile.policies.get(dataset.licence)
    start = period.start if period else _day(min((t for t in firsts if t is not None), default=None))
    end = period.end if period else _day(max((t for t in lasts if t is not None), default=None))
    changed = [figures.newest, *(collection.changed_at for collection in collections), note.changed if note else None]
    modified = [_day(max((t for t in changed if t is not None), default=None)), version.date if version else ""]
    if dataset.part_of not in known:
        dataset = msgspec.structs.replace(dataset, part_of="")
    return Entry(
        dataset=dataset,
        address=f"{root}/dataset/{dataset.id}",
        publisher=publisher,
        contact=dataset.contact or _contact_of(publisher) or profile.catalogue.contact,
        figures=figures,
        collections=tuple(collections),
        quality=note.quality if note and measured else None,
        periodicity=dataset.periodicity or _periodicity(dataset, profile, contracts or {}),
        provenance=dataset.provenance or _provenance(dataset, profile),
        start=start,
        end=end,
        bbox=dataset.bbox or _extent(figures, collections),
        issued=dataset.issued or (_day(note.issued) if note else ""),
        modified=max(modified),
        described=note.changed if note else 0,
        distributions=tuple(_distributions(dataset, figures, collections, root, adders)),
        members=members,
        policy=policy_id(dataset, profile.policies),
        own_terms=own.title if own else {},
        chargeable=own is not None and own.compensate is not None,
        editions=tuple(each for each in note.editions if measured or each.public) if note else (),
    )


def describe_edition(body: Mapping[str, Any], current: Entry, profile: Profile) -> tuple[Entry, list[Organisation]]:
    """The entry that an edition's body made, without anything measured and any way to data: those are the current
    one's. And the organisations that it names."""
    dataset = msgspec.structs.replace(dataset_of(body), part_of="")
    root = current.address.removesuffix(f"/dataset/{current.id}")
    entry = describe(dataset, profile, root=root, figures=DatasetFigures(), measured=False)
    known = {organisation.name: organisation for organisation in profile.organisations.values()}
    return entry, [_organisation(name, known) for name in {*_named(dataset)} - {""}]


def _named(dataset: DatasetProfile) -> list[str]:
    return [dataset.publisher, dataset.creator, dataset.maintainer, dataset.originator, *dataset.contributors]


def _organisation(name: str, known: Mapping[str, Organisation]) -> Organisation:
    return known.get(name) or Organisation(id=slug(name), name=name)


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slug(name: str) -> str:
    """A name as a part of an address: small letters, digits and hyphens; never empty."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name.lower().translate(_UMLAUTS))
    return "-".join(part for part in plain.split("-") if part) or "unknown"


def _contact_of(organisation: Organisation) -> Contact | None:
    if not (organisation.mail or organisation.page):
        return None
    return Contact(name=organisation.name, mail=organisation.mail, page=organisation.page)


def _day(moment: int | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment / 1_000_000, UTC).date().isoformat()


def _extent(figures: DatasetFigures, collections: Iterable[KeptCollection]) -> Box | None:
    boxes = [box for box in (figures.bbox, *(collection.bbox for collection in collections)) if box is not None]
    if not boxes:
        return None
    return (
        min(box[0] for box in boxes), min(box[1] for box in boxes), max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )  # fmt: skip


def _periodicity(dataset: DatasetProfile, profile: Profile, contracts: Mapping[str, Contract]) -> str:
    """By the shortest interval of its sources that are switched on."""
    sources = [source.id for source in profile.sources.values() if source.dataset == dataset.id and source.enabled]
    promised = [contracts[source].micros("interval") for source in sources if source in contracts]
    lengths = [length for length in promised if length]
    return vocabulary.frequency_of(min(lengths)) if lengths else ""


def _provenance(dataset: DatasetProfile, profile: Profile) -> dict[str, str]:
    """The sources and rules by their titles."""
    sources = [source.title for source in profile.sources.values() if source.dataset == dataset.id]
    rules = [rule.title for rule in profile.rules.values() if rule.dataset == dataset.id]
    words: dict[str, Any] = {"de": ("Quellen", "Abgeleitet durch Regeln"), "en": ("Sources", "Derived by rules")}
    said = {}
    for language in profile.languages:
        heads = words.get(language, words["en"])
        parts = [
            f"{head}: {', '.join(texts.get(language, '') for texts in found)}."
            for head, found in zip(heads, (sources, rules), strict=True)
            if found
        ]
        if parts:
            said[language] = " ".join(parts)
    return said


def _distributions(
    dataset: DatasetProfile,
    figures: DatasetFigures,
    collections: Sequence[KeptCollection],
    root: str,
    adders: Sequence[Adder],
) -> Iterable[Distribution]:
    for adder in adders:
        yield from adder(dataset, figures, collections, root)
    for place, download in enumerate(dataset.downloads, 1):
        yield Distribution(
            name=f"file-{place}", title=download.title, address=download.address, download=download.address,
            format=download.format,
        )  # fmt: skip
