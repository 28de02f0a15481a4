"""What an engine is given and what it runs on: connections that somebody else opens, and the words of its dialect."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from allmende.storage.slots import Slot

T = TypeVar("T")
ColumnType = Literal["bigint", "smallint", "double precision", "text", "bytea"]
JsonKind = Literal["number", "string", "boolean"]
Fragment = tuple[str, tuple[Any, ...]]
"""SQL with ``?`` for each parameter, and the parameters."""

OBSERVATION = (
    "datastream", "phenomenon_start", "disc", "id", "phenomenon_end", "result_time", "received_at", "result_kind",
    "result", "quality", "valid_start", "valid_end", "parameters", "feature", "origin", "change",
)  # fmt: skip
"""The columns of an observation as the house writes it; a dialect may keep ``result`` in several."""


class Connection(Protocol):
    """One thread's connection: all SQL is written with ``?``. Autocommit outside of ``writing``."""

    dialect: "Dialect"
    committing: bool
    """Whether :meth:`and_commit` has sent a commit: if the connection is lost then, nobody knows what became of it."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open that can still be committed."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run one statement; gives a cursor."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        """Run one statement for many rows."""

    def at_once(self) -> AbstractContextManager[Any]:
        """Statements inside are sent without waiting for each other's answers, until one is read or the block ends.

        Their errors come then. Nothing is copied inside.
        """

    def and_commit(self) -> AbstractContextManager[Any]:
        """The same for the last statements of a transaction that nobody else began: where the engine can, its commit
        is sent along with them. Whoever began it may still end it."""


class Numbers(NamedTuple):
    """Numbers that nothing bears, in ascending order."""

    observations: Sequence[int]
    changes: Sequence[int]
    """For lines of the change log, to be written in this transaction."""


class Dialect(Protocol):
    """What the engines say differently; everything else is one SQL."""

    name: str
    locking: str
    """Behind a SELECT of datastreams ``d``: keeps other writers off them to the end of the transaction."""
    text_results: bool
    """Whether :meth:`result` gives numbers as text."""
    reuses_keys: bool
    """Whether a new row may get the key of one that went."""
    arrays: bool
    """Whether a parameter may hold many keys."""
    lateral: bool
    """Whether a joined sub-select may refer to the tables before it."""
    functions: Mapping[str, str]
    """How functions are written: see ``functions_sqlite.py`` and ``functions_postgres.py``."""
    by_code_points: str
    """Behind a text: it is compared by code points."""
    places: Mapping[tuple[str, str], str]
    """Columns that hold an attribute's geometry ready for comparison, by entity and attribute."""
    settled: str
    """What is true of lines of the change log ``c`` below which no other can appear any more."""

    def __hash__(self) -> int:
        """There is one of each engine."""

    def result(self, alias: str) -> str:
        """A kept result for reading: the value, or its text (see :class:`allmende.domain.query.ResultKind`)."""

    def in_box(self, entity: str, attribute: str, alias: str, sides: tuple[float, float, float, float]) -> Fragment:
        """Whether a geometry may meet a box (west, south, east, north): asks an index, see ``schema_spatial.py``."""

    def in_item_box(self, alias: str, sides: tuple[float, float, float, float]) -> Fragment:
        """Whether the box of an ``item`` may meet one (west, south, east, north): asks an index."""

    def compare_result(self, alias: str, operator: str, value: Any, kind: JsonKind) -> Fragment:
        """Whether a result is of a kind and compares so; neither true nor false where it is of another kind."""

    def result_as(self, alias: str, kind: JsonKind) -> str:
        """A result where it is of a kind, else null: a double, a text, or 0 and 1."""

    def plain_number(self, alias: str) -> str:
        """A result where all of a statement's are numbers, or all truth values: cheaper than :meth:`result_as`, and
        nothing that can be relied on where others are among them."""

    def plain_mean(self, alias: str, huge: str) -> str:
        """The mean of :meth:`plain_number` as an aggregate that ends no statement, whatever the values are; it may be
        wrong where one is not below ``huge``."""

    def order_result(self, alias: str) -> tuple[str, ...]:
        """Sort keys of a result: numbers before texts, each null where it does not apply."""

    def one_of(self, column: str, keys: Sequence[int] | Sequence[str] | Slot) -> Fragment:
        """Whether a column holds one of the keys: all numbers, or all texts. A slot stands for numbers, where
        :attr:`arrays` says that they may be one parameter."""

    def keep_text(self, value: Any) -> Any:
        """A result as it goes into a column that holds any of them beside its kind (state, history)."""

    def set_result(self, kind: int, value: Any) -> Fragment:
        """``result… = ?`` for an UPDATE."""

    def insert_many(
        self,
        connection: Connection,
        table: str,
        columns: Mapping[str, ColumnType],
        rows: Sequence[tuple[Any, ...]],
        then: str = "",
    ) -> list[tuple[Any, ...]]:
        """Insert rows of these columns; ``then`` stands behind (ON CONFLICT, RETURNING). Gives what is returned."""

    def insert_observations(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of :data:`OBSERVATION` as fast as the engine takes them."""

    def reserve_numbers(self, connection: Connection, count: int) -> Sequence[int]:
        """So many numbers that no observation bears, in ascending order."""

    def ask_numbers(self, connection: Connection, count: int) -> Callable[[], Numbers]:
        """The same and as many of the change log, in two steps: one asks, what it gives reads the answer."""

    def hold_number(self, connection: Connection, number: int) -> None:
        """Before a client's chosen number, or a higher one, is looked for: nobody draws it while this transaction
        lasts, and who has drawn it has ended theirs."""

    def json_at(self, column: str, keys: Sequence[str | int], kind: JsonKind) -> Fragment:
        """The value at a path inside of JSON text where it is of a kind, else null; comparable with a parameter."""

    def json_missing(self, column: str, keys: Sequence[str | int]) -> Fragment:
        """Whether there is nothing, or null, at a path inside of JSON text."""

    def json_holds(self, column: str, keys: Sequence[str | int], kind: JsonKind, item: Fragment) -> Fragment:
        """Whether a list at a path inside of JSON text holds the item (a double, a text, 0 or 1); null for no list."""

    def json_any(self, column: str, keys: Sequence[str | int], alias: str, condition: Fragment) -> Fragment:
        """Whether a list at a path inside of JSON text has an item ``alias`` that fulfils it; null for no list."""

    def json_item(self, alias: str) -> str:
        """The item of :meth:`json_any` as JSON."""


class Engine(Protocol):
    """How a store treats the connections that it is given."""

    def wrap(self, raw: Any) -> Connection:
        """The connection for the house's SQL."""

    def asking(self, raw: Any, seconds: float) -> AbstractContextManager[Connection]:
        """The connection for one question, whose statements may take so long together.

        The one that is running is stopped by who opened the connection; here it is seen to that the next one does not
        have all of the time again.
        """

    def translate(self, error: BaseException) -> BaseException:
        """A clear word for what the driver says; other errors as they are."""

    def was_cut_off(self, error: BaseException) -> bool:
        """Whether the connection itself was lost, e.g. because the server was started again."""

    def may_repeat(self, error: BaseException) -> bool:
        """Whether the same piece of writing may well succeed if it is run again: a deadlock, a race for an id."""


class Connections(Protocol):
    """Hands out this thread's raw connection. Web implements it with Django's."""

    seconds: float
    """How long a question may take, all its statements together."""

    def reading(self) -> AbstractContextManager[Any]:
        """A connection to read with; inside ``writing`` it is the same one."""

    def writing(self) -> AbstractContextManager[Any]:
        """A connection inside a transaction (on SQLite: that holds the write lock from its start); joins an outer one.

        Commits at the end, rolls back on an exception; raises StorageBusy or StorageFull.
        """

    def in_transaction(self) -> bool:
        """Whether this thread is inside of a transaction that somebody else will end."""


class Shared(NamedTuple):
    """How pieces of writing of one kind are done in one go, where several wait."""

    run: Callable[["Connection", list[Any]], list[Any]]
    """Writes for many items; gives the result of each, or None for one of which it wrote nothing, since it is better
    done alone. If it raises, it wrote nothing at all."""
    item: Any


class Committer(Protocol):
    """Runs a piece of writing in a transaction and returns after the commit."""

    def __call__(self, work: Callable[[Connection], T], /, shared: Shared | None = None) -> T:
        """Raises what ``work`` raised; then nothing of it was written. ``shared`` may do the same with others'."""
