"""Creating entities by MQTT (18-088, 14.2): a message to a set's topic is a POST to it."""

import time
from typing import Any

import msgspec
import structlog

from allmende.domain.batch import Batch
from allmende.domain.creation import encode
from allmende.domain.errors import AllmendeError, StorageBusy, StorageFull
from allmende.domain.face import Request, Response
from allmende.domain.marks import Mark
from allmende.domain.policy import COMMONS, Reader, house_reader
from allmende.domain.records import Rejection
from allmende.domain.store import Store
from allmende.faces.sensorthings.address import parse_address
from allmende.faces.sensorthings.answers import error_response, refuse
from allmende.faces.sensorthings.topics import creation_path
from allmende.web.sta import respond

_NOT_NOW = {503: StorageBusy, 507: StorageFull}

_READERS_ONLY = "this needs the right to write: come in with a token as the password"

log = structlog.get_logger("allmende.messages")


_BROKER = Reader(name="mqtt:broker", may_write=True)
"""Whoever publishes to the operator's broker: who may do that is for its own rights to say."""


def create_from_broker(topic: str, payload: bytes, mark: Mark, *, store: Store, root: str) -> None:
    """The same for a message of the operator's broker, which tells nobody what was wrong with it. The mark is written
    with it: what comes again is known by that."""

    def work() -> None:
        store.put_mark(mark)
        create_from_message(topic, payload, _BROKER, store, root)

    store.together(work)


def create_from_message(topic: str, payload: bytes, reader: Reader, store: Store, root: str) -> bytes:
    """Commit the entity; gives b"", or as JSON what was wrong, which is then kept as a rejection.

    Raises what may be over the next time (StorageBusy, StorageFull): the message has to come again. What somebody sent
    who may not write is not kept.
    """
    now = time.time_ns() // 1000
    path = creation_path(topic)
    request = Request(
        method="POST", path=path, root=root, reader=reader, now=now, body=payload, content_type="application/json"
    )
    try:
        # Who may not write is turned away here, before anything waits for its turn to write.
        response = _create(request, store) if reader.may_write else refuse(403, _READERS_ONLY)
    except AllmendeError:
        raise
    except Exception as error:
        # A fault of ours: the message would meet it again each time that it is sent.
        log.exception("a message broke the house", topic=topic)
        response = refuse(500, f"the house made a mistake ({type(error).__name__}); the message is kept")
    if response.status < 400:
        return b""
    wrong = msgspec.json.decode(response.body, type=dict[str, Any])
    reason = str(wrong.get("message", ""))
    if response.status in _NOT_NOW:
        raise _NOT_NOW[response.status](reason)
    if reader.may_write:
        rejection = Rejection(reason=reason, body=payload, code=f"sensorthings-{response.status}", where=path)
        store.append(
            Batch(
                origin=reader.name,
                dataset=COMMONS,
                reader=house_reader("messages"),  # a note of the house, wherever the sender may write
                received_at=now,
                rejections=[rejection],
                name=topic,
            )
        )
    return encode({"topic": topic, **wrong}).encode()


def _create(request: Request, store: Store) -> Response:
    """A POST to a set: a message is one entity, and neither a batch of requests nor a data array."""
    try:
        parse_address(request.path)
    except AllmendeError as error:
        return error_response(error)
    return respond(request, store)
