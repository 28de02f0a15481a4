"""Several requests in one (18-088, 11, and OData 4.01, 11.7): in order, alone or together, referring to each other.

The two ways of writing it down are read and written in :mod:`multipart` and :mod:`batch_json`; what they mean is here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from allmende.domain import ids
from allmende.domain.creation import encode
from allmende.domain.errors import AllmendeError, InvalidInput, LimitExceeded, LostRace
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.store import Store
from allmende.faces.sensorthings.address import parse_address
from allmende.faces.sensorthings.answers import error_response, prefers, refuse

PATH = "$batch"
Run = Callable[[Request], Response]
"""Answers one request as if it had come alone."""
_TRIES = 8
_OPAQUE = frozenset(
    {"properties", "parameters", "result", "resultQuality", "metadata", "location", "feature", "unitOfMeasurement"}
)
"""What a client says there is its own; no reference is looked for in it."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch. ``headers`` by their names in lower case."""

    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = {}
    id: str = ""
    """What others call it by, ``$id``."""
    group: str = ""
    """Parts with the same one stand together and take effect together or not at all; "" is alone."""
    needs: Sequence[str] = ()
    """Parts and groups that must have gone well."""


class Reference(msgspec.Struct, frozen=True):
    """What ``$id`` stands for: an entity's link from the root on, decoded, and its id."""

    link: str
    id: int | str


def answer_parts(parts: Sequence[Part], request: Request, store: Store, limits: FaceLimits, run: Run) -> list[Response]:
    """The answers in the order of the parts. Where the client wants to stop at the first error, the rest has none.

    A part or group that fails keeps none of the others from being done: so do other servers, though OData says that one
    asks for it (``Prefer: continue-on-error``); ``continue-on-error=false`` stops.
    """
    check_number(len(parts), limits)
    going_on = prefers(request, "continue-on-error") in (None, "true")
    batch = _Batch(request, store, run)
    answers: list[Response] = []
    for group, members in groupby(parts, key=lambda part: part.group):
        listed = list(members)
        for some in [listed] if group else [[part] for part in listed]:
            made = batch.together(some) if group else [batch.alone(some[0])]
            answers += made
            if not going_on and any(answer.status >= 400 for answer in made):
                return answers
    return answers


def check_number(requests: int, limits: FaceLimits) -> None:
    """Raise LimitExceeded for more requests than one batch may hold; to be asked before much is done with them."""
    if requests > limits.batch_size:
        raise LimitExceeded(f"more than {limits.batch_size} requests in one batch", setting="ALLMENDE_BATCH_SIZE")


class _Undone(Exception):
    """Takes back what a group has done."""

    def __init__(self, place: int, answer: Response) -> None:
        super().__init__(place)
        self.place = place
        self.answer = answer


class _Batch:
    def __init__(self, request: Request, store: Store, run: Run) -> None:
        self.request = request
        self.store = store
        self.run = run
        self.known: dict[str, Reference] = {}
        self.failed: set[str] = set()

    def alone(self, part: Part) -> Response:
        """One part, for itself."""
        try:
            answer = self.one(part)
        except AllmendeError as error:
            answer = error_response(error)
        self.note(part, answer)
        return answer

    def together(self, parts: list[Part]) -> list[Response]:
        """A group in one transaction. If one of its parts fails, it has its error, and the others say so (424)."""
        before = dict(self.known)
        undone = _Undone(0, refuse(503, "the database was busy"))
        for _ in range(_TRIES):
            self.known = dict(before)
            try:
                if not self.writes(parts):
                    return self.all(parts)
                return self.store.together(lambda: self.all(parts))
            except _Undone as error:
                undone = error
            except LostRace as error:
                undone = _Undone(len(parts) - 1, error_response(error))
            except AllmendeError as error:
                undone = _Undone(len(parts) - 1, error_response(error))
                break
            if undone.answer.status != 503:  # else others were in the way: once more from the start
                break
        self.known = before
        self.failed |= {part.id for part in parts} | {parts[0].group}
        culprit = parts[undone.place].id or str(undone.place + 1)
        told = refuse(424, f"not done, since request {culprit!r} of its group failed")
        return [undone.answer if place == undone.place else told for place in range(len(parts))]

    def writes(self, parts: list[Part]) -> bool:
        """Whether a group may change anything: one that only reads keeps no writer waiting."""
        return self.request.reader.may_write and any(part.method not in ("GET", "HEAD") for part in parts)

    def all(self, parts: list[Part]) -> list[Response]:
        """The parts of a group; raises _Undone at the first that fails."""
        answers: list[Response] = []
        for place, part in enumerate(parts):
            answer = self.one(part)
            if answer.status >= 400:
                raise _Undone(place, answer)
            self.note(part, answer)
            answers.append(answer)
        return answers

    def one(self, part: Part) -> Response:
        """Answer a part."""
        unmet = [name for name in part.needs if name in self.failed]
        if unmet:
            return refuse(424, f"not done, since {unmet[0]!r} failed")
        try:
            path, query = self.address(part.url)
        except AllmendeError as error:
            return error_response(error)
        if path.strip("/") == PATH:
            return refuse(400, "a batch holds no other batch")
        headers = part.headers
        return self.run(
            msgspec.structs.replace(
                self.request,
                method=part.method,
                path=path,
                query=query,
                body=self.referred(part.body),
                content_type=headers.get("content-type", ""),
                if_match=headers.get("if-match", ""),
                if_none_match=headers.get("if-none-match", ""),
                prefer=headers.get("prefer", ""),
                accept=headers.get("accept", ""),
            )
        )

    def note(self, part: Part, answer: Response) -> None:
        """Remember what a part's id stands for from now on."""
        if answer.status >= 400:
            self.failed.add(part.id)
        elif part.id:
            self.failed.discard(part.id)
            link = answer.headers.get("Location") or _self_link(answer.body)
            start = f"{self.request.root}/"
            if link and link.startswith(start):
                path = unquote(link.removeprefix(start))
                identifier = parse_address(path).id
                if identifier is not None:
                    self.known[part.id] = Reference(path, ids.shown(identifier))

    # --- references ---

    def address(self, url: str) -> tuple[str, str]:
        """The decoded path from the root on, with references put in, and the query as it stands."""
        path, _, query = _from_root(url, self.request.root).partition("?")
        path = unquote(path)
        first = _FIRST.match(path)
        if first and first[1] in self.known:
            path = self.known[first[1]].link + path[first.end() :]
        elif first and path.strip("/") != PATH:
            raise InvalidInput(f"no request before this one is called {first[1]!r}", where=url[:200])
        return _INSIDE.sub(self.inside, path), query

    def inside(self, match: "re.Match[str]") -> str:
        """``Things($1)``."""
        reference = self.known.get(match[2])
        return match[0] if reference is None else reference.link[reference.link.index("(") :]

    def referred(self, body: bytes) -> bytes:
        """A body with references in the places of ids put in."""
        if b'"$' not in body or not self.known:
            return body
        try:
            return encode(self.replaced(msgspec.json.decode(body))).encode()
        except (msgspec.DecodeError, RecursionError):
            return body  # its own answer says so

    def replaced(self, value: Any) -> Any:
        """The same with ids instead of references."""
        if isinstance(value, list):
            return [self.replaced(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = {
            key: item if key in _OPAQUE else self.id_of(item) if key in _IDS else self.replaced(item)
            for key, item in value.items()
        }
        components, array = made.get("components"), made.get("dataArray")
        if isinstance(components, list) and isinstance(array, list):
            at = {place for place, name in enumerate(components) if name in _FEATURES}
            made["dataArray"] = [
                [self.id_of(cell) if place in at else cell for place, cell in enumerate(row)]
                if isinstance(row, list)
                else row
                for row in value["dataArray"]
            ]
        return made

    def id_of(self, value: Any) -> Any:
        """What stands for an id: a reference's, else itself."""
        reference = self.known.get(value[1:]) if isinstance(value, str) and value.startswith("$") else None
        return value if reference is None else reference.id


_IDS = frozenset({"@iot.id", "id"})
_FEATURES = ("FeatureOfInterest/id", "FeatureOfInterest/@iot.id")
_FIRST = re.compile(r"\$([^/()'?]+)")
_INSIDE = re.compile(r"\(('?)\$([^')/]+)\1\)")
_ABSOLUTE = re.compile(r"https?://([^/?]*)", re.IGNORECASE)


def _from_root(url: str, root: str) -> str:
    """What of an address lies behind the root: absolute, from the host on, or relative.

    ``/v1.1/Things`` and ``/Things`` are taken too, since other servers take them.
    """
    house = urlsplit(root)
    absolute = _ABSOLUTE.match(url)
    if absolute:
        if absolute[1].lower() != house.netloc.lower():
            raise InvalidInput(f"this leads to another host than {house.netloc}", where=url[:200])
        url = url[absolute.end() :] or "/"
    if not url.startswith("/"):
        return url.removeprefix("./")
    for start in (house.path, "/" + house.path.rpartition("/")[2]):
        if url == start or url.startswith((f"{start}/", f"{start}?")):
            return url[len(start) :].lstrip("/")
    return url.lstrip("/")


class _Linked(msgspec.Struct):
    link: str = msgspec.field(default="", name="@iot.selfLink")


def _self_link(body: bytes) -> str:
    """The link of the entity that an answer shows."""
    if not body.startswith(b"{") or b"@iot.selfLink" not in body[:200]:
        return ""
    try:
        return msgspec.json.decode(body, type=_Linked).link
    except (msgspec.DecodeError, RecursionError):
        return ""
