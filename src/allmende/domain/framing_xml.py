"""Cuts an XML document into documents of bounded size: blocks of elements, each in a copy of what is around them.

Only bytes are looked for, so that this costs next to nothing beside the parser that reads the blocks. What is not as
this expects it (another encoding, a DTD, no such element) is taken whole, and judged by the parser.
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol
from xml.parsers import expat

BLOCK_BYTES = 192 * 1024
"""Less than is kept of a rejection, so that a block that cannot be read can be replayed."""
_HEAD_BYTES = 1024 * 1024
_CHUNK = 256 * 1024
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_KNOWN = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252", b"latin1"})


class Reader(Protocol):
    """Where the document comes from."""

    def read(self, size: int = ..., /) -> bytes:
        """Up to so many bytes; none at the end."""


TooLarge = Callable[[int], Exception]


def xml_blocks(reader: Reader, element: str, max_bytes: int, too_large: TooLarge) -> Iterator[tuple[int, bytes]]:
    """Each block with the line on which it begins. ``element`` is a name without its prefix.

    Every block but the last ends behind an element and is closed as its beginning was opened; the last ends as the
    document does, so that one that was cut off is seen to be.
    """
    opening = re.compile(rb"<((?:[\w.-]+:)?" + element.encode() + rb")[\s/>]", re.ASCII)
    text = b""
    more = True
    while more and len(text) < _HEAD_BYTES and not opening.search(text, max(0, len(text) - 2 * _CHUNK)):
        chunk = reader.read(_CHUNK)
        more = bool(chunk)
        text += chunk
    found = opening.search(text)
    head = text[: found.start()] if found else b""
    tail = None if found is None else _closing(head)
    if found is None or tail is None:
        yield 1, _rest(reader, text, max_bytes, too_large)
        return
    line = 1 + head.count(b"\n")
    text = text[len(head) :]
    closing = re.compile(rb"</" + re.escape(found[1]) + rb"\s*>")
    while True:
        end = closing.search(text, BLOCK_BYTES) if len(text) > BLOCK_BYTES else None
        if end is None or not opening.search(text, end.end()):
            if more:
                chunk = reader.read(_CHUNK)
                more = bool(chunk)
                text += chunk
                if len(text) > max_bytes:
                    raise too_large(line)
                continue
            yield line, head + text
            return
        block, text = text[: end.end()], text[end.end() :]
        yield line, head + block + tail
        line += block.count(b"\n")


def _closing(head: bytes) -> bytes | None:
    """What closes everything that the head of a document opened; None for a head that is not plain."""
    declared = _DECLARED.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())
    if b"<!" in head.replace(b"<!--", b"") or (declared and declared[1].lower() not in _KNOWN):
        return None
    opened: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _attributes: opened.append(name)
    parser.EndElementHandler = lambda _name: opened.pop()
    try:
        parser.Parse(head, False)
    except expat.ExpatError:
        return None
    return "".join(f"</{name}>" for name in reversed(opened)).encode() if opened else None


def _rest(reader: Reader, text: bytes, max_bytes: int, too_large: TooLarge) -> bytes:
    pieces = [text]
    held = len(text)
    while chunk := reader.read(_CHUNK):
        pieces.append(chunk)
        held += len(chunk)
        if held > max_bytes:
            raise too_large(1)
    return b"".join(pieces)
