"""Damaged, renamed, reordered and blown-up copies of a payload, for the tests of parsers.

The form is found by looking: JSON, NDJSON, XML, a table with a header, or text. Nothing is drawn by chance without a
seed, so that a failure comes again. See :func:`allmende.connectors.testing.assert_withstands` for what must become
of them.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from allmende.connectors.mutated_tables import mutate_table, separator
from allmende.connectors.mutated_xml import mutate_xml

SEED = 20_240_501
CUTS = 24
"""Places at which a payload is cut off."""
LEAVES = 48
"""Values that are looked at one by one; of more, so many are drawn."""
REPEATS = 1500
DEPTH = 8_000
_LONG = "x" * 300_000
_MARK = "\u0001leaf\u0001"
_NUMERIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?)([.,]\d+)?(Z|[+-]\d{2}:?\d{2})\Z", re.ASCII)


class Mutation(NamedTuple):
    """A payload that is not what its source sends. ``told``: readings that are gone must be told by a rejection."""

    name: str
    body: bytes
    told: bool = False


def mutations(body: bytes) -> Iterator[Mutation]:
    """The mutations of a payload; at least a hundred for a message of some values."""
    yield from _bytes(body)
    form = form_of(body)
    if form == "json":
        yield from _json(json.loads(body))
    elif form == "ndjson":
        yield from _lines(body)
    elif form == "xml":
        yield from _cuts(body, told=True)
        yield from (Mutation(*made) for made in mutate_xml(body, Random(SEED), wrong))  # noqa: S311  no secret
    elif form == "table":
        yield from (Mutation(*made) for made in mutate_table(body, Random(SEED), wrong))  # noqa: S311  no secret


def form_of(body: bytes) -> str:
    """``json``, ``ndjson``, ``xml``, ``table`` or ``other``."""
    bare = body.removeprefix(b"\xef\xbb\xbf").strip()
    if bare.startswith(b"<"):
        return "xml"
    if bare[:1] in (b"{", b"["):
        lines = [line for line in bare.splitlines() if line.strip()]
        if _loads(bare):
            return "json"
        if all(map(_loads, lines)):
            return "ndjson"
        return "other"
    try:
        lines = bare.decode().splitlines()
    except UnicodeDecodeError:
        return "other"
    return "table" if len(lines) > 1 and separator(lines[0]) else "other"


def _loads(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


# ------------------------------------------------------------------------------------------------ of any payload


def _bytes(body: bytes) -> Iterator[Mutation]:
    yield Mutation("empty", b"")
    yield Mutation("blank", b" \r\n\t\n")
    yield Mutation("byte order mark", b"\xef\xbb\xbf" + body)
    yield Mutation("nothing but zeros", bytes(64))
    yield Mutation("zeros behind", body + bytes(64))
    yield Mutation("gzip garbage", b"\x1f\x8b\x08\x00" + Random(SEED).randbytes(200))  # noqa: S311  no secret
    yield Mutation("binary", Random(SEED).randbytes(500))  # noqa: S311  no secret
    yield Mutation("an error page", b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>", True)
    yield Mutation("an error in JSON", b'{"error": "unauthorized", "status": 401}')
    yield Mutation("invalid UTF-8", body.replace(b"e", b"\xff", 1) if b"e" in body else b"\xff" + body)
    yield Mutation("line ends of Windows", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    yield Mutation("UTF-16 with a mark", text.encode("utf-16"))
    yield Mutation("UTF-16 without a mark", text.encode("utf-16-le"))
    yield Mutation("Latin-1", text.encode("latin-1", errors="replace"))
    yield Mutation("UTF-32", text.encode("utf-32"))


def _cuts(body: bytes, *, told: bool) -> Iterator[Mutation]:
    """Cut off at many places, and with a hole. A document that lacks only blanks at its end is whole."""
    end = len(body.rstrip())
    for place in sorted({end * index // CUTS for index in range(1, CUTS)} | {end - 1}):
        yield Mutation(f"cut off at {place}", body[:place], told)
    yield Mutation("a hole in the middle", body[: end // 3] + body[end // 2 :], told)


# ------------------------------------------------------------------------------------------------------ values


def wrong(text: str, *, quoted: bool = True) -> Iterator[tuple[str, str, bool]]:
    """What may stand in the place of a number or a time and is none, or is the same in other words: name, text, told.

    ``quoted`` is False where every value is text (a table, XML), so that the other types of JSON do not exist.
    """
    if match := _TIME.match(text):
        yield from _wrong_times(*match.groups())
    elif _NUMERIC.match(text):
        yield from (
            (f"the number {name}", made, True)
            for name, made in (
                ("as a word", "n/a"),
                ("with an X", text + "X"),
                ("hexadecimal", "0x1F"),
                ("beyond all numbers", "1e999"),
                ("of 5,000 digits", "9" * 5000),
                ("of 400 digits", "9" * 400),
                ("not a number", "NaN"),
                ("infinite", "-Infinity"),
                ("in other digits", "٣"),
                ("with an underscore", f"{text}_0"),
            )
        )
        if len(text.lstrip("+-").partition(".")[0]) in (10, 13) and float(text) > 1e9:
            # seconds for milliseconds lie in the year 57,000
            yield "a moment in a smaller unit", text.partition(".")[0] + "000", True
    if text:
        yield "nothing", "", False
        yield "a text of 300,000 signs", _LONG, False
        if quoted:
            yield "a text with NUL", "\x00", False


def _wrong_times(moment: str, fraction: str | None, offset: str) -> Iterator[tuple[str, str, bool]]:
    whole = moment + (fraction or "")
    yield "the time without offset", whole, True
    yield "the time with an impossible offset", f"{whole}+29:00", True
    yield "the time with a zone's name", f"{whole} CEST", True
    yield "a word for a time", "yesterday", True
    yield "an impossible day", "2024-02-30" + moment[10:] + offset, True
    yield "an impossible hour", moment[:11] + "25" + moment[13:] + offset, True
    yield "a date without time", moment[:10], True
    yield "the year 9999", "9999" + moment[4:] + offset, True
    yield "the year 0001", "0001" + moment[4:] + offset, True
    other = _elsewhere(moment, fraction or "", offset)
    if other:
        yield "the same time in another zone", other, True


def _elsewhere(moment: str, fraction: str, offset: str) -> str:
    """The same moment with another offset."""
    try:
        at = datetime.fromisoformat(moment + ("+00:00" if offset == "Z" else offset))
    except ValueError:
        return ""
    zone = timezone(timedelta(hours=-3, minutes=-30)) if at.tzinfo != UTC else timezone(timedelta(hours=5))
    return at.astimezone(zone).isoformat().replace("+05:00", f"{fraction}+05:00").replace("-03:30", f"{fraction}-03:30")


# -------------------------------------------------------------------------------------------------------- JSON


def _lines(body: bytes) -> Iterator[Mutation]:
    lines = [line for line in body.splitlines() if line.strip()]
    # the lines that are whole are readings, the one that is cut is a rejection
    yield from _cuts(lines[0], told=True)
    yield from (made._replace(name=f"{made.name} of all") for made in _cuts(body, told=False))
    yield Mutation("lines twice", b"\n".join([*lines, *lines]))
    yield Mutation("lines in reverse", b"\n".join(reversed(lines)))
    yield Mutation("lines without ends", b" ".join(lines))
    yield Mutation("every line many times", b"\n".join(lines * (REPEATS // len(lines) + 1)))
    for made in _json(json.loads(lines[0])):
        yield Mutation(f"line 1: {made.name}", made.body, made.told)


def _json(document: Any) -> Iterator[Mutation]:
    body = _write(document)
    yield from _cuts(body, told=True)
    yield Mutation("twice in a row", body + b"\n" + body)
    yield Mutation("in a list", b"[" + body + b"]")
    yield Mutation("as a text", json.dumps(body.decode()).encode(), True)
    yield Mutation("keys in reverse", _write(_rebuilt(document, _reverse_keys)))
    yield Mutation("keys sorted", json.dumps(document, sort_keys=True).encode())
    yield Mutation("lists of objects in reverse", _write(_rebuilt(document, _reverse_lists)))
    yield Mutation("objects of lists twice", _write(_rebuilt(document, _double)))
    yield Mutation("objects of lists many times", _write(_repeated(document)))
    yield Mutation("unknown keys", _write(_rebuilt(document, _add_key)))
    yield Mutation("a deep list", b"[" * DEPTH)
    yield Mutation("a deep document", b'{"a":' * DEPTH + b"1" + b"}" * DEPTH)
    for raw in (b"null", b"true", b"0", b'""', b"[]", b"{}", b"[[[]]]", b"[null]", b'["a"]', b"1e999", b"NaN"):
        yield Mutation(f"nothing but {raw.decode()}", raw)
    paths = list(_paths(document, ()))
    for path in _drawn([path for path in paths if path and isinstance(path[-1], str)]):
        yield Mutation(f"{_shown(path)} renamed", _write(_with(document, path, _rename)))
        yield Mutation(f"{_shown(path)} left out", _write(_with(document, path, _leave_out)))
        yield Mutation(f"{_shown(path)} in capitals", _write(_with(document, path, _capitals)))
        yield Mutation(f"{_shown(path)} with NUL", _write(_with(document, path, _add_nul)))
    for path in _drawn([path for path in paths if path]):
        yield from _wrong_values(document, path)


def _wrong_values(document: Any, path: tuple[str | int, ...]) -> Iterator[Mutation]:
    value = document
    for step in path:
        value = value[step]
    template = json.dumps(_with(document, path, lambda holder, step: holder.__setitem__(step, _MARK)))
    mark = json.dumps(_MARK)

    def put(name: str, raw: str, told: bool = False) -> Mutation:
        return Mutation(f"{_shown(path)}: {name}", template.replace(mark, raw, 1).encode(), told)

    for raw in ("null", "[]", "{}", '""'):
        yield put(raw, raw)
    if isinstance(value, bool):
        yield from (put(raw, raw) for raw in ('"maybe"', "2"))
        return
    for raw in ("true", "[[7]]", '{"a": {"b": 7}}'):
        yield put(raw, raw)
    yield put("a deep list", "[" * 5000 + "]" * 5000)
    yield put("a list as deep as can be read", "[" * 600 + "]" * 600)
    if isinstance(value, int | float):
        yield put("as a text", json.dumps(json.dumps(value)))
        for name, text, told in wrong(json.dumps(value)):
            bare = text in ("1e999", "NaN", "-Infinity") or (text.isdecimal() and text.isascii())
            yield put(name, text if bare else json.dumps(text), told)
    elif isinstance(value, str):
        for name, text, told in wrong(value):
            yield put(name, json.dumps(text), told)
        yield put("4.5", "4.5")


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


def _drawn(paths: Sequence[tuple[str | int, ...]]) -> list[tuple[str | int, ...]]:
    if len(paths) <= LEAVES:
        return list(paths)
    return Random(SEED).sample(paths, LEAVES)  # noqa: S311  no secret


def _with(document: Any, path: tuple[str | int, ...], change: Callable[[Any, Any], None]) -> Any:
    """A copy in which the holder of the last step is changed."""
    copy = json.loads(json.dumps(document))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return copy


def _rename(holder: dict[str, Any], key: str) -> None:
    _replace_key(holder, key, f"{key}New")


def _capitals(holder: dict[str, Any], key: str) -> None:
    _replace_key(holder, key, key.upper() if key != key.upper() else key.lower())


def _add_nul(holder: dict[str, Any], key: str) -> None:
    _replace_key(holder, key, f"{key}\0")


def _replace_key(holder: dict[str, Any], key: str, other: str) -> None:
    items = [(other if name == key else name, value) for name, value in holder.items()]
    holder.clear()
    holder.update(items)


def _leave_out(holder: dict[str, Any], key: str) -> None:
    del holder[key]


def _rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return change({key: _rebuilt(inner, change) for key, inner in value.items()})
    if isinstance(value, list):
        return change([_rebuilt(inner, change) for inner in value])
    return value


def _reverse_keys(value: Any) -> Any:
    return dict(reversed(value.items())) if isinstance(value, dict) else value


def _is_table(value: Any) -> bool:
    """A list whose order says nothing: of objects. One of numbers may be a position or the lamps of a signal."""
    return isinstance(value, list) and bool(value) and all(isinstance(inner, dict) for inner in value)


def _reverse_lists(value: Any) -> Any:
    return value[::-1] if _is_table(value) else value


def _double(value: Any) -> Any:
    return [*value, *value] if _is_table(value) else value


def _repeated(document: Any) -> Any:
    """The outermost lists of objects, many times."""
    if _is_table(document):
        return (document * (REPEATS // len(document) + 1))[:REPEATS]
    if isinstance(document, dict):
        return {key: _repeated(value) for key, value in document.items()}
    return document


def _add_key(value: Any) -> Any:
    return {**value, "zzUnknown": {"deep": ["4", 4.5, None]}} if isinstance(value, dict) else value


def _write(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")


def _shown(path: tuple[str | int, ...]) -> str:
    return "/".join(map(str, path))[:80]
