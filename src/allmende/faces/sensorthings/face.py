"""The face itself: a request becomes a question or a creation, an answer becomes bytes, an error a status."""

from urllib.parse import quote

import msgspec

from allmende.domain import errors, ids
from allmende.domain.aggregation import Table
from allmende.domain.batch import Batch, Receipt, Ref
from allmende.domain.creation import encode, plan_creation
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.model import ENTITIES, SETS, Kind
from allmende.domain.policy import COMMONS
from allmende.domain.query import Page, Query, ResultKind, layout
from allmende.domain.store import Store
from allmende.faces.sensorthings import arrays, batch, batch_json, multipart
from allmende.faces.sensorthings.address import Address, parse_address
from allmende.faces.sensorthings.answers import (
    MINIMAL,
    content_kind,
    decode_body,
    error_response,
    prefers,
    refuse,
    require_writer,
)
from allmende.faces.sensorthings.applying import (
    LATEST,
    LATEST_OPTIONS,
    OPTIONS,
    parse_aggregation,
    parse_latest,
    render_table,
)
from allmende.faces.sensorthings.changing import change, delete
from allmende.faces.sensorthings.conformance import CONFORMANCE, MQTT_CREATING, MQTT_READING
from allmende.faces.sensorthings.echoes import settle_echoes
from allmende.faces.sensorthings.formats.answers import check_format, render_format
from allmende.faces.sensorthings.formats.choice import JSON, Format
from allmende.faces.sensorthings.formats.groups import groups_format, render_groups
from allmende.faces.sensorthings.openapi import MEDIA_TYPE, PATH, document
from allmende.faces.sensorthings.options import Asked, names_option, parse_options, read_texts
from allmende.faces.sensorthings.render import (
    SAFE,
    attribute_json,
    render_entity,
    render_page,
    render_reference,
    render_references,
)
from allmende.faces.sensorthings.rows import entity_link, text
from allmende.faces.tags import etag_of, names_tag

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
__all__ = ["METHODS", "answer", "answer_batch", "error_response"]


def answer(request: Request, store: Store, limits: FaceLimits) -> Response:
    """Answer one request. Known errors become their status; others are the caller's, and LostRace of a transaction
    that the caller began."""
    try:
        _check_length(request, limits)
        if request.method in ("GET", "HEAD"):
            return _read(request, store, limits)
        if request.method == "POST":
            if request.path.strip("/") in arrays.PATHS:
                return arrays.create_observations(request, store, limits)
            if request.path.strip("/") == batch.PATH:
                return answer_batch(request, store, limits, lambda part: answer(part, store, limits))
            return _create(request, store, limits)
        if request.method in ("PATCH", "PUT"):
            return change(request, store, limits)
        if request.method == "DELETE":
            return delete(request, store, limits)
        return refuse(405, f"{request.method} is not among {', '.join(METHODS)}", {"Allow": ", ".join(METHODS)})
    except errors.LostRace:
        raise
    except errors.AllmendeError as error:
        return error_response(error)


def _check_length(request: Request, limits: FaceLimits) -> None:
    """Before anything looks into it; the server's own bound does not hold inside of a batch."""
    if len(request.path) + len(request.query) > limits.address_length:
        raise errors.LimitExceeded("this address is too long", setting="ALLMENDE_ADDRESS_LENGTH")


def answer_batch(request: Request, store: Store, limits: FaceLimits, run: batch.Run) -> Response:
    """Answer a batch, each of its parts by ``run``. Groups of parts are run inside of :meth:`Store.together`."""
    try:
        kind = content_kind(request)
        if kind == multipart.KIND:
            parts = multipart.parse_multipart(request.content_type, request.body, limits)
            return multipart.render_multipart(parts, batch.answer_parts(parts, request, store, limits, run))
        if kind == batch_json.KIND:
            parts = batch_json.parse_json(decode_body(request), limits)
            return batch_json.render_json(parts, batch.answer_parts(parts, request, store, limits, run))
        return refuse(415, f"{kind} is not taken; send {multipart.KIND} or {batch_json.KIND}")
    except errors.AllmendeError as error:
        return error_response(error)


def _read(request: Request, store: Store, limits: FaceLimits) -> Response:
    if not request.path.strip("/"):
        link = f'<{request.root}/{PATH}>; rel="service-desc"; type="{MEDIA_TYPE}"'
        return Response(status=200, body=_landing(request), headers={"Link": link})
    if request.path.strip("/") == PATH:
        return Response(status=200, body=document(limits, request.root), content_type=MEDIA_TYPE)
    if request.path.strip("/").endswith(LATEST):
        return _latest(request, store, limits)
    address = parse_address(request.path)
    if names_option(request.query, "$apply"):
        return _aggregate(request, address, store, limits)
    asked = parse_options(address, request.query, reader=request.reader, limits=limits, accept=request.accept)
    if address.attribute is not None:
        return _read_attribute(address, asked, store)
    check_format(asked)
    page = store.find(asked.query)
    if not page.rows:
        if address.single:
            raise errors.NotFound("there is nothing here")
        _require_parent(address, asked.query, store)
    return _tagged(request, _render(request, address, asked, page))


def _render(request: Request, address: Address, asked: Asked, page: Page) -> Response:
    path = request.path.strip("/")
    if asked.format is not JSON:
        return render_format(page, asked, request.root, path)
    if address.reference:
        single = address.single
        body = render_reference(page, request.root) if single else render_references(page, asked, request.root, path)
    elif address.single:
        body = render_entity(page, asked, request.root)
    else:
        body = render_page(page, asked, request.root, path)
    return Response(status=200, body=body)


def _aggregate(request: Request, address: Address, store: Store, limits: FaceLimits) -> Response:
    """``$apply``: groups instead of entities."""
    asked = parse_aggregation(address, request.query, reader=request.reader, limits=limits)
    texts = read_texts(request.query, OPTIONS)
    format = groups_format(texts, request.accept)
    table = store.aggregate(asked)
    if not table.rows or not asked.groups:
        _require_parent(address, asked.source, store)
    return _table(request, table, texts, format)


def _latest(request: Request, store: Store, limits: FaceLimits) -> Response:
    """``Datastreams/latest``: the newest reading of each."""
    address = parse_address(request.path.strip("/").removesuffix("/latest"))
    asked = parse_latest(address, request.query, reader=request.reader, limits=limits)
    texts = read_texts(request.query, LATEST_OPTIONS)
    format = groups_format(texts, request.accept)
    table = store.newest(asked)
    if not table.rows:
        _require_parent(address, asked, store)
    return _table(request, table, texts, format)


def _table(request: Request, table: Table, texts: dict[str, str], format: Format) -> Response:
    place = f"{request.root}/{quote(request.path.strip('/'), safe=SAFE)}"
    if format is JSON:
        return _tagged(request, Response(status=200, body=render_table(table, texts, place)))
    return _tagged(request, render_groups(table, format, texts, place))


def _tagged(request: Request, response: Response) -> Response:
    """The answer with the tag of its bytes, or that it is as the client has it."""
    headers = {**response.headers, "ETag": etag_of(response.body)}
    if request.if_none_match and names_tag(request.if_none_match, headers["ETag"]):
        return Response(status=304, headers={"ETag": headers["ETag"]})
    return msgspec.structs.replace(response, headers=headers)


def _require_parent(address: Address, query: Query, store: Store) -> None:
    """An empty set of an entity that does not exist is not empty, it does not exist (18-088, 9.2)."""
    if not address.path:
        return
    *before, step = address.path
    parent = Query(entity=step.entity, reader=query.reader, path=tuple(before), id=step.id, top=1, select=("id",))
    if not store.find(parent).rows:
        raise errors.NotFound("there is nothing here")


def _read_attribute(address: Address, asked: Asked, store: Store) -> Response:
    """A property (``{"name": …}``), or its raw value; 204 where it is null."""
    name = address.attribute or ""
    query = msgspec.structs.replace(asked.query, select=(name,), expand=())
    page = store.find(query)
    if not page.rows:
        raise errors.NotFound("there is nothing here")
    value = value_json(page, query, name)
    if value is None:
        return Response(status=204)
    if not address.raw:
        return Response(status=200, body=f"{{{text(name)}:{value}}}".encode())
    if value.startswith('"'):
        value = msgspec.json.decode(value, type=str)
    return Response(status=200, body=value.encode(), content_type="text/plain; charset=utf-8")


def value_json(page: Page, query: Query, name: str) -> str | None:
    """A property of the first row, as JSON; None where it is null."""
    row = page.rows[0]
    if name in ("id", "@iot.id"):
        return encode(ids.shown(str(row[1])))
    attribute = ENTITIES[query.entity].attribute(name)
    if attribute is None:
        return None
    places = {column: at for at, column in enumerate(layout(query))}
    if attribute.kind is Kind.RESULT and row[places["result.kind"]] == ResultKind.NULL:
        return None
    return attribute_json(name, attribute.kind, places, row)


def _create(request: Request, store: Store, limits: FaceLimits) -> Response:
    require_writer(request)
    address = parse_address(request.path)
    if address.single or address.attribute or address.reference:
        return refuse(405, "a new entity is posted to a set", {"Allow": "GET, HEAD, PATCH, PUT, DELETE"})
    if content_kind(request) != "application/json":
        return refuse(415, f"{content_kind(request)} is not taken; send application/json")
    body = settle_echoes(address.entity, decode_body(request), store, request.reader, limits.entities)
    links = _links(address)
    entities = plan_creation(
        address.entity, body, now=request.now, links=links, max_entities=limits.entities, bounds=limits.bounds
    )
    batch = Batch(
        origin=request.reader.name,
        dataset=COMMONS,
        reader=request.reader,
        received_at=request.now,
        entities=entities,
        name=request.path,
    )
    return _created(store.append(batch), [e.where for e in entities], request)


def _links(address: Address) -> dict[str, Ref]:
    """What the path says of the new entity: ``Datastreams('a')/Observations`` names its Datastream."""
    if not address.path:
        return {}
    step = address.path[-1]
    if step.id is None:
        raise errors.NotSupported("posting behind a to-one relation; name the entity by its id")
    relation = ENTITIES[step.entity].relation(step.relation)
    return {relation.inverse: Ref(id=step.id)} if relation else {}


def _created(receipt: Receipt, places: list[str], request: Request) -> Response:
    entity, identifier = receipt.created[places.index("")]
    link = f"{request.root}/{entity_link(ENTITIES[entity].set_name, identifier)}"
    if prefers(request, "return") == "minimal":
        return Response(status=201, headers={"Location": link, **MINIMAL})
    body = encode({"@iot.selfLink": link, "@iot.id": ids.shown(identifier)}).encode()
    return Response(status=201, body=body, headers={"Location": link})


def _landing(request: Request) -> bytes:
    """The root (18-088, 9.2.1): the sets, which requirement classes hold, and where MQTT is spoken (clause 14)."""
    value = [{"name": name, "url": f"{request.root}/{name}"} for name in SETS]
    mqtt = [*MQTT_READING, *(MQTT_CREATING if request.mqtt_creates else ())] if request.mqtt else []
    settings = {"conformance": [*CONFORMANCE, *mqtt], **{name: {"endpoints": list(request.mqtt)} for name in mqtt}}
    return encode({"value": value, "serverSettings": settings}).encode()
