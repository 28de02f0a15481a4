"""What reading and writing share: refusals, and a body's JSON."""

from typing import Any

import msgspec

from allmende.domain import errors
from allmende.domain.creation import encode
from allmende.domain.face import Request, Response

_STATUS: tuple[tuple[type[errors.AllmendeError], int], ...] = (
    (errors.LimitExceeded, 400),
    (errors.InvalidInput, 400),
    (errors.NotFound, 404),
    (errors.NotSupported, 501),
    (errors.Forbidden, 403),
    (errors.Conflict, 409),
    (errors.StorageFull, 507),
    (errors.StorageBusy, 503),
)


def error_response(error: errors.AllmendeError) -> Response:
    """The one place where errors get their status."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    headers = {"Retry-After": "5"} if status == 503 else {}
    return refuse(status, str(error), headers)


def refuse(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error as JSON."""
    body = encode({"code": status, "type": "error", "message": message}).encode()
    return Response(status=status, body=body, headers=headers or {})


def require_writer(request: Request) -> None:
    """Raise Forbidden for those who may only read."""
    if not request.reader.may_write:
        raise errors.Forbidden("this needs the right to write: send a token with it")


MINIMAL = {"Preference-Applied": "return=minimal"}


def prefers(request: Request, name: str) -> str | None:
    """The value of a preference (RFC 7240), ``true`` where it is only named; None where it is not."""
    for said in request.prefer.split(","):
        word, _, value = said.partition(";")[0].partition("=")
        if word.strip().lower().removeprefix("odata.") == name:
            return value.strip().strip('"').lower() or "true"
    return None


def content_kind(request: Request) -> str:
    """The body's media type without its parameters; JSON where none is said."""
    return request.content_type.partition(";")[0].strip().lower() or "application/json"


def decode_body(request: Request) -> Any:
    """The body's JSON; raises InvalidInput."""
    try:
        return msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidInput(f"this is no JSON: {error}") from None
    except RecursionError:
        raise errors.InvalidInput("this JSON is nested too deep") from None
