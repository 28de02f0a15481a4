"""Changing and deleting over HTTP (18-088, 10.3 and 10.4): PATCH, PUT, JSON Patch, DELETE, and If-Match for all."""

from typing import Any

import msgspec

from allmende.domain import errors
from allmende.domain.batch import Amendment, Removal
from allmende.domain.changing import plan_change
from allmende.domain.creation import encode
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.model import ENTITIES
from allmende.domain.query import Page
from allmende.domain.store import Store
from allmende.faces.sensorthings.address import Address, parse_address
from allmende.faces.sensorthings.answers import (
    MINIMAL,
    content_kind,
    decode_body,
    prefers,
    refuse,
    require_writer,
)
from allmende.faces.sensorthings.echoes import settle_echoes
from allmende.faces.sensorthings.options import Asked, parse_options
from allmende.faces.sensorthings.patching import apply_patch
from allmende.faces.sensorthings.render import render_entity
from allmende.faces.tags import etag_of, names_tag

JSON_PATCH = "application/json-patch+json"
_TRIES = 5


def change(request: Request, store: Store, limits: FaceLimits) -> Response:
    """PATCH and PUT of one entity; answers with the entity as it is then."""
    require_writer(request)
    address = parse_address(request.path)
    if not address.single or address.attribute or address.reference:
        return refuse(405, "one entity is changed at its own address", {"Allow": "GET, HEAD"})
    taken = ("application/json", JSON_PATCH) if request.method == "PATCH" else ("application/json",)
    if content_kind(request) not in taken:
        return refuse(415, f"{content_kind(request)} is not taken; send {' or '.join(taken)}")
    asked = _plain(request, address, limits)
    if content_kind(request) == JSON_PATCH and len(request.body) > limits.patch_bytes:
        raise errors.LimitExceeded(f"this JSON Patch has {len(request.body)} bytes", setting="ALLMENDE_PATCH_BYTES")
    body = settle_echoes(address.entity, decode_body(request), store, request.reader, limits.entities)
    for _ in range(_TRIES):
        page = _one(asked, store)
        tag = etag_of(render_entity(page, asked, request.root))
        if request.if_match and not names_tag(request.if_match, tag):
            return _stale()
        try:
            store.change(_amendment(request, asked, page, body, limits))
        except errors.ChangedMeanwhile:
            if request.if_match:
                return _stale()
            continue
        changed = render_entity(_one(asked, store), asked, request.root)
        headers = {"ETag": etag_of(changed)}
        if prefers(request, "return") == "minimal":
            return Response(status=204, headers=headers | MINIMAL)
        return Response(status=200, body=changed, headers=headers)
    raise errors.ChangedMeanwhile("others change this all the time; try again")


def delete(request: Request, store: Store, limits: FaceLimits) -> Response:
    """DELETE of one entity, or of those of a set that a $filter picks."""
    require_writer(request)
    address = parse_address(request.path)
    if address.attribute or address.reference:
        return refuse(405, "an entity is deleted at its own address", {"Allow": "GET, HEAD"})
    seen = None
    if address.single:
        asked = _plain(request, address, limits)
        page = _one(asked, store)
        if request.if_match and not names_tag(request.if_match, etag_of(render_entity(page, asked, request.root))):
            return _stale()
        seen = page.rows[0] if request.if_match else None
    else:
        asked = parse_options(address, request.query, reader=request.reader, limits=limits)
        if set(asked.texts) != {"$filter"}:
            raise errors.InvalidQuery("say with $filter, and with nothing else, which of the set to delete")
    removal = Removal(
        target=asked.query,
        origin=request.reader.name,
        received_at=request.now,
        seen=seen,
        most=None if address.single else limits.delete_max,
    )
    try:
        count = store.remove(removal)
    except errors.ChangedMeanwhile:
        return _stale()
    return Response(status=200, body=b"" if address.single else encode({"@iot.count": count}).encode())


def _stale() -> Response:
    return refuse(412, "this was changed since you read it; read it again, and send its new ETag")


def _plain(request: Request, address: Address, limits: FaceLimits) -> Asked:
    """The entity whole, whatever the address says behind a question mark."""
    asked = parse_options(address, request.query, reader=request.reader, limits=limits)
    if asked.texts:
        raise errors.InvalidQuery("goes with reading, not with writing", where=", ".join(asked.texts))
    return asked


def _one(asked: Asked, store: Store) -> Page:
    page = store.find(asked.query)
    if not page.rows:
        raise errors.NotFound("there is nothing here")
    return page


def _amendment(request: Request, asked: Asked, page: Page, body: Any, limits: FaceLimits) -> Amendment:
    entity, identifier = asked.query.entity, str(page.rows[0][1])
    shown = msgspec.json.decode(render_entity(page, asked, request.root), type=dict[str, Any])
    current = {name: value for name, value in shown.items() if ENTITIES[entity].attribute(name)}
    patching = content_kind(request) == JSON_PATCH
    if patching:
        body = apply_patch(current, body, limits)
    values, links = plan_change(
        entity,
        identifier,
        body,
        current=current,
        now=request.now,
        whole=request.method == "PUT",
        most=limits.entities,
        bounds=limits.bounds,
    )
    return Amendment(
        target=asked.query,
        origin=request.reader.name,
        received_at=request.now,
        values=values,
        links=links,
        # What was read is part of what is written, or the client asked for it.
        seen=page.rows[0] if patching or request.if_match or "encodingType" in values else None,
    )
