"""The parts of a description: who, where, when, how good, and the ways to the data."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, PROV, RDF, RDFS, SKOS, XSD
from rdflib.term import Node

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Distribution, Entry, Service
from allmende.domain.dataset import Contact, DatasetProfile, Organisation, Texts
from allmende.domain.features import Box
from allmende.domain.quality import Quality
from allmende.faces.dcat.names import DCAT, DCATAP, DCATDE, DQV, ELI, GEO, IANA, LDQD, LOCN, ODRL, SPDX, VCARD

METRICS = {
    "completeness": (
        LDQD.completeness,
        {
            "de": "Anteil der erwarteten Messwerte, die gekommen sind, nach den Verträgen der Quellen.",
            "en": "Share of the expected readings that came, by the contracts of the sources.",
        },
    ),
    "timeliness": (
        LDQD.timeliness,
        {
            "de": "Anteil der Messreihen, deren neuester Wert nicht älter ist, als die Quelle verspricht.",
            "en": "Share of the streams whose newest value is no older than the source promises.",
        },
    ),
    "plausibility": (
        LDQD.semanticAccuracy,
        {
            "de": "Anteil der Messwerte, die keine Prüfung beanstandet.",
            "en": "Share of the readings that no check objects to.",
        },
    ),
}
"""What is measured, the dimension of quality that it belongs to, and its definition."""


def say(graph: Graph, subject: Node, name: URIRef, texts: Texts) -> None:
    """A text in each language that has one."""
    for language, text in texts.items():
        if text.strip():
            graph.add((subject, name, Literal(text, lang=language)))


def day(text: str) -> Literal:
    """``2023``, ``2023-11`` or ``2023-11-07`` with its type."""
    kinds = {4: XSD.gYear, 7: XSD.gYearMonth, 10: XSD.date}
    return Literal(text, datatype=kinds[len(text)], normalize=False)


def add_named(graph: Graph, subject: Node, name: URIRef, address: str, kind: URIRef) -> None:
    """Something that has an address elsewhere, with what it is: whoever checks ranges does not fetch it."""
    graph.add((subject, name, URIRef(address)))
    graph.add((URIRef(address), RDF.type, kind))


def add_agent(graph: Graph, root: str, organisation: Organisation) -> URIRef:
    """An organisation, under an address of its own."""
    agent = URIRef(f"{root}/catalog#organisation-{organisation.id}")
    person = organisation.type.startswith("PrivateIndividual")
    graph.add((agent, RDF.type, FOAF.Agent))
    graph.add((agent, RDF.type, FOAF.Person if person else FOAF.Organization))
    graph.add((agent, FOAF.name, Literal(organisation.name)))
    kind = vocabulary.find(vocabulary.PUBLISHER_TYPES, organisation.type)
    if kind is not None:
        graph.add((agent, DCTERMS.type, URIRef(kind.uri)))
    if organisation.page:
        graph.add((agent, FOAF.homepage, URIRef(organisation.page)))
    if organisation.mail:
        graph.add((agent, FOAF.mbox, URIRef(f"mailto:{organisation.mail}")))
    if organisation.address:
        place = BNode()
        graph.add((agent, LOCN.address, place))
        graph.add((place, RDF.type, LOCN.Address))
        graph.add((place, LOCN.fullAddress, Literal(organisation.address)))
    return agent


def add_contact(graph: Graph, subject: Node, contact: Contact | None) -> None:
    """Whom to ask, if anybody can be named."""
    if contact is None:
        return
    card = BNode()
    graph.add((subject, DCAT.contactPoint, card))
    graph.add((card, RDF.type, VCARD.Kind))
    graph.add((card, RDF.type, VCARD.Organization))
    graph.add((card, VCARD.fn, Literal(contact.name)))
    if contact.mail:
        graph.add((card, VCARD.hasEmail, URIRef(f"mailto:{contact.mail}")))
    if contact.page:
        graph.add((card, VCARD.hasURL, URIRef(contact.page)))
    if contact.phone:
        graph.add((card, VCARD.hasTelephone, URIRef(f"tel:{contact.phone.replace(' ', '-')}")))


def add_place(graph: Graph, subject: Node, box: Box | None, outline: str | Mapping[str, Any] = "") -> None:
    """Where it lies: a box as WKT, and the outline as GeoJSON where there is one."""
    if box is None and not outline:
        return
    place = BNode()
    graph.add((subject, DCTERMS.spatial, place))
    graph.add((place, RDF.type, DCTERMS.Location))
    if box is not None:
        west, south, east, north = (f"{degrees:.6f}".rstrip("0").rstrip(".") for degrees in box)
        corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        # a single place is a point: a polygon without an area is none
        single = (west, south) == (east, north)
        ring = ", ".join(f"{lon} {lat}" for lon, lat in corners)
        wkt = f"POINT({west} {south})" if single else f"POLYGON(({ring}))"
        graph.add((place, DCAT.centroid if single else DCAT.bbox, Literal(wkt, datatype=GEO.wktLiteral)))
    if isinstance(outline, Mapping) and outline.get("features"):
        shapes = [feature["geometry"] for feature in outline["features"]]
        shape = shapes[0] if len(shapes) == 1 else {"type": "GeometryCollection", "geometries": shapes}
        text = msgspec.json.encode(shape).decode()
        graph.add((place, LOCN.geometry, Literal(text, datatype=URIRef(f"{IANA}application/vnd.geo+json"))))


def add_period(graph: Graph, subject: Node, start: str, end: str) -> None:
    """From when to when, as far as it is known."""
    if not (start or end):
        return
    period = BNode()
    graph.add((subject, DCTERMS.temporal, period))
    graph.add((period, RDF.type, DCTERMS.PeriodOfTime))
    if start:
        graph.add((period, DCAT.startDate, day(start)))
    if end:
        graph.add((period, DCAT.endDate, day(end)))


def add_quality(graph: Graph, subject: URIRef, root: str, quality: Quality | None) -> None:
    """What was measured (DQV); what was not is not said."""
    if quality is None:
        return
    until = Literal(_moment(quality.measured_at), datatype=XSD.dateTime)
    for name in METRICS:
        value = getattr(quality, name)
        if value is None:
            continue
        metric, measured = add_metric(graph, root, name), BNode()
        graph.add((subject, DQV.hasQualityMeasurement, measured))
        graph.add((measured, RDF.type, DQV.QualityMeasurement))
        graph.add((measured, DQV.isMeasurementOf, metric))
        graph.add((measured, DQV.value, Literal(f"{value:.4f}", datatype=XSD.decimal)))
        graph.add((measured, PROV.generatedAtTime, until))


def add_metric(graph: Graph, root: str, name: str) -> URIRef:
    """What a figure of quality means."""
    metric = URIRef(f"{root}/catalog#{name}")
    dimension, definition = METRICS[name]
    graph.add((metric, RDF.type, DQV.Metric))
    graph.add((metric, DQV.inDimension, dimension))
    graph.add((metric, DQV.expectedDataType, XSD.decimal))
    say(graph, metric, SKOS.definition, definition)
    return metric


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def add_terms(graph: Graph, subject: Node, entry: Entry) -> None:
    """Licence, attribution and access: the same for a dataset's distributions and services."""
    licence = entry.licence
    add_named(graph, subject, DCTERMS.license, licence.uri, DCTERMS.LicenseDocument)
    if licence.uri.endswith(("/other-closed", "/other-open", "/other-commercial")):
        rights = URIRef(f"{entry.address}#rights")
        graph.add((subject, DCTERMS.rights, rights))
        graph.add((rights, RDF.type, DCTERMS.RightsStatement))
        say(graph, rights, RDFS.label, licence.label)


def add_distribution(graph: Graph, entry: Entry, way: Distribution, catalogue: Catalogue) -> None:
    """One way to the data."""
    dataset = URIRef(entry.address)
    node = URIRef(f"{entry.address}#{way.name}")
    graph.add((dataset, DCAT.distribution, node))
    graph.add((node, RDF.type, DCAT.Distribution))
    say(graph, node, DCTERMS.title, way.title)
    graph.add((node, DCAT.accessURL, URIRef(way.address)))
    if way.download:
        graph.add((node, DCAT.downloadURL, URIRef(way.download)))
    add_terms(graph, node, entry)
    if entry.dataset.attribution:
        graph.add((node, DCATDE.licenseAttributionByText, Literal(entry.dataset.attribution)))
    add_policy(graph, node, entry, catalogue)
    add_availability(graph, node, entry.dataset)
    for law in entry.legislation:
        add_named(graph, node, DCATAP.applicableLegislation, law, ELI.LegalResource)
    term = vocabulary.find(vocabulary.FORMATS, way.format)
    if term is not None:
        graph.add((node, DCTERMS["format"], URIRef(term.uri)))
        graph.add((node, DCAT.mediaType, URIRef(IANA + str(term.more["media"]))))
    for standard in way.conforms_to:
        add_named(graph, node, DCTERMS.conformsTo, standard, DCTERMS.Standard)
    if any(service.name == way.service for service in catalogue.services):
        graph.add((node, DCAT.accessService, URIRef(f"{catalogue.root}/catalog#service-{way.service}")))


_SHA256 = {
    True: SPDX.checksumAlgorithm_sha256,
    # DCAT-AP.de 2.0 has a list of its own, and its shapes ask for the list's name
    False: URIRef("http://dcat-ap.de/def/hashAlgorithms/sha/256"),
}
_ALGORITHMS = URIRef("http://dcat-ap.de/def/hashAlgorithms")


def add_file(graph: Graph, entry: Entry, way: Distribution, *, newer: bool) -> None:
    """Size and checksum of a distribution that is one file; ``newer``: as DCAT-AP 3 writes them."""
    node = URIRef(f"{entry.address}#{way.name}")
    if way.size:
        kind = XSD.nonNegativeInteger if newer else XSD.decimal
        graph.add((node, DCAT.byteSize, Literal(str(way.size), datatype=kind)))
    if way.sha256:
        sum_ = URIRef(f"{node}-checksum")
        graph.add((node, SPDX.checksum, sum_))
        graph.add((sum_, RDF.type, SPDX.Checksum))
        graph.add((sum_, SPDX.algorithm, _SHA256[newer]))
        graph.add((sum_, SPDX.checksumValue, Literal(way.sha256, datatype=XSD.hexBinary)))
        if newer:
            graph.add((_SHA256[newer], RDF.type, SPDX.ChecksumAlgorithm))
        else:
            graph.add((_SHA256[newer], SKOS.inScheme, _ALGORITHMS))


def add_policy(graph: Graph, subject: Node, entry: Entry, catalogue: Catalogue) -> None:
    """What licence or grants say in the words of ODRL, at an address of its own."""
    if entry.policy:
        add_named(graph, subject, ODRL.hasPolicy, f"{catalogue.root}/policies/{entry.policy}", ODRL.Policy)


def add_service(graph: Graph, service: Service, entries: list[Entry], catalogue: Catalogue) -> URIRef:
    """An interface, and the datasets that it serves; of high-value ones it takes law and category (HVD 3.0, 4.2)."""
    node = URIRef(f"{catalogue.root}/catalog#service-{service.name}")
    graph.add((node, RDF.type, DCAT.DataService))
    say(graph, node, DCTERMS.title, service.title)
    graph.add((node, DCAT.endpointURL, URIRef(service.endpoint)))
    graph.add((node, DCTERMS.publisher, add_agent(graph, catalogue.root, catalogue.publisher)))
    add_contact(graph, node, catalogue.contact)
    if service.description:
        graph.add((node, DCAT.endpointDescription, URIRef(service.description)))
    if service.documentation:
        add_named(graph, node, FOAF.page, service.documentation, FOAF.Document)
    for standard in service.conforms_to:
        add_named(graph, node, DCTERMS.conformsTo, standard, DCTERMS.Standard)
    for entry in entries:
        if any(way.service == service.name for way in entry.distributions):
            graph.add((node, DCAT.servesDataset, URIRef(entry.address)))
            add_law(graph, node, entry)
    return node


def add_law(graph: Graph, subject: Node, entry: Entry) -> None:
    """Legislation, and the categories of high-value data."""
    for law in entry.legislation:
        add_named(graph, subject, DCATAP.applicableLegislation, law, ELI.LegalResource)
    for word in entry.dataset.high_value:
        category = vocabulary.find(vocabulary.HIGH_VALUE, word)
        if category is not None:
            graph.add((subject, DCATAP.hvdCategory, URIRef(category.uri)))


def add_availability(graph: Graph, subject: Node, dataset: DatasetProfile) -> None:
    """How long it is meant to be there."""
    term = vocabulary.find(vocabulary.AVAILABILITIES, dataset.availability)
    if term is not None:
        graph.add((subject, DCATAP.availability, URIRef(term.uri)))


def add_languages(graph: Graph, subject: Node, languages: tuple[str, ...]) -> None:
    """Languages by the list of the European Union, as far as it is here."""
    for tag in languages:
        term = vocabulary.find(vocabulary.LANGUAGES, tag.split("-")[0])
        if term is not None:
            graph.add((subject, DCTERMS.language, URIRef(term.uri)))
