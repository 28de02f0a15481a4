"""What a form's field is, and one short maker for each kind of field.

A form shows and changes the parts of a table that stand in :mod:`allmende.web.office.tables`; whatever else a table
says is kept as it is. ``path`` is the way into the table (``contract.interval``), ``label`` what a clerk calls it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import msgspec

from allmende.domain.profile import Profile

Shape = Literal[
    "text",
    "long",
    "email",
    "url",
    "number",
    "choice",
    "many",
    "yes",
    "duration",
    "list",
    "rows",
    "lines",
    "numbers",
    "value",
    "file",
]
Choices = Callable[[Profile], Mapping[str, Any]]
"""Value -> words."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a table. Left empty, it is not said."""

    path: str
    label: Any
    shape: Shape = "text"
    hint: Any = ""
    required: bool = False
    in_languages: bool = False
    """One text for each language of the profile."""
    choices: Choices | None = None
    specials: Mapping[str, Any] = {}
    """Of a duration: words that may stand in its place."""
    columns: tuple["Field", ...] = ()
    """Of rows: a list of tables, or, where the first is its ``key``, a table of tables."""
    keyed: bool | Literal["several"] = False
    """``several``: rows with one key are a list under it."""
    suffix: str = ".geojson"
    """Of the name of a file that is brought."""
    default: Any = None
    """What an empty field means; for ``yes`` and choices."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Fields under one heading."""

    title: Any
    fields: tuple[Field, ...]


def group(title: Any, *fields: Field) -> Group:
    """Fields under one heading."""
    return Group(title=title, fields=fields)


def _make(shape: Shape, path: str, label: Any, hint: Any = "", **more: Any) -> Field:
    return Field(path=path, label=label, hint=hint, shape=shape, **more)


text, long, email, url = (partial(_make, shape) for shape in ("text", "long", "email", "url"))
number, listed, duration = (partial(_make, shape) for shape in ("number", "list", "duration"))
texts = partial(_make, "text", in_languages=True)
long_texts = partial(_make, "long", in_languages=True)
lists = partial(_make, "list", in_languages=True)
lines = partial(_make, "lines")
"""A table, a line ``name = value`` each."""
numbers = partial(_make, "numbers")
"""A list of numbers in one line."""
value = partial(_make, "value")
"""Anything, in one line."""
file = partial(_make, "file")
"""The name of a file beside the profile, and a way to bring another one."""


def choice(path: str, label: Any, choices: Choices, hint: Any = "", **more: Any) -> Field:
    """One of several values."""
    return _make("choice", path, label, hint, choices=choices, **more)


def many(path: str, label: Any, choices: Choices, hint: Any = "") -> Field:
    """Any number of several values."""
    return _make("many", path, label, hint, choices=choices)


def yes(path: str, label: Any, hint: Any = "", *, default: bool | None = False) -> Field:
    """Something that holds or not; with None as ``default`` it is always said."""
    return _make("yes", path, label, hint, default=default)


def rows(path: str, label: Any, hint: Any, *columns: Field, keyed: bool | Literal["several"] = False) -> Field:
    """A list of tables, or a table of them."""
    return _make("rows", path, label, hint, columns=columns, keyed=keyed)
