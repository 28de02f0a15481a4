"""Tables with a header as text: which sign separates, what a line holds, what is a number."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from allmende.domain.connector import Payload
from allmende.domain.errors import InvalidInput

_SIGNS = ";,\t|"
_NUMBERS = {
    ".": re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?\Z", re.ASCII),
    ",": re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:,[0-9]{1,15})?\Z", re.ASCII),
}


class Line(NamedTuple):
    """A line of a table: its cells by column, or why it has none."""

    number: int
    cells: dict[str, str]
    body: bytes
    """The header and this line, as a rejection holds it."""
    problem: str = ""


def header_of(payload: Payload, separator: str = "", encoding: str = "utf-8", head: int = 1) -> tuple[list[str], str]:
    """The names of the columns, and the sign between them. Raises InvalidInput for what is no header.

    ``head`` is the number of lines before the first row, of which the last has the names; of a table without one they
    are ``column-1`` and so on.
    """
    lines = payload.body.removeprefix(b"\xef\xbb\xbf").split(b"\n", max(head, 1))
    if len(lines) < head:
        raise InvalidInput(f"it has {len(lines)} lines, its head alone should have {head}")
    first = lines[max(head, 1) - 1].rstrip(b"\r")
    try:
        text = first.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidInput(f"the header cannot be read as {encoding}: {error}") from None
    sign = separator or max(_SIGNS, key=text.count)
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=sign, strict=True), [])]
    except (csv.Error, TypeError) as error:
        raise InvalidInput(f"the header is no line of a table: {error}") from None
    if not head:
        return [f"column-{place}" for place in range(1, len(names) + 1)], sign
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise InvalidInput(f"the header names {', '.join(sorted(twice))[:100]} twice")
    return names, sign


def require(names: Iterable[str], wanted: Iterable[str]) -> None:
    """Raises InvalidInput for columns that are wanted and not there."""
    there = set(names)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise InvalidInput(f"the table has no column {', '.join(missing)[:200]}")


def head_of(body: bytes, head: int = 1) -> tuple[bytes, bytes]:
    """The lines before the first row with their ends, and the rest."""
    plain = body.removeprefix(b"\xef\xbb\xbf")
    end = 0
    for _ in range(head):
        end = plain.find(b"\n", end) + 1
        if not end:
            return plain + b"\n", b""
    return plain[:end], plain[end:]


def lines_of(
    payload: Payload, names: Sequence[str], sign: str, encoding: str = "utf-8", head: int = 1
) -> Iterator[Line]:
    """The lines under the header, those that are blank left out."""
    above, rest = head_of(payload.body, head)
    # line is the first data line of a block; a file by itself begins with its header
    for number, raw in enumerate(rest.split(b"\n"), max(payload.line, head + 1)):
        if not raw.strip():
            continue
        body = above + raw + b"\n"
        try:
            cells = next(csv.reader([raw.rstrip(b"\r").decode(encoding)], delimiter=sign, strict=True))
        except (UnicodeDecodeError, csv.Error, StopIteration) as error:
            yield Line(number, {}, body, f"this is no line of the table: {error}")
            continue
        if len(cells) != len(names):
            yield Line(number, {}, body, f"it has {len(cells)} columns, the header {len(names)}")
            continue
        yield Line(number, dict(zip(names, map(str.strip, cells), strict=True)), body)


def number_of(text: str, decimal: str = ".") -> float | int | None:
    """A plain number, None for what is none. No signs between thousands, no exponent, no NaN."""
    if not _NUMBERS["," if decimal == "," else "."].match(text):
        return None
    plain = text.replace(",", ".")
    return float(plain) if "." in plain else int(plain)


def as_said(text: str, decimal: str = ".") -> Any:
    """A cell as JSON: a number where it is one, else its text."""
    number = number_of(text, decimal)
    # "007" and the like are no numbers here, and stay what they are
    return text if number is None else number
