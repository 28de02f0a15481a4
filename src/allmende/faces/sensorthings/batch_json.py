"""Batches as JSON (OData JSON Format 4.01, 19): ``{"requests": […]}`` and ``{"responses": […]}``."""

from collections.abc import Sequence
from typing import Any

import msgspec

from allmende.domain.creation import encode
from allmende.domain.errors import InvalidInput
from allmende.domain.face import FaceLimits, Response
from allmende.faces.sensorthings.batch import Part, check_number

KIND = "application/json"
_KNOWN = frozenset({"id", "method", "url", "headers", "body", "atomicityGroup", "dependsOn"})


def parse_json(body: Any, limits: FaceLimits) -> list[Part]:
    """The parts; raises InvalidInput that names the place, LimitExceeded for too many of them."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list):
        raise InvalidInput('a batch is an object with a list: {"requests": […]}', where="requests")
    check_number(len(requests), limits)
    parts: list[Part] = []
    said: set[str] = set()
    groups: list[str] = []
    for place, item in enumerate(requests):
        part = _part(item, f"requests[{place}]")
        if part.id in said:
            raise InvalidInput(f"{part.id!r} is there twice", where=f"requests[{place}].id")
        if part.group and part.group in groups and (groups[-1] != part.group or parts[-1].group != part.group):
            raise InvalidInput("the requests of a group stand together", where=f"requests[{place}].atomicityGroup")
        if part.group and part.group not in groups:
            groups.append(part.group)
        for name in part.needs:
            if name not in said and name not in groups:
                raise InvalidInput(f"{name!r} does not stand before it", where=f"requests[{place}].dependsOn")
        said.add(part.id)
        parts.append(part)
    return parts


def _part(item: Any, where: str) -> Part:
    if not isinstance(item, dict):
        raise InvalidInput("a request is an object with id, method and url", where=where)
    unknown = sorted(set(item) - _KNOWN)
    if unknown:
        raise InvalidInput(f"a request has no {unknown[0]!r}"[:200], where=where)
    headers, needs = item.get("headers") or {}, item.get("dependsOn") or []
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise InvalidInput("an object of texts is asked for", where=f"{where}.headers")
    if not isinstance(needs, list) or not all(isinstance(name, str) for name in needs):
        raise InvalidInput("a list of ids is asked for", where=f"{where}.dependsOn")
    body = item.get("body")
    return Part(
        method=_text(item, "method", where).upper(),
        url=_text(item, "url", where),
        body=b"" if "body" not in item else encode(body).encode(),
        headers={name.lower(): value for name, value in headers.items()},
        id=_text(item, "id", where),
        group=_text(item, "atomicityGroup", where) if item.get("atomicityGroup") is not None else "",
        needs=[name.removeprefix("$") for name in needs],
    )


def _text(item: dict[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and name == "id":
        value = str(value)
    if not isinstance(value, str) or not value:
        raise InvalidInput("a text is asked for", where=f"{where}.{name}")
    return value


def render_json(parts: Sequence[Part], answers: Sequence[Response]) -> Response:
    """The answers in their order."""
    told = [_answer(part, answer) for part, answer in zip(parts, answers, strict=False)]
    return Response(status=200, body=msgspec.json.encode({"responses": told}))


def _answer(part: Part, answer: Response) -> dict[str, Any]:
    told: dict[str, Any] = {"id": part.id, "status": answer.status}
    if part.group:
        told["atomicityGroup"] = part.group
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.body:
        headers["content-type"] = answer.content_type
    if headers:
        told["headers"] = headers
    if answer.body:
        json = answer.content_type.partition(";")[0].strip().endswith(("/json", "+json"))
        told["body"] = msgspec.Raw(answer.body) if json else answer.body.decode("utf-8", "replace")
    return told
