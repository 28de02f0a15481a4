"""Features of a collection, a page of them or one (17-069r4, 7.15 and 7.16).

Geometry and properties go from the store into the answer as they are; only another reference system opens them.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec

from allmende.domain.creation import encode
from allmende.domain.errors import InvalidQuery, NotFound
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.features import FeatureQuery, KeptFeature
from allmende.domain.query import Expression, Logic
from allmende.domain.sifting import GEOMETRY
from allmende.domain.store import Store
from allmende.domain.times import format_instant
from allmende.faces.ogc.answers import GEOJSON, HTML, JSON, Answer, Page, link, own_links, tagged
from allmende.faces.ogc.cql import parse_cql, properties
from allmende.faces.ogc.crs import Crs, box_area, in_system, read_bbox, read_crs
from allmende.faces.ogc.layers import Layer
from allmende.faces.ogc.options import ITEM, ITEMS, read_flag, read_limit, read_span, read_texts, wants_page
from allmende.faces.ogc.schemas import queryables


class Asked(msgspec.Struct, frozen=True):
    """A question with what belongs to its answer alone."""

    query: FeatureQuery
    system: Crs
    count: bool
    texts: dict[str, str]


def read_items(request: Request, layer: Layer, store: Store, limits: FaceLimits) -> Answer:
    """A page of features."""
    asked = parse_items(request, layer, store, limits)
    page = store.features(asked.query)
    extra = {"numberReturned": len(page.items)}
    matched = _matched(asked, layer, store, len(page.items), page.next)
    if matched is not None:
        extra["numberMatched"] = matched
    links = own_links(request, GEOJSON)
    page_wanted = wants_page(request)
    if page.next is not None:
        links.append(link("next", next_page(request, asked.texts, page.next), HTML if page_wanted else GEOJSON))
    links.append(link("collection", f"{request.root}/collections/{layer.id}", JSON, layer.title))
    # without a timeStamp: the answer would never be as the client has it
    members = {**extra, "links": links}
    if layer.words.simulated:
        members["simulated"] = True
    features = ",".join(render(page.items, asked.system))
    if page_wanted:
        told = {**members, "features": msgspec.json.decode(f"[{features}]")}
        return Page(name="items", value=told, layer=layer, headers=_in_crs(asked.system))
    head = encode(members)
    body = f'{{"type":"FeatureCollection",{head[1:-1]},"features":[{features}]}}'.encode()
    return _answer(request, body, asked.system)


def read_item(request: Request, layer: Layer, name: str, store: Store) -> Answer:
    """One feature; what has gone is there no more."""
    system = read_crs(read_texts(request.query, ITEM), "crs")
    item = store.feature(request.reader, layer.source, name, things=layer.things)
    if item.gone_at is not None:
        raise NotFound(f"there is no feature {name!r} in the collection {layer.id!r}")
    links = own_links(request, GEOJSON)
    links.append(link("collection", f"{request.root}/collections/{layer.id}", JSON, layer.title))
    body = f'{render([item], system)[0][:-1]},"links":{encode(links)}}}'.encode()
    if wants_page(request):
        return Page(name="item", value=msgspec.json.decode(body), layer=layer, headers=_in_crs(system))
    return _answer(request, body, system)


def parse_items(request: Request, layer: Layer, store: Store, limits: FaceLimits) -> Asked:
    """The question that the options ask."""
    texts = read_texts(request.query, ITEMS, others=True)
    others = [name for name in texts if name not in ITEMS]
    if others:
        known = queryables(store, request.reader, layer)
        for name in others:
            if name not in known:
                listed = ", ".join([*ITEMS, *known])
                raise InvalidQuery(f"there is no such option or property here; known are {listed}", where=name[:80])
    start, end = read_span(texts)
    query = FeatureQuery(
        collection=layer.source,
        reader=request.reader,
        things=layer.things,
        simulated=True,
        bbox=read_bbox(texts, read_crs(texts, "bbox-crs")),
        start=start,
        end=end,
        equals=[(name, texts[name]) for name in others],
        filter=_filter(request, texts, layer, store, limits),
        after=texts.get("after"),
        top=read_limit(texts, limits),
    )
    return Asked(query, read_crs(texts, "crs"), read_flag(texts, "count"), texts)


def _filter(
    request: Request, texts: dict[str, str], layer: Layer, store: Store, limits: FaceLimits
) -> Expression | None:
    if texts.get("filter-lang", "cql2-text") != "cql2-text":
        raise InvalidQuery("there is cql2-text alone", where="filter-lang")
    system = read_crs(texts, "filter-crs")
    box = box_area(texts, read_crs(texts, "bbox-crs"))
    if "filter" not in texts:
        return box
    limited = {"max_length": limits.filter_length, "max_cost": limits.filter_cost}
    found = parse_cql(texts["filter"], system, **limited)
    if layer.strict:
        known = queryables(store, request.reader, layer)
        for name in sorted(properties(found) - set(known) - {GEOMETRY}):
            raise InvalidQuery(f"there is no property {name[:80]!r}; there are {', '.join(known)}", where="filter")
    return found if box is None else Logic("and", (box, found))


def _matched(asked: Asked, layer: Layer, store: Store, returned: int, following: str | None) -> int | None:
    """How many features match, where that is known: the collection's own figure where nothing narrows it down, a
    single page's, and what was counted because somebody asked for it."""
    query = asked.query
    narrowed = query.bbox or query.equals or query.filter or query.start is not None or query.end is not None
    if layer.count is not None and not narrowed:
        return layer.count
    if query.after is None and following is None:
        return returned
    return store.count_features(query) if asked.count else None


def next_page(request: Request, texts: Mapping[str, str], after: str) -> str:
    """The address of the page behind an id."""
    path = quote(request.path.strip("/"), safe="/:@~,")
    if wants_page(request):
        texts = {**texts, "f": "html"}
    return f"{request.root}/{path}?{urlencode({**texts, 'after': after}, safe=':/,', quote_via=quote)}"


def render(items: Sequence[KeptFeature], system: Crs) -> list[str]:
    """Each feature as GeoJSON. ``time`` stands where its source says since when or until when it holds."""
    geometries = in_system([item.geometry for item in items], system)
    return [
        f'{{"type":"Feature","id":{encode(item.id)},"geometry":{geometry or "null"},'
        f'"properties":{item.properties}{_time(item)}}}'
        for item, geometry in zip(items, geometries, strict=True)
    ]


def _time(item: KeptFeature) -> str:
    if item.valid_from is None and item.valid_to is None:
        return ""
    ends = [".." if end is None else format_instant(end) for end in (item.valid_from, item.valid_to)]
    return f',"time":{{"interval":["{ends[0]}","{ends[1]}"]}}'


def _answer(request: Request, body: bytes, system: Crs) -> Response:
    return tagged(request, Response(status=200, body=body, content_type=GEOJSON, headers=_in_crs(system)))


def _in_crs(system: Crs) -> dict[str, str]:
    return {"Content-Crs": f"<{system.uri}>"}
