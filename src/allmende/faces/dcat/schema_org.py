"""A dataset for search engines: schema.org's Dataset as JSON-LD, for a data block in its page."""

from typing import Any

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.dataset import Organisation


def describe(entry: Entry, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """What Google Dataset Search and others read; what is not known is left out."""
    dataset = entry.dataset
    said: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": entry.address,
        "url": entry.address,
        "sameAs": entry.origin.uri if entry.origin else "",
        "identifier": entry.address,
        "name": _in(dataset.title, language),
        "description": _in(dataset.description, language),
        "inLanguage": list(catalogue.languages),
        "isAccessibleForFree": dataset.access == "open",
        "license": entry.licence.more.get("url") or entry.licence.uri,
        "creditText": dataset.attribution,
        "keywords": dataset.keywords.get(language) or next(iter(dataset.keywords.values()), []),
        "publisher": _organisation(entry.publisher),
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "@id": f"{catalogue.root}/catalog",
            "name": _in(catalogue.title, language),
        },
        "datePublished": entry.issued,
        "dateModified": entry.modified,
        "temporalCoverage": f"{entry.start or '..'}/{entry.end or '..'}" if entry.start or entry.end else "",
        "version": dataset.version.number if dataset.version else "",
        "distribution": [_download(way.address, way.format, _in(way.title, language)) for way in entry.distributions],
    }
    if dataset.creator:
        said["creator"] = _organisation(catalogue.organisations[dataset.creator])
    if entry.bbox is not None:
        west, south, east, north = entry.bbox
        said["spatialCoverage"] = {
            "@type": "Place",
            "geo": {"@type": "GeoShape", "box": f"{south:g} {west:g} {north:g} {east:g}"},
        }
    return {name: value for name, value in said.items() if value not in ("", [], None)}


def data_block(said: dict[str, Any]) -> str:
    """JSON that may stand in a page: nothing in it ends the element that holds it."""
    text = msgspec.json.encode(said).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _in(texts: Any, language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")


def _organisation(organisation: Organisation) -> dict[str, Any]:
    said = {"@type": "Organization", "name": organisation.name}
    if organisation.page:
        said["url"] = organisation.page
    return said


def _download(address: str, format_: str, name: str) -> dict[str, Any]:
    said = {"@type": "DataDownload", "name": name, "contentUrl": address}
    term = vocabulary.find(vocabulary.FORMATS, format_)
    if term is not None:
        said["encodingFormat"] = str(term.more["media"])
    return said
