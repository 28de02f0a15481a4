"""Query options of the face, each once: the parser and the OpenAPI document read the same table."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from allmende.domain import times
from allmende.domain.errors import InvalidInput, InvalidQuery
from allmende.domain.face import FaceLimits, Request
from allmende.faces.accept import prefers_html

Schema = Mapping[str, Any]


class Option(NamedTuple):
    """What it is for, and its JSON Schema."""

    words: str
    schema: Schema


FORMS = ("json", "html")
OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "f": Option("The form of the answer.", {"type": "string", "enum": FORMS}),
        "limit": Option("Features a page.", {"type": "integer", "minimum": 1}),
        "after": Option("The id behind which the page begins: stands in the link `next`.", {"type": "string"}),
        "bbox": Option(
            "Only what has a point in common with a box: two corners, in the axes of `bbox-crs`.",
            {
                "type": "array",
                "items": {"type": "number"},
                "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            },
        ),
        "bbox-crs": Option("The system of `bbox`.", {"type": "string", "format": "uri"}),
        "datetime": Option(
            "Only what holds at a time or in an interval, e.g. `2026-01-01T00:00:00Z/..`; also what has no time.",
            {"type": "string"},
        ),
        "crs": Option("The system of the answer.", {"type": "string", "format": "uri"}),
        "filter": Option("A condition in CQL2 text.", {"type": "string"}),
        "filter-lang": Option("The language of `filter`.", {"type": "string", "enum": ["cql2-text"]}),
        "filter-crs": Option("The system of geometries in `filter`.", {"type": "string", "format": "uri"}),
        "count": Option(
            "Whether to count all that match (`numberMatched`) also where that is dear.", {"type": "boolean"}
        ),
    }
)  # fmt: skip
RECORD_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        **{name: OPTIONS[name] for name in ("f", "limit", "after", "bbox", "datetime")},
        "q": Option("Words that are sought in the descriptions.", {"type": "string"}),
        "type": Option("Kinds of records, with commas between them: here are datasets.", {"type": "string"}),
        "ids": Option("Ids of records, with commas between them.", {"type": "string"}),
        "externalIds": Option("Addresses and names that others know it by, with commas.", {"type": "string"}),
    }
)  # fmt: skip
ITEMS = tuple(OPTIONS)
RECORDS = tuple(RECORD_OPTIONS)
ITEM = ("f", "crs")
ITEM_OF_RECORDS = PAGE = ("f",)


def read_texts(query: str, known: Sequence[str], others: bool = False) -> dict[str, str]:
    """The (encoded) options of an address by name; raises InvalidQuery for one that is given twice, and for an
    unknown one unless there may be others."""
    texts: dict[str, str] = {}
    for piece in query.split("&"):
        if not piece:
            continue
        name, _, value = (unquote_plus(part) for part in piece.partition("="))
        if name not in known and not others:
            raise InvalidQuery(f"there is no such option here; known are {', '.join(known)}", where=name[:80])
        if name in texts:
            raise InvalidQuery("is given twice", where=name[:80])
        if "\x00" in value or "\x00" in name:
            raise InvalidQuery("holds the character NUL", where=name[:80])
        texts[name] = value
    return texts


def check_form(request: Request) -> None:
    """Refuse a form that ``f`` names and that is not there."""
    texts = read_texts(request.query, (), others=True)
    if texts.get("f", "json") not in FORMS:
        raise InvalidQuery(f"{texts['f'][:80]!r} is none of {', '.join(FORMS)}", where="f")


def wants_page(request: Request) -> bool:
    """Whether the answer is for people: ``f`` says so, else the header Accept. Never raises: what is wrong with the
    options is told in the form that is asked for."""
    for piece in request.query.split("&"):
        name, _, value = piece.partition("=")
        if name == "f" and unquote_plus(value) in FORMS:
            return unquote_plus(value) == "html"
    return prefers_html(request.accept)


def read_limit(texts: Mapping[str, str], limits: FaceLimits) -> int:
    """Features a page, no more than the operator's limit."""
    if "limit" not in texts:
        return limits.page_size
    text = texts["limit"].strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) > 0):
        raise InvalidQuery(f"{text[:80]!r} is no whole number from 1 on", where="limit")
    return min(int(text), limits.page_size_max)


def read_flag(texts: Mapping[str, str], option: str) -> bool:
    """``true`` or ``false``."""
    text = texts.get(option, "false").strip()
    if text not in ("true", "false"):
        raise InvalidQuery(f"{text[:80]!r} is neither true nor false", where=option)
    return text == "true"


def read_span(texts: Mapping[str, str]) -> tuple[int | None, int | None]:
    """``datetime``: an instant, or two with a slash between them of which one may be open (``..`` or nothing).

    A day stands for all of it, in UTC."""
    if "datetime" not in texts:
        return None, None
    first, slash, second = texts["datetime"].strip().partition("/")
    if not slash:
        return _moment(first, end=False), _moment(first, end=True)
    start = None if first in ("", "..") else _moment(first, end=False)
    end = None if second in ("", "..") else _moment(second, end=True)
    if start is None and end is None and not (first or second):
        raise InvalidQuery("an interval has at least one end, or two dots", where="datetime")
    if start is not None and end is not None and end < start:
        raise InvalidQuery("this interval ends before it starts", where="datetime")
    return start, end


def _moment(text: str, *, end: bool) -> int:
    try:
        if len(text) == 10:
            start = times.parse_instant(f"{text}T00:00:00Z")
            return start + times.DAY - 1 if end else start
        return times.parse_instant(text)
    except InvalidInput as error:
        raise InvalidQuery(error.message, where="datetime") from None
