"""What connectors of objects have in common: the collection that a source feeds, and what one payload said of it."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from allmende.connectors.columns import Line
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Collection, Feature, Features, Parsed, Record, Rejection

BodyOf = Callable[[int], bytes]


def collection_of(source: Source, *, title: Mapping[str, str], fields: Mapping[str, Any] | None = None) -> Collection:
    """The source's collection, as its settings say.

    ``collection`` is its id (else the source's), ``title`` and ``description`` are texts or texts by language, and
    ``snapshot`` says whether each delivery is complete (else it is).
    """
    settings = source.settings
    return Collection(
        id=str(settings.get("collection") or source.id),
        title=_text(settings.get("title") or title, source.language),
        description=_text(settings.get("description") or "", source.language),
        snapshot=settings.get("snapshot", True) is True,
        fields=dict(fields or {}),
    )


def _text(said: Any, language: str) -> str:
    if isinstance(said, Mapping):
        return str(said.get(language) or next(iter(said.values()), ""))
    return str(said)


class Gathered:
    """Features and rejections of one payload, with the bytes that each would be replayed by."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._items: list[Feature] = []
        self._bodies: list[Callable[[], bytes]] = []
        self._unread: list[str] = []
        self._rejections: list[Rejection] = []

    def add(self, feature: Feature, body: Callable[[], bytes]) -> None:
        """One feature, and what makes the bytes that give it alone."""
        self._items.append(feature)
        self._bodies.append(body)

    def reject(self, reason: str, body: bytes, *, code: str = "unreadable", where: str = "", name: str = "") -> None:
        """What cannot be read. ``name`` is its id, where that much is known: then it is not taken for gone."""
        self._rejections.append(Rejection(reason=reason, body=body, code=code, where=where))
        if name:
            self._unread.append(name)

    def take_rows(
        self, lines: Iterable[Line], name_of: Callable[[str], str], read: Callable[[Line, str], Feature], column: str
    ) -> None:
        """One feature a line; a line that ``read`` refuses is rejected by itself.

        ``name_of`` gives the id that a cell of ``column`` says, or nothing.
        """
        for line in lines:
            name = name_of(line.cells.get(column, ""))
            try:
                feature = read(line, name)
            except InvalidInput as error:
                self.reject(str(error), line.body, code="bad-row", where=f"line {line.number}", name=name)
            else:
                self.add(feature, partial(bytes, line.body))

    def parsed(self) -> Parsed:
        """The records: the collection is declared also where there is nothing in it."""
        bodies = self._bodies
        features = Features(
            collection=self._collection.id,
            items=self._items,
            unread=self._unread,
            body_of=lambda place: bodies[place](),
        )
        records: list[Record] = [self._collection, features]
        return Parsed(records, self._rejections)


def nothing(payload: Payload, reason: str, code: str = "unreadable") -> Parsed:
    """A payload that is rejected as a whole."""
    return Parsed((), (Rejection(reason=reason, body=payload.body, code=code),))
