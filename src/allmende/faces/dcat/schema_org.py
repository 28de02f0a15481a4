"""A dataset for search engines: schema.org's Dataset as JSON-LD, for a data block in its page."""

from typing import Any

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.dataset import Organisation
from allmende.domain.features import Box

_LEAST, _MOST = 50, 5000


def describe(entry: Entry, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """What Google Dataset Search and others read; what is not known is left out."""
    dataset = entry.dataset
    said: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": entry.address,
        "url": entry.address,
        "identifier": entry.address,
        "name": _in(dataset.title, language),
        "description": _told(entry, language),
        "inLanguage": list(catalogue.languages),
        "isAccessibleForFree": dataset.access == "open",
        "license": entry.licence.more.get("url") or entry.licence.uri,
        "creditText": dataset.attribution,
        "keywords": dataset.keywords.get(language) or next(iter(dataset.keywords.values()), []),
        "publisher": _organisation(entry.publisher),
        "creator": _organisation(catalogue.organisations.get(dataset.creator or dataset.originator, entry.publisher)),
        "sameAs": [name for name in dataset.other_ids if name.startswith(("http://", "https://"))],
        "isPartOf": f"{catalogue.root}/dataset/{dataset.part_of}" if dataset.part_of else "",
        "hasPart": [f"{catalogue.root}/dataset/{name}" for name in entry.members],
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "@id": f"{catalogue.root}/catalog",
            "name": _in(catalogue.title, language),
        },
        "datePublished": entry.issued,
        "dateModified": entry.modified,
        "temporalCoverage": f"{entry.start or '..'}/{entry.end or '..'}" if entry.start or entry.end else "",
        "version": _version(entry),
        "distribution": [_download(way.address, way.format, _in(way.title, language)) for way in entry.distributions],
    }
    if entry.bbox is not None:
        said["spatialCoverage"] = {"@type": "Place", "geo": _geo(entry.bbox)}
    return {name: value for name, value in said.items() if value not in ("", [], None)}


def data_block(said: dict[str, Any]) -> str:
    """JSON that may stand in a page: nothing in it ends the element that holds it."""
    text = msgspec.json.encode(said).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _told(entry: Entry, language: str) -> str:
    """The description, of 50 to 5,000 signs: others are no datasets to Google."""
    text = _in(entry.dataset.description, language)
    if len(text) < _LEAST:
        text = (
            f"{text.rstrip()} ({_in(entry.dataset.title, language)}, {entry.publisher.name}, {entry.address})".strip()
        )
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _version(entry: Entry) -> str:
    if entry.dataset.version:
        return entry.dataset.version.number
    return str(entry.editions[-1].number) if entry.editions else ""


def _geo(box: Box) -> dict[str, Any]:
    """A box as schema.org has it, latitude first; a single place as a point."""
    west, south, east, north = (round(degrees, 6) for degrees in box)
    if (west, south) == (east, north):
        return {"@type": "GeoCoordinates", "latitude": south, "longitude": west}
    return {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}


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
