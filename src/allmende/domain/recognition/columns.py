"""A column by itself: of which kind its cells are, and what its name says."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from allmende.domain.recognition import names
from allmende.domain.recognition.clocks import Times, times_of
from allmende.domain.recognition.model import Kind
from allmende.domain.recognition.numbers import Style, missing_of, plain

_EXAMPLES, _LENGTH = 3, 60
_MOSTLY, _FEW = 0.95, 4
"""Share of numbers in a column of numbers; beside so many, one cell may be something else."""
_TRUTHS = frozenset({"true", "false", "ja", "nein", "yes", "no", "wahr", "falsch", "j", "n"})
_SHAPES = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION", "SRID=")


class Facts(NamedTuple):
    """What the cells of a column are."""

    name: str
    cells: Sequence[str]
    kind: Kind
    times: Times | None
    numbers: Sequence[float]
    missing: Sequence[str]
    said: int
    """Cells that are not empty, and do not stand for no value."""
    distinct: int
    shape: bool
    """Whether they are well-known text."""

    @property
    def empty(self) -> float:
        return 1 - self.said / len(self.cells) if self.cells else 1.0

    @property
    def unique(self) -> bool:
        """Whether every row has one of its own."""
        return self.said == len(self.cells) == self.distinct and self.said > 0

    @property
    def examples(self) -> tuple[str, ...]:
        return tuple(cell[:_LENGTH] for cell in list(dict.fromkeys(cell for cell in self.cells if cell))[:_EXAMPLES])

    @property
    def measured(self) -> bool:
        """Whether it is a column of numbers."""
        return self.kind in ("number", "count")


def look(table: Mapping[str, Sequence[str]], style: Style) -> list[Facts]:
    """Every column of a table, as text without blanks around it."""
    return [_look(name, cells, style) for name, cells in table.items()]


def _look(name: str, cells: Sequence[str], style: Style) -> Facts:
    missing = missing_of(cells, style)
    said = [cell for cell in cells if cell and cell not in missing]
    kind, times, numbers = _kind(name, said, style)
    shape = bool(said) and all(cell.upper().startswith(_SHAPES) for cell in said[:50])
    return Facts(name, cells, kind, times, numbers, missing, len(said), len(set(said)), shape)


def _kind(name: str, said: Sequence[str], style: Style) -> tuple[Kind, Times | None, Sequence[float]]:
    if not said:
        return "empty", None, ()
    times = times_of(said, name)
    if times is not None:
        return ("clock" if times.clock_only else "time"), times, ()
    if {cell.lower() for cell in said} <= _TRUTHS:
        return "truth", None, ()
    numbers = [number for cell in said if (number := plain(cell, style)) is not None]
    # codes with leading zeros (postcodes) are no numbers
    coded = any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in said)
    few = len(numbers) >= _FEW and len(said) - len(numbers) <= 1
    if coded or (len(numbers) < _MOSTLY * len(said) and not few):
        return "text", None, ()
    whole = all(number.is_integer() for number in numbers) and not any(style.decimal in cell for cell in said)
    return ("count" if whole else "number"), None, numbers


def is_value(facts: Facts) -> bool:
    """Whether a column of numbers may hold readings: not ids, not years, not what tells of other columns."""
    if not facts.measured or names.is_id(facts.name) or names.is_status(facts.name):
        return False
    return not (names.words_of(facts.name).endswith(("jahr", "year", "plz", "postcode", "zip")))
