"""What is to be written at once, whether it is new, a change or a deletion, and what became of it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from allmende.domain.errors import AllmendeError
from allmende.domain.features import NewFeatures
from allmende.domain.policy import Reader
from allmende.domain.query import Query
from allmende.domain.records import Collection, Declaration, Rejection, Series


class Ref(msgspec.Struct, frozen=True):
    """A related entity: one that exists, by id, or one of the same batch, by its place."""

    id: str | None = None
    place: int | None = None


class NewEntity(msgspec.Struct, kw_only=True):
    """An entity that a client creates. ``values`` by attribute name, checked and in kept form (times as integers)."""

    entity: str
    id: str | None
    values: dict[str, Any]
    links: dict[str, tuple[Ref, ...]]
    where: str = ""
    """Its place in the body, for messages."""


class Rows(msgspec.Struct, kw_only=True):
    """New observations of one stream that clients create, as columns of equal length, checked and in kept form.

    A column that is None says nothing of any row. Unlike a :class:`~allmende.domain.records.Series` each row is an
    observation of its own: no other one at its time is repeated or corrected by it.
    """

    relation: str
    """The relation that leads to the stream, e.g. ``Datastream``."""
    stream: str
    starts: Sequence[int]
    ends: Sequence[int | None] | None = None
    kinds: list[int]
    results: list[Any]
    result_times: Sequence[int | None] | None = None
    qualities: Sequence[str | None] | None = None
    valid: Sequence[tuple[int, int | None] | None] | None = None
    parameters: Sequence[str | None] | None = None
    features: Sequence[str | None] | None = None
    """Ids of features of interest; None: the one at the place of the stream's thing."""
    ids: Sequence[str | None] | None = None
    """Ids that the client chose; None: a number."""
    places: Sequence[int]
    """Where each row stood in what the client sent."""

    def only(self, rows: Sequence[int]) -> "Rows":
        """Some of the rows."""
        columns: dict[str, Any] = {name: getattr(self, name) for name in _COLUMNS}
        picked = {name: column and [column[row] for row in rows] for name, column in columns.items()}
        return msgspec.structs.replace(self, **picked)


_COLUMNS = tuple(name for name in Rows.__struct_fields__ if name not in ("relation", "stream"))


class Batch(msgspec.Struct, kw_only=True):
    """What is to be committed together: all of it, or nothing.

    ``entities`` come in an order in which every Ref by place points backwards.
    """

    origin: str
    """The source's id, or the client's name; every reading can say it."""
    dataset: str
    """Where new entities belong that do not hang on one of another dataset."""
    reader: Reader
    """Who writes: what they may not see, they cannot refer to."""
    received_at: int
    version: str = ""
    """Version of what made it: connector, rule."""
    declared_by: str = ""
    """Whose the declarations are, where that is not the origin."""
    declarations: Sequence[Declaration] = ()
    series: Sequence[Series] = ()
    entities: Sequence[NewEntity] = ()
    rows: Sequence[Rows] = ()
    """Row by row all or nothing does not hold: what cannot be taken is told of in the receipt, the others are."""
    collections: Sequence[Collection] = ()
    features: Sequence[NewFeatures] = ()
    """Those of declared collections. What came in an older delivery than that which is kept changes nothing."""
    whole: bool = True
    """Whether all features that were there are in it, or named: else nothing may be taken for gone."""
    delivered: Sequence[str] = ()
    """Collections of which a complete delivery ends here. What was not seen since ``received_at`` has gone."""
    rejections: Sequence[Rejection] = ()
    name: str = ""
    """Topic, address or file that it came from."""


class Amendment(msgspec.Struct, kw_only=True):
    """A change of one entity: what is said of it, what it hangs on. What is not named stays.

    An entity that a source declares may be changed too; the source's next declaration wins.
    """

    target: Query
    """Leads to the one entity, with all of its attributes; its reader is who changes it."""
    origin: str
    received_at: int
    values: dict[str, Any] = {}
    """By attribute name, in kept form (see :class:`NewEntity`); None takes a value away."""
    links: dict[str, tuple[Ref, ...]] = {}
    """By relation, all of them by id: a to-one relation leads there from now on; what this says belongs to it
    (:attr:`allmende.domain.model.Relation.holds`) is replaced by these; what hangs on one entity alone hangs on this
    one from now on, which takes nothing else away from it."""
    seen: tuple[Any, ...] | None = None
    """The entity's row when this change was thought up. If it is another by now, nothing is changed."""


class Removal(msgspec.Struct, kw_only=True):
    """Everything that a question leads to is to be deleted, with what hangs on it (18-088, table 8.3.1)."""

    target: Query
    """Its reader is who deletes; its pages do not matter."""
    origin: str
    received_at: int
    seen: tuple[Any, ...] | None = None
    """The one entity's row when it was decided to delete it. If it is another by now, nothing is deleted."""
    most: int | None = None
    """If the question leads to more, nothing is deleted (LimitExceeded)."""


class Receipt(msgspec.Struct, kw_only=True):
    """What became of a batch. The four counts are of readings and features and sum to what was read.

    A feature that is new was accepted, one that was changed or came back was corrected.
    """

    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    rejected: int = 0
    gone: int = 0
    """Features that a complete delivery held no more. They were not read."""
    refused: int = 0
    """How many of the rejected the store would not have, though nothing is wrong with each."""
    created: list[tuple[str, str]] = []
    """(entity type, id) of each created entity, in the batch's order."""
    rows: list[list[str | AllmendeError]] = []
    """For each of the batch's ``rows``, what became of each: its id, or why not."""

    @property
    def read(self) -> int:
        """All readings."""
        return self.accepted + self.repeated + self.corrected + self.rejected

    def add(self, other: "Receipt") -> None:
        """Sum another one into this."""
        self.accepted += other.accepted
        self.repeated += other.repeated
        self.corrected += other.corrected
        self.rejected += other.rejected
        self.gone += other.gone
        self.refused += other.refused
