"""What commands print: a table for people, one JSON object for programs."""

import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec


def print_json(value: Any) -> None:
    """One JSON value on one line of standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def printable(text: str) -> str:
    """The text without control characters: those of a stranger must not reach the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    wraps: Sequence[str] = (),
) -> None:
    """A table as wide as the terminal.

    Columns in ``numbers`` are set to the right; those in ``wraps``, and the last, are broken where the room ends.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        wrap = column in wraps or column == columns[-1]
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=not wrap, overflow="fold")
    for row in rows:
        # Text, not markup: what devices send may hold brackets
        table.add_row(
            *(
                Text("" if cell is None else f"{cell:,}" if isinstance(cell, int) else printable(str(cell)))
                for cell in row
            )
        )
    # A file or pipe has no width; the lines stay whole there.
    Console(width=None if sys.stdout.isatty() else 240).print(table)


def moment(micros: int | None) -> str | None:
    """A kept time as ISO 8601 in UTC."""
    from allmende.domain.times import format_instant

    return None if micros is None else format_instant(micros)


def age(micros: int | None, now: int) -> str:
    """How long ago, roughly."""
    if micros is None:
        return "never"
    seconds = max(0, now - micros) // 1_000_000
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def iso(when: datetime | None) -> str | None:
    """An aware datetime as ISO 8601 in UTC."""
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_PROGRESS_SECONDS = 0.2


class Progress:
    """Says on a terminal how far something is, on one line."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, what: str, rows: int) -> None:
        now = time.monotonic()
        if not self._quiet and now - self._last > _PROGRESS_SECONDS:
            self._last = now
            sys.stderr.write(f"\r\x1b[K{printable(what)}: {rows:,}")
            sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if not self._quiet:
            sys.stderr.write("\r\x1b[K")
