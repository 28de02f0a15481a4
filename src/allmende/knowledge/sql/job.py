"""What goes to the process that answers a question, and what comes back: JSON both ways."""

import msgspec

READY = b"\n"
"""What the process writes once it can do nothing but answer; the answer follows."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one question may take."""

    seconds: float
    """On the clock, from its start to its answer."""
    memory: int
    """Bytes that DuckDB may take."""
    temporary: int
    """Bytes that it may put aside on the disk, where the memory is not enough; 0: none."""
    rows: int
    bytes: int
    """Of the answer as JSON; what is beyond is cut, and said."""
    threads: int = 1
    spare: int = 192 << 20
    """Bytes beside ``memory``: the interpreter, parsing, buffers, the answer."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    query: str
    views: list[str]
    """Statements that make the views; never of a stranger's making."""
    files: list[str]
    """Paths that may be read, absolute."""
    folder: str
    """An empty folder for what is put aside; empty: none."""
    zone: str
    """The city's time zone."""
    limits: Limits
    parent: int
    """Number of the process that waits for the answer."""


class Column(msgspec.Struct):
    """A column of the answer."""

    name: str
    kind: str
    """text, integer, number, boolean, instant (microseconds since 1970), json (as text), or big: whole numbers, of
    which those beyond 64 bits are text."""
    type: str
    """As DuckDB calls it."""


class Answer(msgspec.Struct, tag="answer"):
    """Columns and rows."""

    columns: list[Column]
    rows: msgspec.Raw
    """A JSON array of arrays."""
    count: int
    cut: str = ""
    """``rows`` or ``bytes`` where there were more than the limit of it."""
    held: list[str] = []
    """Which fences held."""
    tables: list[str] | None = None
    """The tables that the question names; None where that cannot be told."""


class Trouble(msgspec.Struct, tag="trouble", frozen=True):
    """There is no answer."""

    kind: str
    """query (a mistake in it, in DuckDB's words), statement (it does not ask), memory, time, bytes, crash,
    fault."""
    words: str = ""
