"""SensorThings over HTTP: Django's request to the face's, and back."""

import random
import time
from collections.abc import Callable
from functools import cache
from urllib.parse import unquote_plus

import msgspec
import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from allmende.domain.errors import AllmendeError, LimitExceeded, LostRace, StorageFull
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.policy import ANONYMOUS
from allmende.domain.store import Store
from allmende.faces.sensorthings.address import parse_address
from allmende.faces.sensorthings.answers import refuse
from allmende.faces.sensorthings.batch import PATH as BATCH
from allmende.faces.sensorthings.face import answer, answer_batch, error_response
from allmende.web.accounts.audit import record
from allmende.web.accounts.middleware import CHALLENGE
from allmende.web.citizens.standard import give
from allmende.web.disk import DiskFloor
from allmende.web.intake import reading_bounds

log = structlog.get_logger("allmende.web")

_REPEATS = 8
_PAUSE = 0.05
"""Seconds at most before a transaction that lost a race is run again."""


@cache
def face_limits() -> FaceLimits:
    """The operator's bounds."""
    config = settings.ALLMENDE
    return FaceLimits(
        page_size=config.page_size,
        page_size_max=config.page_size_max,
        skip_max=config.skip_max,
        expand_depth=config.expand_depth,
        expand_rows=config.expand_rows,
        address_length=config.address_length,
        filter_length=config.filter_length,
        entities=config.deep_insert_max,
        batch_size=config.batch_size,
        bulk_rows=config.bulk_rows,
        patch_operations=config.patch_operations,
        patch_bytes=config.patch_bytes,
        delete_max=config.delete_max,
        tile_features=config.tile_features,
        bounds=reading_bounds(config),
        filter_cost=config.filter_cost,
    )


# A token is sent on purpose with each request, so that there is no session to forge a request in.
@csrf_exempt
def sensorthings(request: HttpRequest, path: str = "") -> HttpResponse:
    """``/sta/v1.1`` and all below it."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    question = Request(
        method=request.method or "GET",
        path=path,
        query=request.META.get("QUERY_STRING", ""),
        root=f"{request.scheme}://{request.get_host()}/sta/v1.1",
        mqtt=() if path.strip("/") else settings.ALLMENDE.endpoints(request.get_host()),
        mqtt_creates=settings.ALLMENDE.mqtt_creates,
        reader=house.reader,
        now=time.time_ns() // 1000,
        body=request.body if request.method in _WITH_BODY else b"",
        content_type=request.META.get("CONTENT_TYPE", ""),
        if_match=request.META.get("HTTP_IF_MATCH", ""),
        if_none_match=request.META.get("HTTP_IF_NONE_MATCH", ""),
        prefer=request.META.get("HTTP_PREFER", ""),
        accept=request.META.get("HTTP_ACCEPT", ""),
    )
    if question.method == "POST" and path.strip("/") == BATCH:
        response = _answer_batch(question, house.store)
    else:
        response = respond(question, house.store)
    if response.status == 403 and question.reader.name == ANONYMOUS.name:
        response = _ask_who(response)
    if "service-desc" in response.headers.get("Link", ""):
        page = request.build_absolute_uri(reverse("portal:api"))
        more = f'{response.headers["Link"]}, <{page}>; rel="service-doc"; type="text/html"'
        response = msgspec.structs.replace(response, headers={**response.headers, "Link": more})
    headers = dict(response.headers)
    if question.method in ("GET", "HEAD"):
        # May be kept, and is asked for anew with its tag: what was measured a moment ago is no longer what there is.
        open_to_all = house.reader.name == ANONYMOUS.name
        headers["Cache-Control"] = "no-cache" if open_to_all else "private, no-cache"
        headers["Vary"] = "Accept, Accept-Encoding, Authorization, Cookie"
    return HttpResponse(response.body, status=response.status, content_type=response.content_type, headers=headers)


def _ask_who(refusal: Response) -> Response:
    """Forbidden to somebody unknown is a question who it is: clients of FROST show their password only then."""
    message = msgspec.json.decode(refusal.body)["message"]
    return refuse(401, message, {**refusal.headers, "WWW-Authenticate": CHALLENGE})


def _answer_batch(question: Request, store: Store) -> Response:
    """Each part is judged, kept and noted like a request of its own, as long as there is time and room for all."""
    end, room = time.monotonic() + settings.ALLMENDE.batch_seconds, settings.ALLMENDE.batch_bytes

    def run(part: Request) -> Response:
        nonlocal room
        if time.monotonic() > end:
            return error_response(LimitExceeded("this batch took too long", setting="ALLMENDE_BATCH_SECONDS"))
        if room < 0:
            return error_response(LimitExceeded("what was answered is too much", setting="ALLMENDE_BATCH_BYTES"))
        try:
            response = respond(part, store)
        except AllmendeError:
            raise
        except Exception:
            # A fault of ours in one part; the others are done or not, and their client has to hear which.
            log.exception("a part of a batch broke the house", method=part.method)
            response = refuse(500, "the house made a mistake; nothing of this part was done")
        room -= len(response.body)
        return response

    return answer_batch(question, store, face_limits(), run)


def respond(question: Request, store: Store) -> Response:
    """Answer, or commit and note it in the audit log: the same for HTTP and MQTT."""
    return _WRITING.get(question.method, _answer)(question, store)


def _answer(question: Request, store: Store) -> Response:
    return answer(question, store, face_limits())


@cache
def disk_floor() -> DiskFloor:
    """Looks after the room on the disk."""
    return DiskFloor(settings.ALLMENDE)


def _create(question: Request, store: Store) -> Response:
    """Creations are in the audit log, in the same transaction.

    Observations are not: each one says for itself which token it came from, and there are millions of them.
    """
    try:
        disk_floor().check()
    except StorageFull as error:
        return error_response(error)
    if question.path.rstrip("/").endswith("Observations"):
        return give(question, store, face_limits()) or _answer(question, store)

    def create() -> Response:
        response = _answer(question, store)
        if response.status == 201:
            record(question.reader.name, "sensorthings.create", response.headers["Location"])
        return response

    return _together(store, create)


def _together(store: Store, work: Callable[[], Response]) -> Response:
    """Run writing with its entry in the audit log in one transaction; again where another writer stood in its way.

    Raises LostRace inside of a transaction that was begun before, of which this is a part: all of it has to run again.
    """
    inside = connection.in_atomic_block
    for repeats in range(_REPEATS, -1, -1):
        try:
            return store.together(work)
        except LostRace as error:
            if inside:
                raise
            if not repeats:
                cause = error.__cause__
                return error_response(cause if isinstance(cause, AllmendeError) else error)
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311  no secret: two that met do not meet again
        except AllmendeError as error:  # the audit log's, or the commit's: all else became an answer before
            return error_response(error)
    raise AssertionError("unreachable")


def _change(question: Request, store: Store) -> Response:
    """Changes and deletions are in the audit log, in the same transaction.

    Those of one observation are not: the change log has them, with who it was.
    """
    try:
        if question.method != "DELETE":
            disk_floor().check()
        address = parse_address(question.path)
    except AllmendeError as error:
        return error_response(error)
    if not question.reader.may_write or (address.entity == "Observation" and address.single):
        return _answer(question, store)

    def change() -> Response:
        response = _answer(question, store)
        if response.status < 300:
            word = "delete" if question.method == "DELETE" else "change"
            detail = {"filter": unquote_plus(question.query)[:1000]} if question.query else {}
            record(question.reader.name, f"sensorthings.{word}", f"{question.root}/{question.path}", **detail)
        return response

    return _together(store, change)


_WITH_BODY = ("POST", "PATCH", "PUT")
_WRITING = {"POST": _create, "PATCH": _change, "PUT": _change, "DELETE": _change}
