"""Batches as multipart/mixed (18-088, 11.2): cut into requests, answers put together again.

Headers and the boundary are read by the standard library's ``email``. The cutting is done here, by one expression for
each of the two levels: ``email`` looks, at each line, for the boundary of every level above it, and a body may nest
thousands of them.
"""

import re
from collections.abc import Iterator, Sequence
from email.message import Message
from email.parser import BytesHeaderParser
from http import HTTPStatus
from itertools import groupby
from uuid import uuid4

from allmende.domain.errors import InvalidInput
from allmende.domain.face import FaceLimits, Response
from allmende.faces.sensorthings.batch import Part, check_number

KIND = "multipart/mixed"
_REQUEST = re.compile(rb"([A-Za-z]+) +(\S.*?)(?: +HTTP/[0-9.]+)?[ \t]*\Z")
_BLANK = re.compile(rb"\r?\n(?=\r?\n)|\A(?=\r?\n)")
_LINE = re.compile(rb"\r?\n")
_MOST_HEADERS = 8192
"""Characters of the headers of one part, as servers have it for a request's: their parser takes its time."""


def parse_multipart(content_type: str, body: bytes, limits: FaceLimits) -> list[Part]:
    """The parts, those of a change set with one group. Raises InvalidInput for all that is not as it has to be:
    nothing of a batch that was cut off on its way is done; LimitExceeded for too many parts."""
    parts: list[Part] = []
    for number, piece in enumerate(_cut(content_type, body, "the batch", limits), 1):
        where = f"part {number}"
        head, rest = _headed(piece, where)
        if head.get_content_type() != KIND:
            parts.append(_part(head, rest, "", where))
            check_number(len(parts), limits)
            continue
        group = f"changeset {number}"
        for place, inner in enumerate(_cut(head.get("Content-Type", ""), rest, where, limits), 1):
            inner_head, inner_rest = _headed(inner, f"{where}.{place}")
            if inner_head.get_content_maintype() == "multipart":
                raise InvalidInput("a change set holds requests alone", where=f"{where}.{place}")
            parts.append(_part(inner_head, inner_rest, group, f"{where}.{place}"))
            check_number(len(parts), limits)
    return parts


def _cut(content_type: str, body: bytes, where: str, limits: FaceLimits) -> list[bytes]:
    """What stands between the boundaries; refuses too many pieces before any of them is looked into."""
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_boundary()
    if not boundary:
        raise InvalidInput("multipart/mixed; boundary=… is asked for: the boundary is missing", where=where)
    marks = re.compile(rb"^--" + re.escape(boundary.encode("latin-1", "replace")) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    pieces: list[bytes] = []
    start: int | None = None
    for mark in marks.finditer(body):
        if start is not None:
            pieces.append(_without_end(body[start : mark.start()]))
            check_number(len(pieces), limits)
        start = mark.end() + 1
        if mark[1]:
            return pieces
    raise InvalidInput(f"the boundary {boundary!r} does not end it: --{boundary}-- is missing"[:300], where=where)


def _without_end(piece: bytes) -> bytes:
    """The line's end before a boundary belongs to the boundary."""
    return piece[:-2] if piece.endswith(b"\r\n") else piece.removesuffix(b"\n")


def _headed(piece: bytes, where: str) -> tuple[Message, bytes]:
    """Headers, and what follows behind the blank line."""
    blank = _BLANK.search(piece, 0, _MOST_HEADERS)
    head, rest = (piece, b"") if blank is None else (piece[: blank.start()], piece[blank.end() :])
    if len(head) > _MOST_HEADERS:
        raise InvalidInput(f"headers of a part have at most {_MOST_HEADERS} characters", where=where)
    line = _LINE.match(rest)
    return BytesHeaderParser().parsebytes(head), rest[line.end() :] if line else rest


def _part(head: Message, rest: bytes, group: str, where: str) -> Part:
    """The request inside of a part."""
    if head.get_content_type() != "application/http":
        raise InvalidInput("a part is application/http, or a change set of multipart/mixed", where=where)
    rest = rest.lstrip(b"\r\n")
    line = _LINE.search(rest)
    first, rest = (rest, b"") if line is None else (rest[: line.start()], rest[line.end() :])
    request = _REQUEST.match(first)
    if request is None:
        raise InvalidInput("a request begins with its method and address, e.g. POST Things HTTP/1.1", where=where)
    inner, body = _headed(rest, where)
    try:
        url = request[2].decode()
    except UnicodeDecodeError:
        raise InvalidInput("the address is no UTF-8", where=where) from None
    return Part(
        method=request[1].decode().upper(),
        url=url,
        body=body,
        headers={name.lower(): str(value) for name, value in inner.items()},
        id=str(head.get("Content-ID") or inner.get("Content-ID") or "").strip().strip("<>"),
        group=group,
    )


def render_multipart(parts: Sequence[Part], answers: Sequence[Response]) -> Response:
    """The answers; a change set that failed is answered once, with the error of the part that failed."""
    boundary = f"batch_{uuid4().hex}"
    body = b"".join(_pieces(boundary, parts, answers))
    return Response(status=200, body=body, content_type=f"{KIND}; boundary={boundary}")


def _pieces(boundary: str, parts: Sequence[Part], answers: Sequence[Response]) -> Iterator[bytes]:
    for group, pairs in groupby(zip(parts, answers, strict=False), key=lambda pair: pair[0].group):
        listed = list(pairs)
        failed = [answer for _, answer in listed if answer.status >= 400 and answer.status != 424]
        if not group or failed:
            for answer in failed[:1] if group else [answer for _, answer in listed]:
                yield from _piece(boundary, answer, "")
            continue
        inner = f"changeset_{uuid4().hex}"
        yield f"--{boundary}\r\nContent-Type: {KIND}; boundary={inner}\r\n\r\n".encode()
        for part, answer in listed:
            yield from _piece(inner, answer, part.id)
        yield f"--{inner}--\r\n".encode()
    yield f"--{boundary}--\r\n".encode()


def _piece(boundary: str, answer: Response, identifier: str) -> Iterator[bytes]:
    lines = [f"--{boundary}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if identifier:
        lines.append(f"Content-ID: {identifier}")
    lines += ["", f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    if answer.body:
        lines += [f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    yield "\r\n".join([*lines, "", ""]).encode()
    yield answer.body
    yield b"\r\n"
