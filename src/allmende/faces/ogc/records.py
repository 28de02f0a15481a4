"""The catalogue's datasets as records (OGC API - Records - Part 1, 20-004r1): a collection beside those of features.

Its id holds a colon, as no collection's own does. What the reader may not know of is not in the catalogue that is
handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import shapely

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.creation import encode
from allmende.domain.errors import InvalidQuery, NotFound
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.features import Box, parts
from allmende.domain.times import DAY, parse_instant
from allmende.faces.ogc.answers import GEOJSON, HTML, JSON, Answer, Page, document, link, own_links, tagged
from allmende.faces.ogc.crs import CRS84, read_bbox
from allmende.faces.ogc.items import next_page
from allmende.faces.ogc.layers import About, DatasetWords, Layer
from allmende.faces.ogc.options import ITEM_OF_RECORDS, PAGE, RECORDS, read_limit, read_span, read_texts, wants_page

COLLECTION = "catalogue:datasets"
CORE = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf"
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "de": ("Datensätze", "Der Katalog: was es gibt, wem es gehört, und wie man daran kommt."),
        "en": ("Datasets", "The catalogue: what there is, whose it is, and how to get it."),
    }
)


class Records(NamedTuple):
    """The catalogue of whoever asks, and the names of its datasets that some words lead to, the best first."""

    catalogue: Catalogue
    find: Callable[[str], Sequence[str]]


def layer_of(about: About) -> Layer:
    """The collection itself."""
    title, description = _WORDS.get(about.language, _WORDS["en"])
    words = DatasetWords(title=title, address="/datasets/")
    return Layer(id=COLLECTION, title=title, description=description, dataset="", source="", words=words)


def described(request: Request, layer: Layer, *, listed: bool = True) -> dict[str, Any]:
    """What is said of it, in a list or by itself: where its features are, and that they are records."""
    here = f"{request.root}/collections/{COLLECTION}"
    among = [link("self", here, JSON), link("alternate", f"{here}?f=html", HTML)]
    return {
        "id": layer.id,
        "title": layer.title,
        "description": layer.description,
        "itemType": "record",
        "crs": [CRS84.uri],
        "storageCrs": CRS84.uri,
        "links": [
            *(among if listed else own_links(request, JSON)),
            link("items", f"{here}/items", GEOJSON, layer.title),
            link("items", f"{here}/items?f=html", HTML, layer.title),
        ],
    }


def answer_records(request: Request, rest: Sequence[str], about: About, records: Records, limits: FaceLimits) -> Answer:
    """The collection, a page of it or one record; raises NotFound for anything else."""
    layer = layer_of(about)
    if not rest:
        read_texts(request.query, PAGE)
        return document(request, "collection", described(request, layer, listed=False), layer=layer)
    if rest[0] != "items":
        raise NotFound("there is nothing here")
    if len(rest) == 1:
        return _page(request, layer, about, records, limits)
    read_texts(request.query, ITEM_OF_RECORDS)
    entry = records.catalogue.entry("/".join(rest[1:]))
    if entry is None:
        raise NotFound(f"there is no record {'/'.join(rest[1:])!r}")
    made = _record(entry, records.catalogue, about.language)
    own = [
        *own_links(request, GEOJSON),
        link("collection", f"{request.root}/collections/{COLLECTION}", JSON, layer.title),
    ]
    value = {**made, "links": [*own, *made["links"]]}
    if wants_page(request):
        return Page(name="item", value=value, layer=layer)
    return tagged(request, Response(status=200, body=encode(value).encode(), content_type=GEOJSON))


def _page(request: Request, layer: Layer, about: About, records: Records, limits: FaceLimits) -> Answer:
    texts = read_texts(request.query, RECORDS)
    found = _matching(records, texts)
    after = next((place for place, each in enumerate(found, 1) if each.id == texts.get("after")), 0)
    if "after" in texts and not after:
        raise InvalidQuery("there is no such record behind which to go on", where="after")
    size = read_limit(texts, limits)
    shown = found[after : after + size]
    links = own_links(request, GEOJSON)
    if after + size < len(found):
        kind = HTML if wants_page(request) else GEOJSON
        links.append(link("next", next_page(request, texts, shown[-1].id), kind))
    links.append(link("collection", f"{request.root}/collections/{COLLECTION}", JSON, layer.title))
    value = {
        "type": "FeatureCollection",
        "numberReturned": len(shown),
        "numberMatched": len(found),
        "links": links,
        "features": [_record(each, records.catalogue, about.language) for each in shown],
    }
    if wants_page(request):
        return Page(name="items", value=value, layer=layer)
    return tagged(request, Response(status=200, body=encode(value).encode(), content_type=GEOJSON))


def _matching(records: Records, texts: Mapping[str, str]) -> list[Entry]:
    """In the order of their ids, or the best hits of ``q`` first."""
    entries = {entry.id: entry for entry in sorted(records.catalogue.entries, key=lambda each: each.id)}
    names: Sequence[str] = list(entries)
    if texts.get("q"):
        names = [name for name in records.find(texts["q"].replace(",", " ")) if name in entries]
    if "ids" in texts:
        wanted = set(texts["ids"].split(","))
        names = [name for name in names if name in wanted]
    bbox = read_bbox(texts, CRS84)
    start, end = read_span(texts)
    kinds = set(texts["type"].split(",")) if "type" in texts else {"dataset"}
    others = set(texts["externalIds"].split(",")) if "externalIds" in texts else None
    return [
        entries[name]
        for name in names
        if "dataset" in kinds
        and (bbox is None or _meets(entries[name].bbox, bbox))
        and _holds(entries[name], start, end)
        and (others is None or others & {entries[name].address, *entries[name].dataset.other_ids})
    ]


def _meets(own: Box | None, asked: Box) -> bool:
    return own is not None and any(shapely.intersects(shapely.box(*own), shapely.box(*part)) for part in parts(asked))


def _holds(entry: Entry, start: int | None, end: int | None) -> bool:
    """What has no time always does."""
    if end is not None and entry.start and _edge(entry.start) > end:
        return False
    return start is None or not entry.end or _edge(entry.end) + DAY > start


def _edge(text: str) -> int:
    return parse_instant(f"{_day(text)}T00:00:00Z")


def _day(text: str) -> str:
    """A year or a month by its first day."""
    return (text + "-01-01")[:10] if len(text) < 10 else text[:10]


def _record(entry: Entry, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """A dataset as 20-004r1, 8.2 has it; what is not known is left out."""
    dataset = entry.dataset

    def spoken(texts: Mapping[str, str]) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    said = {
        "type": "dataset",
        "title": spoken(dataset.title),
        "description": spoken(dataset.description),
        "keywords": dataset.keywords.get(language) or next(iter(dataset.keywords.values()), []),
        "language": {"code": language},
        "languages": [{"code": each} for each in catalogue.languages],
        "created": entry.issued,
        "updated": entry.modified,
        "themes": _themes(dataset.themes),
        "contacts": _contacts(entry),
        "license": str(entry.licence.more.get("url") or entry.licence.uri),
        "rights": dataset.attribution,
        "externalIds": [{"value": each} for each in [entry.address, *dataset.other_ids]],
        "formats": [{"name": each} for each in dict.fromkeys(way.format for way in entry.distributions if way.format)],
    }
    ends = [_day(end) if end else ".." for end in (entry.start, entry.end)]
    return {
        "type": "Feature",
        "id": entry.id,
        "conformsTo": [f"{CORE}/record-core"],
        "geometry": None if entry.bbox is None else shapely.geometry.mapping(_shape(entry.bbox)),
        "time": None if ends == ["..", ".."] else {"interval": ends},
        "properties": {name: value for name, value in said.items() if value not in ("", [])},
        "links": _links(entry, spoken),
    }


def _shape(box: Box) -> Any:
    return shapely.Point(box[:2]) if box[:2] == box[2:] else shapely.box(*box)


def _themes(keys: Sequence[str]) -> list[dict[str, Any]]:
    concepts = [{"id": key} for key in keys]
    return [{"concepts": concepts, "scheme": vocabulary.vocabulary(vocabulary.THEMES).scheme}] if concepts else []


def _contacts(entry: Entry) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"organization": entry.publisher.name, "roles": ["publisher"]}]
    if entry.publisher.page:
        found[0]["links"] = [link("about", entry.publisher.page, HTML)]
    contact = entry.contact
    if contact is not None:
        said: dict[str, Any] = {"name": contact.name, "roles": ["pointOfContact"]}
        if contact.mail:
            said["emails"] = [{"value": contact.mail}]
        if contact.phone:
            said["phones"] = [{"value": contact.phone}]
        if contact.page:
            said["links"] = [link("about", contact.page, HTML)]
        found.append(said)
    return found


def _links(entry: Entry, spoken: Callable[[Mapping[str, str]], str]) -> list[dict[str, str]]:
    found = [
        link("describedby", entry.address, HTML, spoken(entry.dataset.title)),
        link("describedby", f"{entry.address}.ttl", "text/turtle", "DCAT-AP.de"),
    ]
    for way in entry.distributions:
        term = vocabulary.find(vocabulary.FORMATS, way.format)
        kind = str(term.more.get("media", "")) if term else ""
        made = link("enclosure" if way.download else "item", way.download or way.address, kind, spoken(way.title))
        found.append({name: value for name, value in made.items() if value})
    return found
