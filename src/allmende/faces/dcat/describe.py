"""Entries and the catalogue as graphs. What the two versions of DCAT-AP.de say differently is told apart here alone."""

from datetime import UTC, datetime

import msgspec
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, OWL, PROV, RDF, RDFS, SKOS, XSD
from rdflib.term import Node

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.dataset import Texts
from allmende.domain.editions import Edition
from allmende.domain.tombstones import Tombstone
from allmende.faces.dcat import parts
from allmende.faces.dcat.harvested import Names, describe_harvested, describe_rest
from allmende.faces.dcat.names import ADMS, DCAT, DCATDE, GEODCATAP, THEME_TAXONOMY, Profile, empty_graph


def describe_entry(graph: Graph, entry: Entry, catalogue: Catalogue, profile: Profile) -> None:
    """Everything that is said of one dataset."""
    node, dataset = URIRef(entry.address), entry.dataset
    series = dataset.series and profile is Profile.DE_3
    graph.add((node, RDF.type, DCAT.DatasetSeries if series else DCAT.Dataset))
    parts.say(graph, node, DCTERMS.title, dataset.title)
    parts.say(graph, node, DCTERMS.description, dataset.description)
    graph.add((node, DCTERMS.identifier, Literal(entry.address)))
    _who(graph, node, entry, catalogue, profile)
    _where_and_when(graph, node, entry, profile)
    parts.add_law(graph, node, entry)
    parts.add_policy(graph, node, entry, catalogue)
    parts.add_availability(graph, node, dataset)
    if not series:
        _what(graph, node, entry, catalogue, profile)
        _history(graph, node, entry, profile)
        for way in entry.distributions:
            parts.add_distribution(graph, entry, way, catalogue)
            parts.add_file(graph, entry, way, newer=profile is Profile.DE_3)
    _kin(graph, node, entry, catalogue, profile)
    parts.add_quality(graph, node, catalogue.root, entry.quality)


def _who(graph: Graph, node: URIRef, entry: Entry, catalogue: Catalogue, profile: Profile) -> None:
    dataset, root = entry.dataset, catalogue.root
    graph.add((node, DCTERMS.publisher, parts.add_agent(graph, root, entry.publisher)))
    parts.add_contact(graph, node, entry.contact)
    newer = profile is Profile.DE_3
    roles = {
        DCTERMS.creator: [dataset.creator],
        GEODCATAP.custodian if newer else DCATDE.maintainer: [dataset.maintainer],
        GEODCATAP.originator if newer else DCATDE.originator: [dataset.originator],
        DCTERMS.contributor: dataset.contributors,
    }
    for role, names in roles.items():
        for name in names:
            if name:
                graph.add((node, role, parts.add_agent(graph, root, catalogue.organisations[name])))
    if catalogue.contributor:
        graph.add((node, DCATDE.contributorID, URIRef(catalogue.contributor)))


def _what(graph: Graph, node: URIRef, entry: Entry, catalogue: Catalogue, profile: Profile) -> None:
    dataset = entry.dataset
    for word in dataset.themes:
        theme = vocabulary.find(vocabulary.THEMES, word)
        if theme is not None:
            graph.add((node, DCAT.theme, URIRef(theme.uri)))
    for language, words in dataset.keywords.items():
        for word in words:
            graph.add((node, DCAT.keyword, Literal(word, lang=language)))
    access = next(
        term
        for term in vocabulary.vocabulary(vocabulary.ACCESS_RIGHTS).terms.values()
        if term.more["access"] == dataset.access
    )
    graph.add((node, DCTERMS.accessRights, URIRef(access.uri)))
    parts.add_languages(graph, node, catalogue.languages)
    for page in dict.fromkeys([entry.address, *([dataset.landing_page] if dataset.landing_page else [])]):
        graph.add((node, DCAT.landingPage, URIRef(page)))
    for page in dataset.documentation:
        parts.add_named(graph, node, FOAF.page, page, FOAF.Document)
    for standard in dataset.conforms_to:
        parts.add_named(graph, node, DCTERMS.conformsTo, standard, DCTERMS.Standard)
    for name in dataset.other_ids:
        other = BNode()
        graph.add((node, ADMS.identifier, other))
        graph.add((other, RDF.type, ADMS.Identifier))
        graph.add((other, SKOS.notation, Literal(name)))
    if profile is Profile.DE_2:
        parts.say(graph, node, DCATDE.legalBasis, dataset.legal_basis)
    if any(text.strip() for text in entry.provenance.values()):
        origin = URIRef(f"{entry.address}#provenance")
        graph.add((node, DCTERMS.provenance, origin))
        graph.add((origin, RDF.type, DCTERMS.ProvenanceStatement))
        parts.say(graph, origin, RDFS.label, entry.provenance)


def _where_and_when(graph: Graph, node: URIRef, entry: Entry, profile: Profile) -> None:
    dataset = entry.dataset
    for key in dataset.geocoding:
        kind = vocabulary.find(vocabulary.GEOCODING, key.partition("/")[0])
        if kind is None:
            continue
        territory = URIRef(vocabulary.geocoding_uri(key))
        graph.add((node, DCTERMS.spatial if profile is Profile.DE_3 else DCATDE.politicalGeocodingURI, territory))
        if not (dataset.series and profile is Profile.DE_3):
            level = URIRef(f"http://dcat-ap.de/def/politicalGeocoding/Level/{kind.more['level']}")
            graph.add((node, DCATDE.politicalGeocodingLevelURI, level))
    parts.add_place(graph, node, entry.bbox, dataset.outline)
    parts.add_period(graph, node, entry.start, entry.end)
    frequency = vocabulary.find(vocabulary.FREQUENCIES, entry.periodicity)
    if frequency is not None:
        graph.add((node, DCTERMS.accrualPeriodicity, URIRef(frequency.uri)))
    if entry.issued:
        graph.add((node, DCTERMS.issued, parts.day(entry.issued)))
    if entry.modified:
        graph.add((node, DCTERMS.modified, parts.day(entry.modified)))


def _history(graph: Graph, node: URIRef, entry: Entry, profile: Profile) -> None:
    """The version that holds, why each was another than the one before, and where the one before is."""
    versions, editions = entry.dataset.versions, entry.editions
    number = versions[-1].number if versions else str(editions[-1].number) if editions else ""
    if number:
        graph.add((node, DCAT.version if profile is Profile.DE_3 else OWL.versionInfo, Literal(number)))
    if len(editions) > 1:
        graph.add((node, DCAT.previousVersion, _edition_node(entry.address, editions[-2])))
    notes = _notes(entry)
    for language in dict.fromkeys(language for _, reason in notes for language in reason):
        said = [f"{head}: {reason[language]}" for head, reason in notes if reason.get(language)]
        graph.add((node, ADMS.versionNotes, Literal("\n".join(said), lang=language)))


def _notes(entry: Entry) -> list[tuple[str, Texts]]:
    """Versions that the publisher named and editions with a reason, the newest first; none twice."""
    named = {edition.name for edition in entry.editions if edition.name}
    notes = [(edition.day, edition.name or str(edition.number), edition.reason) for edition in entry.editions]
    notes += [(each.date, each.number, each.reason) for each in entry.dataset.versions if each.number not in named]
    notes.sort(key=lambda note: note[0], reverse=True)
    return [(f"{number} ({day})", reason) for day, number, reason in notes]


def _edition_node(address: str, edition: Edition) -> URIRef:
    return URIRef(f"{address}/version/{edition.number}")


def _kin(graph: Graph, node: URIRef, entry: Entry, catalogue: Catalogue, profile: Profile) -> None:
    dataset, newer = entry.dataset, profile is Profile.DE_3
    base = f"{catalogue.root}/dataset/"
    if dataset.part_of:
        graph.add((node, DCAT.inSeries if newer else DCTERMS.isPartOf, URIRef(base + dataset.part_of)))
    if not newer:
        for member in entry.members:
            graph.add((node, DCTERMS.hasPart, URIRef(base + member)))
    if dataset.series and newer:
        return
    for other in dataset.related:
        local = not other.startswith(("http://", "https://"))
        if not local or catalogue.entry(other) is not None:
            graph.add((node, DCTERMS.relation, URIRef(base + other if local else other)))


def describe_catalogue(
    catalogue: Catalogue, entries: list[Entry], profile: Profile, *, all_entries: list[Entry], whole: bool = True
) -> Graph:
    """The catalogue with a page of its entries; ``all_entries`` is what the services serve as a whole. ``whole``: with
    what other catalogues, from which entries were taken over, say of themselves."""
    graph = empty_graph()
    node = URIRef(f"{catalogue.root}/catalog")
    graph.add((node, RDF.type, DCAT.Catalog))
    parts.say(graph, node, DCTERMS.title, catalogue.title)
    parts.say(graph, node, DCTERMS.description, catalogue.description)
    graph.add((node, DCTERMS.publisher, parts.add_agent(graph, catalogue.root, catalogue.publisher)))
    graph.add((node, FOAF.homepage, URIRef(f"{catalogue.root}/")))
    graph.add((node, DCAT.themeTaxonomy, URIRef(THEME_TAXONOMY)))
    licence = vocabulary.find(vocabulary.LICENCES, catalogue.licence)
    if licence is not None:
        graph.add((node, DCTERMS.license, URIRef(licence.uri)))
    parts.add_languages(graph, node, catalogue.languages)
    for key in catalogue.geocoding:
        graph.add((node, DCTERMS.spatial, URIRef(vocabulary.geocoding_uri(key))))
    newest = max((entry.modified for entry in all_entries if entry.origin is None), default="")
    if newest:
        graph.add((node, DCTERMS.modified, parts.day(newest)))
    names: Names = {}
    for other in describe_harvested(graph, entries, catalogue, profile, names):
        graph.add((node, DCAT.dataset, other))
    if whole:
        describe_rest(graph, catalogue, names)
    all_entries = [entry for entry in all_entries if entry.origin is None]
    entries = [entry for entry in entries if entry.origin is None]
    shown = {entry.id for entry in entries}
    for entry in entries:
        series = entry.dataset.series and profile is Profile.DE_3
        graph.add((node, DCAT.resource if series else DCAT.dataset, URIRef(entry.address)))
        describe_entry(graph, entry, catalogue, profile)
        _record(graph, node, entry, profile)
    for entry in all_entries:  # a series may stand on another page than its members
        if profile is Profile.DE_3 and entry.dataset.series and entry.id not in shown and shown & set(entry.members):
            describe_entry(graph, entry, catalogue, profile)
    for service in catalogue.services:
        graph.add((node, DCAT.service, parts.add_service(graph, service, entries, catalogue)))
    return graph


def describe_alone(entry: Entry, catalogue: Catalogue, profile: Profile) -> Graph:
    """One dataset with all that its description refers to within the house."""
    graph = empty_graph()
    if entry.origin is not None:
        describe_harvested(graph, [entry], catalogue, profile)
        return graph
    describe_entry(graph, entry, catalogue, profile)
    series = catalogue.entry(entry.dataset.part_of) if profile is Profile.DE_3 else None
    if series is not None:
        describe_entry(graph, series, catalogue, profile)
    for service in catalogue.services:
        if any(way.service == service.name for way in entry.distributions):
            parts.add_service(graph, service, [entry], catalogue)
    return graph


def _record(graph: Graph, catalogue: URIRef, entry: Entry, profile: Profile) -> None:
    """The description's own dates, where the house remembers them."""
    if not entry.described:
        return
    record = URIRef(f"{entry.address}#record")
    changed = datetime.fromtimestamp(entry.described // 1_000_000, UTC).isoformat().replace("+00:00", "Z")
    graph.add((catalogue, DCAT.record, record))
    graph.add((record, RDF.type, DCAT.CatalogRecord))
    graph.add((record, FOAF.primaryTopic, URIRef(entry.address)))
    graph.add((record, DCTERMS.modified, Literal(changed, datatype=XSD.dateTime)))
    graph.add((record, DCTERMS.conformsTo, URIRef(profile.uri)))


def describe_edition(entry: Entry, edition: Edition, current: Entry, catalogue: Catalogue, profile: Profile) -> Graph:
    """What an edition said: ``entry`` is made of it, at the address of the dataset.

    It is a dataset of its own (DCAT 3, 11.3), and stands in no other graph: a harvester would take it for one more.
    """
    graph = empty_graph()
    node, whole = _edition_node(current.address, edition), URIRef(current.address)
    describe_entry(graph, msgspec.structs.replace(entry, address=str(node), editions=()), catalogue, profile)
    graph.remove((node, DCTERMS.identifier, None))
    graph.add((node, DCTERMS.identifier, Literal(str(node))))
    place = current.editions.index(edition)
    for other, name in ((place - 1, DCAT.previousVersion), (place + 1, DCTERMS.isReplacedBy)):
        if 0 <= other < len(current.editions):
            graph.add((node, name, _edition_node(current.address, current.editions[other])))
    graph.add((node, DCAT.isVersionOf, whole))
    number = DCAT.version if profile is Profile.DE_3 else OWL.versionInfo
    graph.set((node, number, Literal(edition.name or str(edition.number))))
    graph.remove((node, ADMS.versionNotes, None))
    parts.say(graph, node, ADMS.versionNotes, edition.reason)
    graph.set((node, DCTERMS.modified, parts.day(edition.day)))
    return graph


def describe_gone(stone: Tombstone) -> Graph:
    """What is left of a dataset that was withdrawn: what it was, until when, why it went, and what took its place."""
    graph = empty_graph()
    node: Node = URIRef(stone.address)
    graph.add((node, RDF.type, PROV.Entity))
    graph.add((node, DCTERMS.identifier, Literal(stone.address)))
    parts.say(graph, node, DCTERMS.title, stone.title)
    parts.say(graph, node, DCTERMS.description, stone.description)
    graph.add((node, ADMS.status, URIRef("http://purl.org/adms/status/Withdrawn")))
    if stone.withdrawn:
        graph.add((node, PROV.invalidatedAtTime, parts.day(stone.withdrawn)))
    parts.add_period(graph, node, stone.start, stone.end)
    parts.say(graph, node, ADMS.versionNotes, stone.reason)
    if stone.successor:
        base = stone.address.rpartition("/")[0]
        graph.add((node, DCTERMS.isReplacedBy, URIRef(f"{base}/{stone.successor}")))
    return graph
