"""The catalogue of a city, made of its profile and of what is kept.

What the profile does not say follows here: contact, extent, period, periodicity, provenance and the ways to the data.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Adder, Catalogue, Distribution, Entry, Note, Service, may_know, may_read
from allmende.domain.contract import Contract
from allmende.domain.dataset import Contact, DatasetProfile, Organisation, Texts
from allmende.domain.editions import dataset_of
from allmende.domain.features import Box, KeptCollection
from allmende.domain.figures import DatasetFigures
from allmende.domain.harvest import Kept
from allmende.domain.ids import slug
from allmende.domain.licensing import policy_id
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile


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
    shown = _shown(profile, reader, simulated)
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
        title=about.title or _words(_TITLE, profile),
        description=about.description or _words(_DESCRIPTION, profile),
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


def _shown(profile: Profile, reader: Reader, simulated: bool) -> list[DatasetProfile]:
    return [
        dataset
        for dataset in sorted(profile.datasets.values(), key=lambda dataset: dataset.id)
        if may_know(dataset, reader) and dataset.withdrawn is None and (simulated or not dataset.simulated)
    ]


_TITLE = {"de": "Offene Daten: {city}", "en": "Open data: {city}"}
_DESCRIPTION = {
    "de": "Datensätze der Stadt {city} und ihrer Partner: Messwerte, Objekte, Fahrpläne.",
    "en": "Datasets of the city of {city} and its partners: readings, objects, timetables.",
}


def _words(texts: Texts, profile: Profile) -> Texts:
    return {language: text.format(city=profile.name) for language, text in texts.items()}


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
