"""What pages, search and CKAN tell of a dataset, read from its statements. What is not understood is left out here; it
stays in the graph."""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from urllib.parse import unquote

import shapely
from rdflib import BNode, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, OWL, RDF, RDFS, SKOS
from rdflib.term import Node

from allmende.connectors.harvesting.rdf import ADMS, DCAT, DCATAP, DCATDE, LOCN, SCHEMA, VCARD, Triple
from allmende.domain import vocabulary
from allmende.domain.dataset import Contact, Texts
from allmende.domain.features import Box
from allmende.domain.harvest import Said, Way

_MOST_WAYS, _MOST_WORDS, _LONGEST = 500, 200, 20_000
_GLOBAL = re.compile(
    r"(?:https?://\S+|urn:\S+|10\.\d{4,9}/\S+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\Z", re.IGNORECASE
)
_WEB = re.compile(r"https?://[^\s<>\"]+\Z")
_LANGUAGE = re.compile(r"[a-z]{2}(?:-.*)?\Z", re.IGNORECASE)
_DAY = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?", re.ASCII)


class Statements:
    """Statements by what they are about."""

    def __init__(self, triples: Iterable[Triple], language: str) -> None:
        self._about: dict[Node, list[tuple[Node, Node]]] = defaultdict(list)
        for subject, predicate, object_ in triples:
            self._about[subject].append((predicate, object_))
        self._language = language

    def all(self, node: Node | None, *names: URIRef) -> list[Node]:
        """The values of properties, of the first named first, else in the order of their letters."""
        said = self._about.get(node, []) if node is not None else []
        return [o for name in names for o in sorted((o for p, o in said if p == name), key=str)]

    def one(self, node: Node | None, *names: URIRef) -> Node | None:
        """One value, or None."""
        found = self.all(node, *names)
        return found[0] if found else None

    def text(self, node: Node | None, *names: URIRef) -> str:
        """One value as text, "" for none."""
        found = self.one(node, *names)
        return "" if found is None or isinstance(found, BNode) else str(found).strip()[:_LONGEST]

    def texts(self, node: Node | None, *names: URIRef) -> Texts:
        """Texts by language; those without one are of the harvest's."""
        found: dict[str, str] = {}
        for each in self.all(node, *names):
            if isinstance(each, Literal) and str(each).strip():
                tag = each.language or self._language
                found.setdefault(tag.split("-")[0].lower() if _LANGUAGE.match(tag) else self._language,
                                 str(each).strip()[:_LONGEST])  # fmt: skip
        return found

    def web(self, node: Node | None, *names: URIRef) -> str:
        """The first address, "" for none. A literal will do: many write one."""
        return next((str(each) for each in self.all(node, *names) if _WEB.match(str(each))), "")

    def term(self, listed: str, node: Node | None) -> str:
        """The key of a list's word, by its URI or its last part; "" for none."""
        return "" if node is None else key_of(listed, str(node))


def key_of(listed: str, text: str) -> str:
    """The key of a list's word, by its URI, its key or the last part of another URI; "" for none."""
    terms = vocabulary.vocabulary(listed).terms
    plain = text.strip().rstrip("/")
    for key, term in terms.items():
        if plain in (term.uri.rstrip("/"), key) or plain == str(term.more.get("url", "")).rstrip("/"):
            return key
    last = plain.rpartition("/")[2].upper()
    return next((key for key in terms if key.upper() == last), "")


def licence_of(text: str) -> str:
    """The key of a licence, or what was said."""
    plain = re.sub(r"^https?://(?:www\.)?", "", text.strip().rstrip("/")).lower()
    plain = re.sub(r"/(?:legalcode|deed)(?:\.\w+)?$", "", plain)
    for key, term in vocabulary.vocabulary(vocabulary.LICENCES).terms.items():
        known = [key, term.uri, *(str(term.more.get(name, "")) for name in ("url", "spdx", "govdata"))]
        known += [f"publications.europa.eu/resource/authority/licence/{term.more['eu']}"] if "eu" in term.more else []
        if plain in {re.sub(r"^https?://(?:www\.)?", "", each.rstrip("/")).lower() for each in known if each}:
            return key
    return text.strip()


def read_said(node: Node, triples: Iterable[Triple], language: str) -> Said:
    """A dataset's description; ``language`` is that of texts that do not say theirs."""
    about = Statements(triples, language)
    publisher = about.one(node, DCTERMS.publisher) or about.one(node, DCTERMS.creator)
    period = about.one(node, DCTERMS.temporal)
    ways = tuple(_way(about, way) for way in about.all(node, DCAT.distribution)[:_MOST_WAYS])
    licences = [way.licence for way in ways if way.licence] or [_licence(about, node)]
    series = (RDF.type, DCAT.DatasetSeries) in {(RDF.type, each) for each in about.all(node, RDF.type)}
    return Said(
        title=about.texts(node, DCTERMS.title),
        description=about.texts(node, DCTERMS.description),
        publisher=_name(about, publisher),
        publisher_page=about.web(publisher, FOAF.homepage),
        publisher_mail=_mail(about.text(publisher, FOAF.mbox, VCARD.hasEmail)),
        contact=_contact(about, about.one(node, DCAT.contactPoint)),
        licence=max(dict.fromkeys(licences), key=licences.count),
        attribution=_attribution(about, node),
        themes=_terms(about, vocabulary.THEMES, about.all(node, DCAT.theme)),
        keywords=_keywords(about, node, language),
        geocoding=_geocoding(about.all(node, DCATDE.politicalGeocodingURI, DCTERMS.spatial)),
        bbox=_box(about, node),
        start=day(about.text(period, DCAT.startDate, SCHEMA.startDate)),
        end=day(about.text(period, DCAT.endDate, SCHEMA.endDate)),
        periodicity=about.term(vocabulary.FREQUENCIES, about.one(node, DCTERMS.accrualPeriodicity)),
        provenance=about.texts(about.one(node, DCTERMS.provenance), RDFS.label),
        landing_page=about.web(node, DCAT.landingPage),
        documentation=tuple(str(each) for each in about.all(node, FOAF.page) if _WEB.match(str(each)))[:_MOST_WORDS],
        legal_basis=about.texts(node, DCATDE.legalBasis),
        legislation=tuple(str(each) for each in about.all(node, DCATAP.applicableLegislation) if _WEB.match(str(each))),
        high_value=_terms(about, vocabulary.HIGH_VALUE, about.all(node, DCATAP.hvdCategory)),
        availability=about.term(vocabulary.AVAILABILITIES, about.one(node, DCATAP.availability)),
        access=_access(about, node),
        issued=day(about.text(node, DCTERMS.issued)),
        modified=max((day(str(each)) for each in about.all(node, DCTERMS.modified)), default=""),
        version=about.text(node, DCAT.version, OWL.versionInfo),
        series=series,
        ways=tuple(way for way in ways if way.address),
    )  # fmt: skip


def names_of(node: Node, triples: Iterable[Triple]) -> tuple[str, ...]:
    """By what other catalogues may know it: its URI and what identifies it in the whole world."""
    about = Statements(triples, "")
    names = [str(node)] if isinstance(node, URIRef) else []
    names += [str(each) for each in about.all(node, DCTERMS.identifier)]
    names += [about.text(each, SKOS.notation) for each in about.all(node, ADMS.identifier)]
    return tuple(dict.fromkeys(plain for name in names if _GLOBAL.match(plain := name.strip()) and len(plain) < 500))


def page_of(node: Node, triples: Iterable[Triple]) -> str:
    """Where people read of it at its origin: its landing page, else its URI if that is an address."""
    landing = Statements(triples, "").web(node, DCAT.landingPage)
    return landing or (str(node) if isinstance(node, URIRef) and _WEB.match(str(node)) else "")


def day(text: str) -> str:
    """The day, month or year that a text begins with, "" for none."""
    match = _DAY.match(text.strip())
    if not match:
        return ""
    try:
        date.fromisoformat((match[0] + "-01-01")[:10])
    except ValueError:
        return ""
    return match[0]


def _way(about: Statements, node: Node) -> Way:
    download = about.web(node, DCAT.downloadURL)
    return Way(
        address=about.web(node, DCAT.accessURL) or download,
        title=about.texts(node, DCTERMS.title),
        download=download,
        format=_format(about, node),
        licence=_licence(about, node),
    )


def _attribution(about: Statements, node: Node) -> str:
    ways = about.all(node, DCAT.distribution)
    return next((text for way in ways if (text := about.text(way, DCATDE.licenseAttributionByText))), "")


def _format(about: Statements, node: Node) -> str:
    for value in about.all(node, DCTERMS["format"], DCAT.mediaType):
        text = str(value) if not isinstance(value, BNode) else about.text(value, RDFS.label)
        key = key_of(vocabulary.FORMATS, text)
        media = text.rpartition("media-types/")[2].lower()
        terms = vocabulary.vocabulary(vocabulary.FORMATS).terms
        key = key or next((name for name, term in terms.items() if term.more["media"] == media), "")
        if key:
            return key
    return ""


def _licence(about: Statements, node: Node) -> str:
    found = about.one(node, DCTERMS.license)
    if isinstance(found, BNode):
        return licence_of(about.text(found, DCTERMS.title, RDFS.label, DCTERMS.identifier))
    return "" if found is None else licence_of(str(found))


def _name(about: Statements, agent: Node | None) -> str:
    if agent is None:
        return ""
    if isinstance(agent, Literal):
        return str(agent).strip()[:300]
    named = about.texts(agent, FOAF.name, VCARD.fn, RDFS.label, DCTERMS.title)
    last = unquote(str(agent).rstrip("/#").replace("#", "/").rpartition("/")[2]) if isinstance(agent, URIRef) else ""
    return (next(iter(named.values()), "") or last)[:300]


def _contact(about: Statements, card: Node | None) -> Contact | None:
    if card is None:
        return None
    mail = _mail(about.text(card, VCARD.hasEmail) or about.text(about.one(card, VCARD.hasEmail), VCARD.value))
    phone = about.text(card, VCARD.hasTelephone) or about.text(about.one(card, VCARD.hasTelephone), VCARD.hasValue)
    contact = Contact(
        name=about.text(card, VCARD.fn, VCARD["organization-name"])[:300],
        mail=mail,
        page=about.web(card, VCARD.hasURL),
        phone=phone.removeprefix("tel:").replace("-", " ")[:50],
    )
    return contact if contact.name or contact.mail or contact.page else None


def _mail(text: str) -> str:
    plain = text.removeprefix("mailto:").strip()
    return plain if re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+", plain) else ""


def _terms(about: Statements, listed: str, nodes: list[Node]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for node in nodes if (key := about.term(listed, node))))


def _keywords(about: Statements, node: Node, language: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for each in about.all(node, DCAT.keyword)[:_MOST_WORDS]:
        if isinstance(each, Literal) and str(each).strip():
            found.setdefault((each.language or language).split("-")[0].lower(), []).append(str(each).strip()[:200])
    return {tag: tuple(words) for tag, words in found.items()}


def _geocoding(nodes: list[Node]) -> tuple[str, ...]:
    base = vocabulary.geocoding_uri("")
    keys = [str(node).removeprefix(base) for node in nodes if str(node).startswith(base)]
    return tuple(dict.fromkeys(key for key in keys if not vocabulary.geocoding_fault(key)))


def _box(about: Statements, node: Node) -> Box | None:
    for place in about.all(node, DCTERMS.spatial):
        for value in about.all(place, DCAT.bbox, LOCN.geometry, DCAT.centroid):
            box = box_of(str(value))
            if box is not None:
                return box
    return None


def box_of(text: str) -> Box | None:
    """West, south, east, north of WKT or GeoJSON in degrees; None for what is none."""
    plain = re.sub(r"^\s*<[^>]*>\s*", "", text)
    if len(plain) > 1_000_000:
        return None
    try:
        shape = shapely.from_geojson(plain) if plain.lstrip().startswith("{") else shapely.from_wkt(plain)
    except shapely.errors.GEOSException:
        return None
    if shape is None or shape.is_empty:
        return None
    west, south, east, north = (float(side) for side in shape.bounds)
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if inside else None


def _access(about: Statements, node: Node) -> str:
    found = about.one(node, DCTERMS.accessRights)
    if found is None:
        return ""
    if isinstance(found, BNode):
        return about.text(found, RDFS.label)[:300]
    return key_of(vocabulary.ACCESS_RIGHTS, str(found)) or str(found)[:300]
