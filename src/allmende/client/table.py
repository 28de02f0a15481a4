"""Columns and rows, and whose data they are; as polars or pandas where one of them is installed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_SHOWN = 10


@dataclass(frozen=True)
class Source:
    """A dataset that a table was taken from."""

    id: str
    title: str
    licence: str
    licence_url: str
    attribution: str


@dataclass(frozen=True)
class Table(Sequence[tuple[Any, ...]]):
    """A sequence of rows. Missing values are None, times are aware and in UTC."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    sources: list[Source] = field(default_factory=list)
    """Name them where you show the data."""
    as_of: str = ""
    """For what is as of last night: when that was."""
    cut: bool = False
    """Whether there is more than the house gives at once."""

    def __getitem__(self, place: Any) -> Any:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column. Raises KeyError with the names that there are."""
        if name not in self.columns:
            raise KeyError(f"there is no column {name!r}; there are {', '.join(self.columns)}")
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def dicts(self) -> list[dict[str, Any]]:
        """A dictionary for each row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def polars(self) -> Any:
        """As polars.DataFrame. Raises ModuleNotFoundError that says what to install."""
        polars = _installed("polars")

        return polars.DataFrame(self.rows, schema=self.columns, orient="row", infer_schema_length=None)

    def pandas(self) -> Any:
        """As pandas.DataFrame. Raises ModuleNotFoundError that says what to install."""
        pandas = _installed("pandas")

        return pandas.DataFrame(self.rows, columns=self.columns)

    def frame(self) -> Any:
        """As polars or pandas, whichever is installed; else a list of dictionaries."""
        if find_spec("polars"):
            return self.polars()
        return self.pandas() if find_spec("pandas") else self.dicts()

    def __str__(self) -> str:
        cells = [self.columns, *[[_say(value) for value in row] for row in self.rows[:_SHOWN]]]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        padded = ([text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in cells)
        lines = ["  ".join(row).rstrip() for row in padded]
        if len(self.rows) > _SHOWN:
            lines.append(f"… {len(self.rows)} rows")
        return "\n".join([*lines, *self._credits()])

    def _repr_html_(self) -> str:
        """For notebooks."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_say(value))}</td>' for value in row)}</tr>" for row in self.rows[:_SHOWN]
        )
        more = f"<p>… {len(self.rows)} rows</p>" if len(self.rows) > _SHOWN else ""
        credits = "".join(f"<p>{escape(line)}</p>" for line in self._credits())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}{credits}"

    def _credits(self) -> list[str]:
        return [f"{each.title}: {each.attribution}" for each in self.sources]


def _installed(name: str) -> Any:
    """A library that this one does without. It is not ours to install: a notebook has the one that its owner uses."""
    if find_spec(name) is None:
        raise ModuleNotFoundError(
            f"{name} is not installed here: `pip install {name}`, or use rows or dicts()", name=name
        )
    return import_module(name)


def _say(value: Any) -> str:
    return "" if value is None else str(value)
