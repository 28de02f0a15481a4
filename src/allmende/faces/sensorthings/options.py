"""Query options (18-088, 9.3) to a Query. Wrong option, wrong name, wrong type: 400 that says where."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Literal, get_args
from urllib.parse import unquote_plus

import msgspec

from allmende.domain.errors import InvalidQuery, LimitExceeded, NotSupported
from allmende.domain.face import FaceLimits
from allmende.domain.model import ENTITIES, EntityType, Kind
from allmende.domain.policy import Reader
from allmende.domain.query import Expand, Query
from allmende.faces.sensorthings.address import Address
from allmende.faces.sensorthings.expressions import parse_filter, parse_order
from allmende.faces.sensorthings.formats.choice import DATA_ARRAY, JSON, Format, accepted_format, named_format
from allmende.faces.sensorthings.formats.streams import with_streams
from allmende.faces.sensorthings.rows import Parts

KNOWN = (
    "$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand", "$skiptoken", "$resultFormat",
    "$resultMetadata",
)  # fmt: skip
UNBUILT = ("$search", "$compute", "$format", "$index", "$levels", "$schemaversion", "$deltatoken")
"""Options of OData, on which the standard stands, that are not here: answered 501 (18-088, 9.3.1)."""
_WHOLE_ANSWER = ("$skiptoken", "$resultFormat", "$resultMetadata")
_MAX_PARTS = 16
_WITH_PARTS = (Kind.JSON, Kind.OBJECT, Kind.GEOMETRY, Kind.RESULT)
Metadata = Literal["full", "minimal", "none", "off"]
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[int | float | str | None])


class Asked(msgspec.Struct, frozen=True):
    """A Query with the texts that it came from, by option: links to the next page repeat them."""

    query: Query
    texts: dict[str, str]
    expands: dict[str, "Asked"]
    chosen: tuple[str, ...] | None = None
    """What $select names, in its order, parts of properties too; the query's own names whole properties."""
    parts: Parts = ()
    """Of which properties only parts are wanted."""
    metadata: Metadata = "full"
    format: Format = JSON

    @property
    def links(self) -> bool:
        """Whether addresses of entities and of their relations are shown."""
        return self.metadata == "full"


def parse_options(address: Address, text: str, *, reader: Reader, limits: FaceLimits, accept: str = "") -> Asked:
    """The question that an address and its (encoded) query options ask; ``accept`` is the header of that name, which
    counts where $resultFormat is absent."""
    texts = read_texts(text, KNOWN)
    if address.single or address.reference:
        _check_single(address, texts)
    metadata = _read_metadata(texts)
    asked = _ask(ENTITIES[address.entity], texts, reader, limits, depth=0, metadata=metadata)
    top = 1 if address.single else asked.query.top
    query = msgspec.structs.replace(asked.query, path=address.path, id=address.id, top=top)
    format = _read_format(address, texts, accept)
    if format is DATA_ARRAY:
        query = with_streams(query)
    return msgspec.structs.replace(asked, query=query, format=format)


def _check_single(address: Address, texts: dict[str, str]) -> None:
    if address.reference and "$resultFormat" in texts:
        raise InvalidQuery("does not go with references", where="$resultFormat")
    allowed = ("$select", "$expand", "$resultFormat", "$resultMetadata") if not address.attribute else ()
    for option in texts:
        if address.single and option not in allowed:
            raise InvalidQuery("goes with a set, not with one entity", where=option)


def _read_format(address: Address, texts: dict[str, str], accept: str) -> Format:
    if "$resultFormat" in texts:
        chosen = named_format(texts["$resultFormat"])
        if chosen is DATA_ARRAY and (address.single or address.entity != "Observation"):
            raise InvalidQuery(f"{DATA_ARRAY.name} goes with sets of Observations alone", where="$resultFormat")
        if chosen is DATA_ARRAY and "$expand" in texts:
            raise InvalidQuery(f"has no place in {DATA_ARRAY.name}", where="$expand")
        return chosen
    return JSON if address.attribute or address.reference else accepted_format(accept)


def _read_metadata(texts: dict[str, str]) -> Metadata:
    text = texts.get("$resultMetadata", "full").strip().lower()
    for name in get_args(Metadata):
        if text == name:
            return name  # type: ignore[no-any-return]  # one of the literal's own words
    raise InvalidQuery(f"{text!r} is none of {', '.join(get_args(Metadata))}", where="$resultMetadata")


def names_option(text: str, option: str) -> bool:
    """Whether (encoded) query options name an option."""
    return any(unquote_plus(piece.partition("=")[0]) == option for piece in text.split("&"))


def read_texts(text: str, known: Sequence[str]) -> dict[str, str]:
    """The (encoded) query options of an address by name; raises InvalidQuery for one that is not known here."""
    texts: dict[str, str] = {}
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        _put_option(texts, unquote_plus(name), unquote_plus(value), known)
    return texts


def _put_option(texts: dict[str, str], name: str, value: str, known: Sequence[str] = KNOWN) -> None:
    if name in UNBUILT:
        raise NotSupported("this release does not have it", where=name)
    if name not in known:
        raise InvalidQuery(f"there is no such option here; known are {', '.join(known)}", where=name)
    if name in texts:
        raise InvalidQuery("is given twice", where=name)
    texts[name] = value


def _ask(
    entity: EntityType, texts: dict[str, str], reader: Reader, limits: FaceLimits, *, depth: int, metadata: Metadata
) -> Asked:
    chosen = _read_select(entity, texts["$select"]) if "$select" in texts else None
    expands = _read_expands(entity, texts["$expand"], reader, limits, depth, metadata) if "$expand" in texts else {}
    page, bounds = paging(texts, limits), bounds_of(limits)
    query = Query(
        entity=entity.name,
        reader=reader,
        filter=parse_filter(texts["$filter"], **bounds) if "$filter" in texts else None,
        order=parse_order(texts["$orderby"], **bounds) if "$orderby" in texts else (),
        top=page.top,
        skip=page.skip,
        after=page.after,
        count=page.count,
        expand_rows=limits.expand_rows,
        select=None if chosen is None else tuple(dict.fromkeys(name.partition("/")[0] for name in chosen)),
        expand=tuple(Expand(relation=name, query=asked.query) for name, asked in expands.items()),
    )
    if depth and metadata != "full":
        texts = {**texts, "$resultMetadata": metadata}  # the links of an expansion go on as the whole was asked for
    return Asked(query, texts, expands, chosen=chosen, parts=_parts(chosen or ()), metadata=metadata)


def bounds_of(limits: FaceLimits) -> dict[str, int]:
    """The bounds of an expression."""
    return {"max_length": limits.filter_length, "max_cost": limits.filter_cost}


class Paging(msgspec.Struct, frozen=True):
    """Which part of a set is asked for."""

    top: int
    skip: int
    after: tuple[Any, ...] | None
    count: bool


def paging(texts: dict[str, str], limits: FaceLimits) -> Paging:
    """What ``$top``, ``$skip``, ``$skiptoken`` and ``$count`` say."""
    return Paging(
        top=min(_read_number(texts, "$top", limits.page_size), limits.page_size_max),
        skip=_read_skip(texts, limits),
        after=_read_token(texts["$skiptoken"]) if "$skiptoken" in texts else None,
        count=_read_flag(texts, "$count"),
    )


def _read_number(texts: dict[str, str], option: str, default: int) -> int:
    if option not in texts:
        return default
    text = texts[option].strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidQuery(f"{text!r} is no whole number from 0 on", where=option)
    return int(text)


def _read_skip(texts: dict[str, str], limits: FaceLimits) -> int:
    skip = _read_number(texts, "$skip", 0)
    if "$skiptoken" in texts:
        return 0  # how many the token has passed over, see next_link
    if skip > limits.skip_max:
        raise LimitExceeded(
            f"at most {limits.skip_max}; follow @iot.nextLink instead", setting="ALLMENDE_SKIP_MAX", where="$skip"
        )
    return skip


def _read_flag(texts: dict[str, str], option: str) -> bool:
    text = texts.get(option, "false").strip()
    if text not in ("true", "false"):
        raise InvalidQuery(f"{text!r} is neither true nor false", where=option)
    return text == "true"


def _read_select(entity: EntityType, text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name in ("id", "@iot.id") or entity.attribute(name) or entity.relation(name):
            continue
        head, *rest = name.split("/")
        attribute = entity.attribute(head)
        if attribute is None:
            known = ["id", *(a.name for a in entity.attributes), *(r.name for r in entity.relations)]
            raise InvalidQuery(f"{entity.name} has no property {name!r}; it has {', '.join(known)}", where="$select")
        if attribute.kind not in _WITH_PARTS:
            raise InvalidQuery(f"{head} has no parts", where="$select")
        if not all(rest) or len(rest) > _MAX_PARTS:
            raise InvalidQuery(f"{name!r} is no path of 1 to {_MAX_PARTS} names behind {head}", where="$select")
    return names


def _parts(chosen: tuple[str, ...]) -> Parts:
    """The paths into each property that is not wanted whole."""
    found: dict[str, list[tuple[str, ...]]] = {}
    whole = frozenset(chosen)
    for name in chosen:
        head, *rest = name.split("/")
        if rest and head not in whole:
            found.setdefault(head, []).append(tuple(rest))
    return tuple((name, tuple(paths)) for name, paths in found.items())


def _read_expands(
    entity: EntityType, text: str, reader: Reader, limits: FaceLimits, depth: int, metadata: Metadata
) -> dict[str, Asked]:
    if depth >= limits.expand_depth:
        raise LimitExceeded(f"at most {limits.expand_depth} levels", setting="ALLMENDE_EXPAND_DEPTH", where="$expand")
    wanted: dict[str, dict[str, str]] = {}
    for piece in split_outside(text, ","):
        head, options = _read_expand(piece)
        first, _, rest = head.partition("/")
        relation = entity.relation(first)
        if relation is None:
            known = ", ".join(r.name for r in entity.relations)
            raise InvalidQuery(f"{entity.name} has no relation {first!r}; it has {known}", where="$expand")
        texts = wanted.setdefault(first, {})
        if rest:
            nested = rest if not options else f"{rest}({';'.join(f'{k}={v}' for k, v in options.items())})"
            texts["$expand"] = f"{texts['$expand']},{nested}" if "$expand" in texts else nested
            continue
        for name, value in options.items():
            _put_option(texts, name, value)
    return {
        name: _ask(ENTITIES[_target(entity, name)], texts, reader, limits, depth=depth + 1, metadata=metadata)
        for name, texts in wanted.items()
    }


def _target(entity: EntityType, name: str) -> str:
    relation = entity.relation(name)
    if relation is None:
        raise InvalidQuery(f"{entity.name} has no relation {name!r}", where="$expand")
    return relation.target


def _read_expand(piece: str) -> tuple[str, dict[str, str]]:
    """``Observations($top=1;$count=true)`` to its name and options."""
    head, bracket, rest = piece.strip().partition("(")
    if not bracket:
        return head.strip(), {}
    if not rest.endswith(")"):
        raise InvalidQuery(f"{piece.strip()!r} has a bracket too few", where="$expand")
    texts: dict[str, str] = {}
    for option in split_outside(rest[:-1], ";"):
        name, _, value = option.strip().partition("=")
        if name.strip() in _WHOLE_ANSWER:
            raise InvalidQuery("does not go inside of $expand", where=name.strip())
        _put_option(texts, name.strip(), value)
    return head.strip(), texts


def split_outside(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside of brackets and quotes."""
    pieces, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == separator and depth == 0:
            pieces.append(text[start:at])
            start = at + 1
    pieces.append(text[start:])
    if depth or quoted:
        raise InvalidQuery(f"brackets or quotes do not match in {text[:60]!r}", where="$expand")
    return pieces


def make_token(values: tuple[Any, ...]) -> str:
    """The place of a page's last entity in the order, for a link. It grants nothing: the question is asked anew."""
    return urlsafe_b64encode(_encoder.encode(values)).decode().rstrip("=")


def _read_token(text: str) -> tuple[Any, ...]:
    try:
        values = _decoder.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if any(isinstance(value, int) and value >= 2**63 for value in values):
            raise ValueError("no number of ours")
        return tuple(values)
    except (msgspec.DecodeError, binascii.Error, ValueError, UnicodeError):
        raise InvalidQuery(
            "is no token of this house; follow @iot.nextLink as it was given", where="$skiptoken"
        ) from None
