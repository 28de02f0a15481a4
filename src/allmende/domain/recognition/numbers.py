"""How a table writes its numbers: decimals, thousands, and what stands for no value."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from allmende.domain.recognition.model import Words

_PLAIN = re.compile(r"[+-]?[0-9]{1,18}(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+\Z", re.ASCII)
_GROUPED = {
    sign: re.compile(
        rf"[+-]?[1-9][0-9]{{0,2}}(?:{re.escape(sign)}[0-9]{{3}})+(?:{re.escape(point)}[0-9]+)?\Z", re.ASCII
    )
    for sign, point in ((".", ","), (",", "."), (" ", ","), ("'", "."))
}
_WORDS = frozenset(
    {"-", "--", "---", "n/a", "na", "n.a.", "nan", "null", "none", "nil", "k.a.", "k. a.", "keine angabe", "fehlt", "/",
     "x", "?", "#nv", "#n/a", "ausfall", "missing", "nodata", "no data", "."}
)  # fmt: skip
_SENTINELS = frozenset(
    {"-9999", "-999", "-99", "-9999.0", "-999.0", "-99.0", "-999,0", "-9999,0", "9999", "99999", "-99999"}
)
_NUMERIC = 0.8
"""Share of its cells that are numbers in a column of numbers that has words for no value."""


class Style(NamedTuple):
    """How numbers are written."""

    decimal: str = "."
    thousands: str = ""
    reason: Words = Words("Numbers are written with a point.")
    sure: bool = True


def style_of(columns: Iterable[Sequence[str]]) -> Style:
    """The style of a table, by all of its cells that look like numbers."""
    found: Counter[str] = Counter()
    example: dict[str, str] = {}
    for cells in columns:
        for cell in cells:
            for word in _signs(cell):
                found[word] += 1
                example.setdefault(word, cell)
    return _judge(found, example)


def _signs(cell: str) -> Iterable[str]:
    if not cell or cell[-1] not in "0123456789" or _PLAIN.match(cell):
        return
    if _GROUPED["."].match(cell):
        # 1.234 may be either; 1.234.567 and 1.234,5 are one
        yield "." if cell.count(".") > 1 or "," in cell else "1.234"
    elif _GROUPED[","].match(cell):
        yield "," if cell.count(",") > 1 or "." in cell else "1,234"
    elif _GROUPED[" "].match(cell):
        yield " "
    elif _GROUPED["'"].match(cell):
        yield "'"
    elif _COMMA.match(cell):
        yield "decimal comma"
    elif _POINT.match(cell):
        yield "decimal point"


def _judge(found: Counter[str], example: dict[str, str]) -> Style:
    point, comma = found["decimal point"] + found[","], found["decimal comma"] + found["."] + found[" "]
    if comma > point or (comma == point == 0 and found["1,234"] and not found["1.234"]):
        if comma:
            thousands = "." if found["."] or (found["1.234"] and not point) else " " if found[" "] else ""
            shown = example.get("decimal comma") or example.get(".") or example.get(" ", "")
            if thousands:
                return Style(
                    ",",
                    thousands,
                    Words(
                        "Decimals have a comma and thousands a sign, as in %(example)s.",
                        {"example": example.get(thousands) or shown},
                    ),
                )
            return Style(",", "", Words("Decimals have a comma, as in %(example)s.", {"example": shown}))
        return Style(
            ",",
            "",
            Words(
                "%(example)s is taken for a decimal with a comma; it might mean thousands.",
                {"example": example["1,234"]},
            ),
            False,
        )
    if point:
        thousands = "," if found[","] or found["1,234"] else "'" if found["'"] else ""
        if thousands:
            return Style(
                ".",
                thousands,
                Words(
                    "Decimals have a point and thousands a sign, as in %(example)s.",
                    {"example": example.get(thousands) or example.get("1,234", "")},
                ),
            )
        return Style()
    if found["'"]:
        return Style(".", "'", Words("Thousands have a sign, as in %(example)s.", {"example": example["'"]}))
    if found["1.234"]:
        return Style(
            ".",
            "",
            Words(
                "%(example)s is taken for a decimal with a point; it might mean thousands.",
                {"example": example["1.234"]},
            ),
            False,
        )
    return Style()


def plain(cell: str, style: Style) -> float | None:
    """The number of a cell, None where it is none in this style."""
    text = cell
    if style.thousands and style.thousands in text:
        if not _GROUPED[style.thousands].match(text):
            return None
        text = text.replace(style.thousands, "")
    if style.decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    if _PLAIN.match(text) or _POINT.match(text):
        return float(text)
    return None


def missing_of(cells: Sequence[str], style: Style) -> list[str]:
    """What stands for no value in a column of numbers, besides empty cells."""
    said = Counter(cell for cell in cells if cell)
    total = sum(said.values())
    words = [cell for cell in said if cell.lower() in _WORDS]
    numbers = sum(count for cell, count in said.items() if plain(cell, style) is not None)
    if not total or (numbers + sum(said[word] for word in words)) / total < _NUMERIC or not numbers:
        return []
    return sorted([*words, *_sentinels(said, style)])


def _sentinels(said: Counter[str], style: Style) -> list[str]:
    """-999 and the like, where no other value comes near."""
    found = [cell for cell in said if cell in _SENTINELS]
    others = [value for cell in said if cell not in found and (value := plain(cell, style)) is not None]
    if not found or not others:
        return []
    low, high = min(others), max(others)
    room = max(high - low, 1.0)
    return [cell for cell in found if not low - room <= (plain(cell, style) or 0.0) <= high + room]
