"""A table as text, by its beginning: encoding, separator, words above the header, header, rows."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from allmende.domain.framing import HEAD_LINES
from allmende.domain.recognition.model import Words
from allmende.domain.recognition.units import as_ucum

CELLS = 300_000
ROWS = 6000
"""Looked at at most: enough to meet the hour that is left out in spring in hourly values of half a year."""
_SIGNS = ";\t|,"
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*\Z", re.ASCII)
_TIME = re.compile(r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}|[0-9]{1,2}:[0-9]{2}", re.ASCII)


class Text(NamedTuple):
    """A table, and how it was read."""

    table: Mapping[str, Sequence[str]]
    settings: Mapping[str, Any]
    reasons: Sequence[Words]
    warnings: Sequence[Words]
    units: Mapping[str, str]


def read_text(body: bytes, *, cut: bool, separator: str = "") -> Text | None:
    """The table of some bytes; ``cut`` says that there are more. None for what is no table."""
    text, encoding = decoded(body, cut=cut)
    if text is None:
        return None
    lines = text.split("\n")
    if cut and len(lines) > 1:
        lines.pop()
    lines = [line.rstrip("\r") for line in lines]
    sign, width = (separator, 0) if separator else _separator(lines)
    rows = [_cells(line, sign) for line in lines[:HEAD_LINES]]
    width = width or _width(rows)
    start = next(
        (place for place, row in enumerate(rows) if len(row) == width and sum(map(bool, row)) > width / 2), None
    )
    if start is None or (width < 2 and not separator):
        return None
    body_rows = [row for line in lines[start:] if line.strip() and len(row := _cells(line, sign)) == width]
    body_rows = body_rows[: max(50, min(ROWS, CELLS // width))]
    return _table(body_rows, start, any(line.strip() for line in lines[:start]), sign, encoding, fixed=bool(separator))


def decoded(body: bytes, *, cut: bool) -> tuple[str | None, str]:
    """The text, and its encoding as the ``table`` connector's setting has it; None where it is no text."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark):
            return body[2:].decode(encoding, "replace"), "utf-8"
    body = body.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in body:
        return None, ""
    for spare in range(4 if cut else 1):  # a sign may be cut in its middle
        try:
            return body[: len(body) - spare].decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            continue
    return body.decode("windows-1252", "replace"), "windows-1252"


def _separator(lines: Sequence[str]) -> tuple[str, int]:
    """The sign that cuts most lines into the same number of cells, more than one."""
    best = (0.0, "", 0)
    for sign in _SIGNS:
        rows = [_cells(line, sign) for line in lines[:200] if line.strip()]
        width, count = Counter(len(row) for row in rows).most_common(1)[0] if rows else (0, 0)
        # a comma within numbers cuts evenly too: more cells by another sign do not make up for worse cuts
        score = count / max(len(rows), 1) + min(width, 50) / 1000
        if width > 1 and score > best[0] + (0.05 if best[1] else 0):
            best = score, sign, width
    return (best[1] or ";"), best[2]


def _width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(row) for row in rows if any(row))
    return widths.most_common(1)[0][0] if widths else 0


def _cells(line: str, sign: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=sign, strict=True), [])]
    except csv.Error:
        return []


def _table(rows: list[list[str]], start: int, words: bool, sign: str, encoding: str, *, fixed: bool) -> Text:
    named = _has_header(rows)
    settings: dict[str, Any] = {} if fixed else {"separator": sign}
    if encoding != "utf-8":
        settings["encoding"] = encoding
    reasons, warnings = [], []
    head = start + 1 if words else 1
    if not named:
        head = 0
        reasons.append(Words("The first row holds values: there are no names of columns."))
        if words:
            warnings.append(Words("Words stand above a table without names: those lines will be rejected."))
    elif words:
        reasons.append(Words("%(count)s lines stand above the names of the columns.", {"count": start}))
    if head != 1:
        settings["head"] = head
    names, data = (rows[0], rows[1:]) if named else ([f"column-{n}" for n in range(1, len(rows[0]) + 1)], rows)
    units = _units(names, data) if named else {}
    if units:
        data = data[1:]
        warnings.append(Words("The row under the names holds units; it will be rejected as a reading."))
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        warnings.append(
            Words("The header names %(names)s twice: the file has to be mended.", {"names": ", ".join(twice)})
        )
    table = {name: [row[place] for row in data] for place, name in enumerate(names) if name}
    return Text(table, settings, reasons, warnings, units)


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is names: none of them a number or a time, none of them a value further down."""
    if not rows:
        return True
    first = rows[0]
    if any(_NUMBER.match(cell) or _TIME.match(cell) for cell in first):
        # names may be years or numbers of sites, but then times stand below a word in the corner
        return bool(
            len(rows) > 2
            and first[0]
            and not _NUMBER.match(first[0])
            and not _TIME.match(first[0])
            and _TIME.match(rows[1][0])
        )
    said = [cell for cell in first if cell]
    if len(rows) == 1 or len(set(said)) < len(said):
        return True
    below = [{row[place] for row in rows[1:200]} for place in range(len(first))]
    return not any(cell and cell in below[place] for place, cell in enumerate(first))


def _units(names: Sequence[str], data: Sequence[Sequence[str]]) -> dict[str, str]:
    """What a row of units under the names says."""
    if len(data) < 2:
        return {}
    said = {
        name: unit for name, cell in zip(names, data[0], strict=True) if cell and (unit := as_ucum(cell.strip("[]()")))
    }
    written = sum(1 for cell in data[0] if cell)
    numbers = any(_NUMBER.match(cell) or _TIME.match(cell) for cell in data[0])
    return said if said and not numbers and len(said) * 2 >= written else {}
