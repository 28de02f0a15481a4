"""The names that a payload holds: columns of a table, keys of JSON, elements of XML. To see when a source changes them.

As a contract writes them: ``deviceInfo/devEui`` for JSON (steps into lists are left out), ``element`` and
``element@attribute`` for XML, without prefixes. A look, not a parser: it never raises, and says nothing where it is
not sure.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

MOST_BYTES = 1024 * 1024
MOST_NAMES = 400
_LONGEST = 120
_DEEPEST = 8
_COMMENT = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
_TAG = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>")
_ATTRIBUTE = re.compile(rb"([\w:.-]+)\s*=")
_SEPARATORS = (b";", b"\t", b"|", b",")


def names_in(body: bytes) -> frozenset[str]:
    """The names of a payload; empty for one that has none, or is too large to be looked at whole (JSON)."""
    begun = body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if begun.startswith(b"<"):
        found = _elements(body[:MOST_BYTES])
    elif begun[:1] in (b"{", b"["):
        found = _keys(body)
    else:
        found = _header(begun if b"\n" in begun else body[:MOST_BYTES])
    names: set[str] = set()
    for name in found:
        if name.isprintable() and 0 < len(name) <= _LONGEST:
            names.add(name)
        if len(names) >= MOST_NAMES:
            break
    return frozenset(names)


def _elements(body: bytes) -> Iterator[str]:
    for match in _TAG.finditer(_COMMENT.sub(b"", body)):
        element = match.group(1).decode(errors="replace")
        yield element
        for name in _ATTRIBUTE.findall(match.group(2)):
            if not name.startswith(b"xmlns"):
                yield f"{element}@{name.rpartition(b':')[2].decode(errors='replace')}"


def _keys(body: bytes) -> Iterator[str]:
    if len(body) > MOST_BYTES:
        return iter(())
    try:
        return _walk(msgspec.json.decode(body), "", 0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return iter(())


def _walk(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value[:100]:
            yield from _walk(inner, path, depth + 1) if depth < _DEEPEST else ()
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}/{key}" if path else key
            yield name
            if depth < _DEEPEST:
                yield from _walk(inner, name, depth + 1)


def _header(body: bytes) -> Iterator[str]:
    line = body.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].rstrip(b"\r")
    separator = max(_SEPARATORS, key=line.count)
    if separator in line:
        yield from (cell.strip().strip(b'"').decode(errors="replace") for cell in line.split(separator))
