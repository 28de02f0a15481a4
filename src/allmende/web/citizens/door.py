"""``POST /own/<number>``: the address to which a device sends with its token."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from allmende.domain.errors import AllmendeError, Forbidden, LimitExceeded, NotFound, StorageBusy, StorageFull
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.web.accounts.middleware import CHALLENGE
from allmende.web.citizens.intake import Paused, Taken, TooOften, sensor_of_token, take

_STATUS: dict[type[AllmendeError], int] = {
    TooOften: 429,
    LimitExceeded: 413,
    Paused: 409,
    Forbidden: 403,
    NotFound: 404,
    StorageBusy: 503,
    StorageFull: 507,
}
_SHOWN = 20
"""Problems that an answer names."""


def receive(request: HttpRequest, number: str) -> HttpResponse:
    """Take what was sent. 200 with the counts once it is committed, 422 where nothing could be read; else why not."""
    reader: Reader = request.house.reader  # type: ignore[attr-defined]  # set by HouseMiddleware
    sensor = sensor_of_token(reader.name)
    if sensor is None or str(sensor.pk) != number:
        return _refuse_who(reader)
    try:
        taken = take(sensor, request.body)
    except AllmendeError as error:
        return refuse(error)
    return answer(taken)


def answer(taken: Taken) -> HttpResponse:
    """The counts, and what was wrong with what."""
    receipt = taken.receipt
    body: dict[str, Any] = {
        "accepted": receipt.accepted,
        "repeated": receipt.repeated,
        "corrected": receipt.corrected,
        "rejected": receipt.rejected,
    }
    if taken.rejections:
        body["problems"] = [
            {"code": each.code, "where": each.where, "message": each.reason} for each in taken.rejections[:_SHOWN]
        ]
    nothing = receipt.rejected and receipt.rejected == receipt.read
    return _json(body, 422 if nothing else 200)


def refuse(error: AllmendeError) -> HttpResponse:
    """What is wrong, in the house's words."""
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)
    response = _json({"code": status, "type": "error", "message": str(error)}, status)
    if isinstance(error, TooOften):
        response["Retry-After"] = str(int(error.wait) + 1)
    elif isinstance(error, StorageBusy):
        response["Retry-After"] = "5"
    return response


def _refuse_who(reader: Reader) -> HttpResponse:
    if reader.name != ANONYMOUS.name:
        return refuse(Forbidden("this is not this sensor's token; its page gives a new one"))
    message = "send the sensor's token: `Authorization: Bearer <token>`, or as the password of HTTP Basic"
    response = _json({"code": 401, "type": "error", "message": message}, 401)
    response["WWW-Authenticate"] = CHALLENGE
    return response


def _json(body: dict[str, Any], status: int) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
