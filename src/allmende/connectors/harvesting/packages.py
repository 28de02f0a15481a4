"""A package of CKAN as RDF, with the words that ckanext-dcat has for its fields and extras.

What has no word there is not in the graph; the package itself is kept beside it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from rdflib import BNode, Literal, URIRef
from rdflib.namespace import DCTERMS, FOAF, OWL, RDF, RDFS, SKOS, XSD
from rdflib.term import Node

from allmende.connectors.harvesting.rdf import ADMS, DCAT, DCATAP, DCATDE, LOCN, VCARD, Triple, mended

_WEB = re.compile(r"https?://[^\s/][^\r\n]*\Z")
"""Many portals have addresses with blanks, which are mended."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
_GEO = URIRef("https://www.iana.org/assignments/media-types/application/vnd.geo+json")
_LINKS = {
    "frequency": DCTERMS.accrualPeriodicity, "access_rights": DCTERMS.accessRights,
    "contributorID": DCATDE.contributorID,
    "politicalGeocodingLevelURI": DCATDE.politicalGeocodingLevelURI, "availability": DCATAP.availability,
    "type": DCTERMS.type,
}  # fmt: skip
"""Extras whose values are addresses of words."""
_LISTS = {
    "language": DCTERMS.language, "theme": DCAT.theme, "conforms_to": DCTERMS.conformsTo, "documentation": FOAF.page,
    "related_resource": DCTERMS.relation, "source": DCTERMS.source, "has_version": DCTERMS.hasVersion,
    "is_version_of": DCTERMS.isVersionOf, "politicalGeocodingURI": DCATDE.politicalGeocodingURI,
    "applicable_legislation": DCATAP.applicableLegislation, "hvd_category": DCATAP.hvdCategory, "sample": ADMS.sample,
}  # fmt: skip
"""Extras whose values are lists of addresses, as JSON or alone."""
_TEXTS = {"version_notes": ADMS.versionNotes, "legalbasisText": DCATDE.legalBasis, "legalBasis": DCATDE.legalBasis,
          "geocodingText": DCATDE.geocodingDescription}  # fmt: skip
_AGENTS = {"maintainer": DCATDE.maintainer, "originator": DCATDE.originator, "author": DCTERMS.creator,
           "contributor": DCTERMS.contributor}  # fmt: skip


def triples_of(package: dict[str, Any], root: str) -> list[Triple]:
    """The statements of a package that has an ``id``; ``root`` is the address of its CKAN."""
    extras = _extras(package.get("extras"))
    uri = extras.get("uri", "")
    node = URIRef(uri if _WEB.match(uri) else f"{root}/dataset/{package['id']}")
    found = [(node, RDF.type, DCAT.Dataset), *_plain(node, package, extras), *_more(node, extras)]
    found += [*_agents(node, package, extras), *_extent(node, package, extras)]
    for resource in _dicts(package.get("resources")):
        found += _resource(node, resource, package, root)
    return [mended(triple) for triple in dict.fromkeys(found)]


def _extras(value: Any) -> dict[str, str]:
    found = {}
    for each in _dicts(value):
        key, said = each.get("key"), each.get("value")
        if isinstance(key, str) and said not in (None, "", [], {}):
            found[key] = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    return found


def _plain(node: Node, package: dict[str, Any], extras: dict[str, str]) -> Iterator[Triple]:
    for name, word in (("title", DCTERMS.title), ("notes", DCTERMS.description), ("version", OWL.versionInfo)):
        yield from _text(node, word, package.get(name))
    for name, word in _TEXTS.items():
        yield from _text(node, word, extras.get(name))
    yield from _text(node, DCTERMS.identifier, extras.get("identifier") or extras.get("guid") or package["id"])
    for name in _list(extras.get("alternate_identifier", "")):
        other = BNode()
        yield node, ADMS.identifier, other
        yield other, RDF.type, ADMS.Identifier
        yield other, SKOS.notation, Literal(name)
    for each in _dicts(package.get("tags")):
        yield from _text(node, DCAT.keyword, each.get("display_name") or each.get("name"))
    if _is_web(package.get("url")):
        yield node, DCAT.landingPage, URIRef(package["url"])
    yield from _time(node, DCTERMS.issued, extras.get("issued") or package.get("metadata_created"))
    yield from _time(node, DCTERMS.modified, extras.get("modified") or package.get("metadata_modified"))


def _more(node: Node, extras: dict[str, str]) -> Iterator[Triple]:
    for name, word in _LINKS.items():
        if name in extras:
            yield from _link(node, word, extras[name])
    for name, word in _LISTS.items():
        for each in _list(extras.get(name, "")):
            yield from _link(node, word, each)
    if extras.get("provenance"):
        origin = BNode()
        yield node, DCTERMS.provenance, origin
        yield origin, RDF.type, DCTERMS.ProvenanceStatement
        yield origin, RDFS.label, Literal(extras["provenance"])


def _agents(node: Node, package: dict[str, Any], extras: dict[str, str]) -> Iterator[Triple]:
    body = package.get("organization")
    organisation = body if isinstance(body, dict) else {}
    name = extras.get("publisher_name") or organisation.get("title") or organisation.get("name")
    if isinstance(name, str) and name:
        uri = extras.get("publisher_uri", "")
        yield from _agent(
            node, DCTERMS.publisher, name, extras.get("publisher_email"), extras.get("publisher_url"), uri
        )
    for key, word in _AGENTS.items():
        if extras.get(f"{key}_name"):
            yield from _agent(node, word, extras[f"{key}_name"], extras.get(f"{key}_email"), extras.get(f"{key}_url"))
    for name, mail in (
        (extras.get("contact_name"), extras.get("contact_email")),
        (package.get("maintainer"), package.get("maintainer_email")),
        (package.get("author"), package.get("author_email")),
    ):
        if (isinstance(name, str) and name) or (isinstance(mail, str) and mail):
            card = BNode()
            yield node, DCAT.contactPoint, card
            yield card, RDF.type, VCARD.Kind
            yield from _text(card, VCARD.fn, name)
            if isinstance(mail, str) and mail:
                yield card, VCARD.hasEmail, URIRef(f"mailto:{mail}")
            break


def _agent(node: Node, word: URIRef, name: str, mail: Any, page: Any, uri: str = "") -> Iterator[Triple]:
    agent: Node = URIRef(uri) if _is_web(uri) else BNode()
    yield node, word, agent
    yield agent, RDF.type, FOAF.Agent
    yield agent, FOAF.name, Literal(name)
    if isinstance(mail, str) and mail:
        yield agent, FOAF.mbox, URIRef(f"mailto:{mail.removeprefix('mailto:')}")
    if _is_web(page):
        yield agent, FOAF.homepage, URIRef(page)


def _extent(node: Node, package: dict[str, Any], extras: dict[str, str]) -> Iterator[Triple]:
    begin, end = (extras.get(f"temporal_{side}") for side in ("start", "end"))
    if begin or end:
        period = BNode()
        yield node, DCTERMS.temporal, period
        yield period, RDF.type, DCTERMS.PeriodOfTime
        yield from _time(period, DCAT.startDate, begin)
        yield from _time(period, DCAT.endDate, end)
    shape = extras.get("spatial") or package.get("spatial")
    if isinstance(shape, str) and shape.lstrip().startswith("{"):
        place = BNode()
        yield node, DCTERMS.spatial, place
        yield place, RDF.type, DCTERMS.Location
        yield place, LOCN.geometry, Literal(shape, datatype=_GEO)
    yield from _link(node, DCTERMS.spatial, extras.get("spatial_uri", ""))


def _resource(node: Node, resource: dict[str, Any], package: dict[str, Any], root: str) -> Iterator[Triple]:
    id_, uri = resource.get("id"), resource.get("uri")
    way: Node = BNode()
    if _is_web(uri):
        way = URIRef(uri)
    elif isinstance(id_, str) and id_:
        way = URIRef(f"{root}/dataset/{package['id']}/resource/{id_}")
    yield node, DCAT.distribution, way
    yield way, RDF.type, DCAT.Distribution
    yield from _text(way, DCTERMS.title, resource.get("name"))
    yield from _text(way, DCTERMS.description, resource.get("description"))
    for name, word in (("url", DCAT.accessURL), ("access_url", DCAT.accessURL), ("download_url", DCAT.downloadURL)):
        if _is_web(resource.get(name)):
            yield way, word, URIRef(resource[name])
    said = resource.get("license") or package.get("license_url") or package.get("license_title")
    yield from _link(way, DCTERMS.license, said or package.get("license_id") or "")
    by = resource.get("licenseAttributionByText") or _extras(package.get("extras")).get("licenseAttributionByText")
    yield from _text(way, DCATDE.licenseAttributionByText, by)
    yield from _link(way, DCTERMS["format"], resource.get("format") or "")
    yield from _text(way, DCAT.mediaType, resource.get("mimetype"))
    yield from _time(way, DCTERMS.issued, resource.get("created"))
    yield from _time(way, DCTERMS.modified, resource.get("last_modified"))
    size = resource.get("size")
    if isinstance(size, int) and size >= 0:
        yield way, DCAT.byteSize, Literal(str(size), datatype=XSD.nonNegativeInteger)


def _text(node: Node, word: URIRef, said: Any) -> Iterator[Triple]:
    if isinstance(said, str) and said.strip():
        yield node, word, Literal(said)


def _link(node: Node, word: URIRef, said: Any) -> Iterator[Triple]:
    """An address; a text where there is none, as most portals have it."""
    if isinstance(said, str) and said.strip():
        yield node, word, URIRef(said.strip()) if _is_web(said.strip()) else Literal(said)


def _time(node: Node, word: URIRef, said: Any) -> Iterator[Triple]:
    if isinstance(said, str) and said:
        kind = XSD.date if _DAY.match(said) else XSD.dateTime if _TIME.match(said) else None
        yield node, word, Literal(said, datatype=kind)


def _is_web(said: Any) -> bool:
    return isinstance(said, str) and bool(_WEB.match(said))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _list(text: str) -> Iterable[str]:
    """A JSON list of texts, or the text itself."""
    if text.lstrip().startswith("["):
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return [text]
        return [each for each in found if isinstance(each, str) and each]
    return [text] if text else []
