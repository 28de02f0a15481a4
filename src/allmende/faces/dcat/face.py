"""Answers for catalogues: the whole in pages, one dataset, what was withdrawn. Values in, bytes out."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

import msgspec
import xxhash
from rdflib import Literal, URIRef
from rdflib.namespace import RDF

from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.editions import Edition
from allmende.domain.errors import InvalidQuery
from allmende.domain.face import Request, Response
from allmende.domain.figures import DatasetFigures
from allmende.domain.tombstones import Tombstone
from allmende.faces.dcat.describe import describe_alone, describe_catalogue, describe_edition, describe_gone
from allmende.faces.dcat.formats import Format, error_body, profile_of, write
from allmende.faces.dcat.names import HYDRA, Profile, empty_graph

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1000
_encoder = msgspec.json.Encoder(order="deterministic")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a catalogue is asked for."""

    page: int
    size: int
    since: str
    """Only what changed on this day or later; ISO text, "" for all."""
    profile: Profile


def parse_question(request: Request, accept_profile: str = "") -> Question:
    """The options of ``/catalog``. Raises InvalidQuery. Options that are not known are passed over: harvesters bring
    their own."""
    values = dict(parse_qsl(request.query, keep_blank_values=True))
    size = _number(values.get("limit") or values.get("rows") or "", "limit", PAGE_SIZE)
    return Question(
        page=_number(values.get("page", ""), "page", 1),
        size=min(size, PAGE_SIZE_MAX),
        since=_since(values.get("modified_since", "")),
        profile=profile_of(values.get("profile", ""), accept_profile),
    )


def _number(text: str, where: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 9):
        raise InvalidQuery("is no whole number above 0", where=where)
    return int(text)


def _since(text: str) -> str:
    """The day of a date or a time with its zone, in UTC."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise InvalidQuery("is no date: 2025-02-01 or 2025-02-01T12:00:00Z", where="modified_since") from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()


def answer_catalogue(request: Request, catalogue: Catalogue, format_: Format, accept_profile: str = "") -> Response:
    """A page of the catalogue."""
    try:
        question = parse_question(request, accept_profile)
    except InvalidQuery as error:
        return Response(status=400, body=error_body(error.message, error.where))
    found = [entry for entry in catalogue.entries if entry.modified >= question.since]
    body, tag = _write_catalogue(_Keyed(catalogue), question, format_, tuple(entry.id for entry in found))
    newest = max((entry.modified for entry in catalogue.entries), default="")
    return _answer(request, body, tag, format_, newest, question.profile)


def answer_dataset(
    request: Request, entry: Entry, catalogue: Catalogue, format_: Format, accept_profile: str = ""
) -> Response:
    """One dataset."""
    try:
        profile = profile_of(dict(parse_qsl(request.query)).get("profile", ""), accept_profile)
    except InvalidQuery as error:
        return Response(status=400, body=error_body(error.message, error.where))
    body, tag = _write_entry(_Keyed(catalogue), entry.id, format_, profile)
    return _answer(request, body, tag, format_, entry.modified, profile)


def answer_edition(
    request: Request, entry: Entry, edition: Edition, current: Entry, catalogue: Catalogue, format_: Format,
    accept_profile: str = "",
) -> Response:  # fmt: skip
    """What an earlier or the current edition of a dataset's description said; see ``describe_edition``."""
    try:
        profile = profile_of(dict(parse_qsl(request.query)).get("profile", ""), accept_profile)
    except InvalidQuery as error:
        return Response(status=400, body=error_body(error.message, error.where))
    body = write(describe_edition(entry, edition, current, catalogue, profile), format_)
    tag = f'W/"{xxhash.xxh3_64_hexdigest(_encoder.encode((entry, edition, current.editions, catalogue.root)))}"'
    return _answer(request, body, tag, format_, edition.day, profile)


def answer_gone(stone: Tombstone, format_: Format) -> Response:
    """The tombstone of a dataset that was withdrawn: 410 (RFC 9110, 15.5.11) with what is left to say."""
    body = write(describe_gone(stone), format_)
    return Response(status=410, body=body, content_type=f"{format_.media[0]}; charset=utf-8")


class _Keyed:
    """A catalogue as a key: by what it says, so that a written page is kept as long as nothing changes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        # counts change with every reading, and no graph tells them
        said = tuple(
            msgspec.structs.replace(entry, figures=DatasetFigures(), collections=())
            for entry in catalogue.entries
            if entry.origin is None
        )
        # what was taken over is known by its digest: there may be thousands
        origins = [(entry.id, each.digest, each.changed, each.licence) for entry in catalogue.entries
                   if (each := entry.origin) is not None]  # fmt: skip
        rest = [lines for _, lines in catalogue.kept.rest()] if catalogue.kept is not None else []
        own = msgspec.structs.replace(catalogue, entries=said, kept=None)
        self.digest = xxhash.xxh3_128_hexdigest(_encoder.encode((own, origins, rest)))

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.digest == self.digest


@lru_cache(maxsize=64)
def _write_catalogue(keyed: _Keyed, question: Question, format_: Format, ids: tuple[str, ...]) -> tuple[bytes, str]:
    catalogue = keyed.catalogue
    wanted = set(ids)
    found = [entry for entry in catalogue.entries if entry.id in wanted]
    begin = (question.page - 1) * question.size
    shown = found[begin : begin + question.size]
    graph = describe_catalogue(catalogue, shown, question.profile, all_entries=found, whole=question.page == 1)
    last = max(1, -(-len(found) // question.size))

    def page(number: int) -> URIRef:
        options = {"page": number, "limit": question.size, "profile": question.profile.value}
        if question.since:
            options["modified_since"] = question.since
        return URIRef(f"{catalogue.root}/catalog.{format_.suffix}?{urlencode(options)}")

    here = page(question.page)
    # old and new words for the same: harvesters know one or the other
    for kind in (HYDRA.PagedCollection, HYDRA.PartialCollectionView):
        graph.add((here, RDF.type, kind))
    graph.add((here, HYDRA.totalItems, Literal(len(found))))
    graph.add((here, HYDRA.itemsPerPage, Literal(question.size)))
    places = {"first": 1, "last": last}
    if question.page < last:
        places["next"] = question.page + 1
    if 1 < question.page <= last:
        places["previous"] = question.page - 1
    for name, number in places.items():
        graph.add((here, HYDRA[name], page(number)))
        graph.add((here, HYDRA[f"{name}Page"], page(number)))
    body = write(graph, format_)
    return body, _tag(keyed, format_, question, ids)


@lru_cache(maxsize=256)
def _write_entry(keyed: _Keyed, name: str, format_: Format, profile: Profile) -> tuple[bytes, str]:
    entry = keyed.catalogue.entry(name)
    body = write(empty_graph() if entry is None else describe_alone(entry, keyed.catalogue, profile), format_)
    return body, _tag(keyed, format_, profile.value, name)


def _tag(keyed: _Keyed, *parts: object) -> str:
    # of what is said, not of the bytes: blank nodes have other names in each process
    return f'W/"{xxhash.xxh3_64_hexdigest(repr((keyed.digest, parts)).encode())}"'


def _answer(request: Request, body: bytes, tag: str, format_: Format, modified: str, profile: Profile) -> Response:
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Profile, Authorization, Cookie",
        "Cache-Control": "no-cache",
        "Link": f'<{profile.uri}>; rel="profile"',
        "Content-Profile": f"<{profile.uri}>",
    }
    if modified:
        day = datetime.fromisoformat((modified + "-01-01")[:10])
        headers["Last-Modified"] = format_datetime(day.replace(tzinfo=UTC), usegmt=True)
    media = f"{format_.media[0]}; charset=utf-8"
    asked = [part.strip().removeprefix("W/") for part in request.if_none_match.split(",")]
    if tag.removeprefix("W/") in asked or "*" in asked:
        return Response(status=304, content_type=media, headers=headers)
    return Response(status=200, body=body, content_type=media, headers=headers)
