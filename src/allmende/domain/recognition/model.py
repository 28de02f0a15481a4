"""What a file or an answer seems to be, and what somebody makes of it before it becomes a source."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

Meaning = Literal["time", "id", "name", "x", "y", "shape", "valid_from", "valid_to", "value", "attribute", "leave"]
"""``id`` and ``name`` are those of the thing or object, ``shape`` a geometry as text, ``value`` a reading,
``attribute`` what is kept of an object; ``leave`` is left out."""
Kind = Literal["number", "count", "time", "clock", "text", "truth", "empty"]
"""What the cells of a column are. ``count``: whole numbers; ``clock``: a time of day without a date."""
Shape = Literal["readings", "wide", "objects", "other"]
"""A row for each time with a column for each property; a column for each site; a row for each object; or what a
connector of its own knows by itself."""
MEANINGS: Mapping[Shape, Sequence[Meaning]] = {
    "readings": ("time", "id", "name", "x", "y", "value", "leave"),
    "wide": ("time", "value", "leave"),
    "objects": ("id", "x", "y", "shape", "valid_from", "valid_to", "attribute", "leave"),
    "other": (),
}


OWN_ID = "(id)"
"""Stands as a column for the id that a file of features gives each beside its properties."""


class Words(msgspec.Struct, frozen=True):
    """A sentence with its figures apart, so that it can be said in other languages: ``text % values``."""

    text: str
    values: dict[str, str | int | float] = {}

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column as it was found, and what it is taken for."""

    name: str
    kind: Kind
    empty: float
    """Share of its cells, 0 to 1."""
    examples: tuple[str, ...]
    distinct: int
    meaning: Meaning
    reason: Words
    confidence: float
    """0 to 1."""
    form: str = ""
    """How its times are written (``strptime``, or EPOCHS of the connectors); "" for ISO 8601 with an offset."""
    property: str = ""
    title: str = ""
    unit: str = ""
    """UCUM; "" where nobody can say."""
    unit_reason: Words = Words("")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person has to choose one of: a sheet, a layer, a resource of a catalogue."""

    key: Literal["sheet", "layer", "type_names", "address"]
    value: str
    label: str


class ColumnPlan(msgspec.Struct, kw_only=True):
    """What is to become of a column."""

    column: str
    meaning: Meaning = "leave"
    property: str = ""
    title: str = ""
    unit: str = "1"
    kind: Literal["measurement", "count", "category"] = "measurement"


class Plan(msgspec.Struct, kw_only=True):
    """What is to become of the whole: :func:`allmende.domain.recognition.plan.settings_of` makes settings of it."""

    connector: str
    shape: Shape
    base: dict[str, Any] = {}
    """Settings that no column says: how the bytes are read."""
    thing: str = ""
    """What the readings are of, where no column says it."""
    thing_name: str = ""
    wide: ColumnPlan | None = None
    """Of all cells of a wide table."""
    columns: list[ColumnPlan] = []
    spare: list[str] = []
    """Columns that could be told apart by, as ids."""


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    """What it is, which connector reads it, and what is proposed."""

    what: str
    """In English, e.g. ``CSV``, ``GeoPackage``; a name, not a sentence."""
    connector: str
    """"" where none reads it."""
    confidence: float
    reasons: tuple[Words, ...] = ()
    warnings: tuple[Words, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: int = 0
    """Those that were looked at."""
    choices: tuple[Choice, ...] = ()
    plan: Plan | None = None
    address: str = ""
    """Where the source is to be asked, if not where this was found."""
    interval: str = ""
