"""The way in for payloads: parse, check, commit. HTTP forms, MQTT, files, pulls and replays all come through here."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import msgspec
import structlog

from allmende.domain import times
from allmende.domain.batch import Batch, Receipt
from allmende.domain.connector import Payload
from allmende.domain.errors import Conflict, InvalidInput, LostRace, NotFound, StorageBusy, StorageFull
from allmende.domain.framing import frames, framing_of
from allmende.domain.ingest import IngestLimits, ingest
from allmende.domain.marks import Mark
from allmende.domain.profile import Profile
from allmende.domain.records import Parsed, Rejection
from allmende.domain.store import Store
from allmende.web.broker.topics import covers
from allmende.web.config import Config
from allmende.web.disk import DiskFloor
from allmende.web.pieces import put_together, split
from allmende.web.sources import PreparedSource, prepare_sources

GROUP = 500
"""Messages a transaction at most."""
_RACES = 5
_TOPICS = 20_000
"""Topics of which is remembered whose they are: those of a city's devices."""
_AHEAD = 2
"""Batches read while one is committed."""

Progress = Callable[[Receipt], None]
"""Gets what was committed so far, after each commit."""
TakeMessage = Callable[[str, bytes], None]
T = TypeVar("T")


class Message(NamedTuple):
    """A message as it came; ``received_at`` in microseconds."""

    topic: str
    body: bytes
    received_at: int


log = structlog.get_logger("allmende.intake")


def now_micros() -> int:
    """The clock, in microseconds."""
    return time.time_ns() // 1000


def reading_bounds(config: Config) -> IngestLimits:
    """The operator's bounds of what is taken, for all ways in."""
    return IngestLimits(
        future=int(config.future_seconds * times.SECOND),
        forecast=int(config.forecast_seconds * times.SECOND),
        text=config.result_bytes,
        geometry=config.geometry_bytes,
        rejection_bytes=config.rejection_each_bytes,
    )


class Intake:
    """Takes payloads for the sources of a city. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        profile: Profile,
        config: Config,
        *,
        sources: dict[str, PreparedSource] | None = None,
        limits: IngestLimits | None = None,
        clock: Callable[[], int] = now_micros,
        look: Callable[[str, Payload], None] | None = None,
        follow: Callable[[], dict[str, PreparedSource]] | None = None,
    ) -> None:
        """``look`` gets the payloads that came by themselves or were asked for, once they are committed.

        ``follow`` gives the sources as they are now, where they may change while this lives; ``profile`` is not read
        then.
        """
        self.store = store
        self._look = look or _look_away
        self._follow = follow
        self._sources = {} if follow else prepare_sources(profile) if sources is None else sources
        self._topics: tuple[dict[str, PreparedSource], tuple[str, ...]] | None = None
        self.limits = limits or reading_bounds(config)
        self.clock = clock
        self.config = config
        self.disk = DiskFloor(config)
        self._listeners: tuple[dict[str, PreparedSource], dict[str, list[str]]] = {}, {}

    @property
    def sources(self) -> dict[str, PreparedSource]:
        """All sources by their ids, as they are now."""
        return self._follow() if self._follow else self._sources

    @sources.setter
    def sources(self, sources: dict[str, PreparedSource]) -> None:
        self._follow, self._sources = None, sources

    def source(self, source_id: str) -> PreparedSource:
        """A source that can take data. Raises NotFound that names those there are."""
        found = self.sources.get(source_id)
        if found is None:
            known = ", ".join(self.sources) or "none"
            raise NotFound(f'the city has no source "{source_id}"; there are {known}')
        found.usable()
        return found

    def take(self, source_id: str, payload: Payload, *, only: str | None = None) -> Receipt:
        """Take one payload; when this returns, it is committed. Raises NotFound, StorageFull, StorageBusy.

        ``only`` is the ``where`` of a rejection that is replayed (see :func:`allmende.domain.ingest.ingest`); without
        it the payload is a delivery.

        A payload with more readings than a transaction holds is committed in pieces. Where a later one fails, the
        whole may be sent again: what was kept is then counted as repeated.
        """
        source = self.source(source_id)
        self.disk.check()
        total = Receipt()
        for batch, _ in self._batches(source, [payload], only=only):
            self._append(batch, source, payload, total)
        self._look(source_id, payload)
        return total

    def take_all(self, source_id: str, payloads: Iterable[Payload], progress: Progress | None = None) -> Receipt:
        """Take many payloads in order, reading ahead while others are committed. Together they are one delivery.

        What ``progress`` was told is committed, also where this raises.
        """
        source = self.source(source_id)
        total = Receipt()
        with closing(_read_ahead(self._batches(source, payloads))) as batches:
            for batch, payload in batches:
                self.disk.check()
                self._append(batch, source, payload, total)
                self._look(source_id, payload)
                if progress is not None:
                    progress(total)
        return total

    def take_group(self, items: Sequence[tuple[str, Payload]], mark: Mark | None = None) -> Receipt:
        """Take payloads of any sources, which came one after the other, in one transaction: all of them (and the mark),
        or none. Raises NotFound, StorageFull, StorageBusy.

        What the store refuses for its content is found by taking each by itself, and becomes rejections.
        """
        self.disk.check()
        named = [(self.source(source_id), payload) for source_id, payload in items]
        read = [(source, list(self._batches(source, [payload]))) for source, payload in named]
        together = put_together([batch for _, batches in read for batch, _ in batches])

        def each() -> list[Receipt]:
            if mark is not None:
                self.store.put_mark(mark)
            return [self._take_alone(source, batches) for source, batches in read]

        for _ in range(_RACES):
            try:
                receipts = self.store.append_all(together, mark)
                break
            except (StorageBusy, StorageFull):
                raise  # the same again may well be taken later
            except Exception as error:  # whatever is wrong with one of them must not keep the others out for ever
                log.info("messages are taken one by one", messages=len(items), error=str(error))
            try:
                receipts = self.store.together(each)
                break
            except LostRace:
                continue
        else:
            raise StorageBusy("others wrote to the same streams again and again; nothing of this was stored")
        total = Receipt()
        for receipt in receipts:
            total.add(receipt)
        for source_id, payload in items:
            self._look(source_id, payload)
        return total

    def _take_alone(self, source: PreparedSource, batches: Sequence[tuple[Batch, Payload]]) -> Receipt:
        own = Receipt()  # each payload is a delivery by itself
        for batch, payload in batches:
            self._append(batch, source, payload, own, poison=True)
        return own

    def take_messages(self, messages: Sequence[Message], mark: Mark | None = None) -> Receipt:
        """Take MQTT messages in their order and in one transaction; when this returns, they are committed, and so is
        the mark.

        A message goes to every source that is switched on and whose topic filter takes it; others are ignored.
        """
        items = [
            (source_id, Payload(body=message.body, name=message.topic, received_at=message.received_at))
            for message in messages
            for source_id in self._listening(message.topic)
        ]
        if items:
            return self.take_group(items, mark)
        if mark is not None:
            self.store.put_mark(mark)
        return Receipt()

    def _listening(self, topic: str) -> list[str]:
        sources, listeners = self._listeners
        if sources is not self.sources or len(listeners) >= _TOPICS:
            sources, listeners = self._listeners = self.sources, {}
        known = listeners.get(topic)
        if known is None:
            listening = (p for p in sources.values() if p.profile.enabled and p.source.topic and p.connector)
            known = listeners[topic] = [p.source.id for p in listening if covers(p.source.topic, topic)]
        return known

    def take_file(
        self, source_id: str, file: Path | BinaryIO, progress: Progress | None = None, *, name: str = ""
    ) -> Receipt:
        """Take a file, or a stream as far as it goes (standard input). Raises InvalidInput where it cannot be read."""
        if isinstance(file, Path):
            try:
                with file.open("rb") as stream:
                    return self.take_file(source_id, stream, progress, name=name or file.name)
            except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
                raise InvalidInput(f"the file cannot be read: {error.strerror}", where=str(file)) from None
        source = self.source(source_id)
        framing = framing_of(source.usable().manifest.framing, source.source.settings)
        payloads = frames(file, framing=framing, name=name or "standard input", received_at=self.clock())
        return self.take_all(source_id, payloads, progress)

    def message_intake(self) -> TakeMessage:
        """What takes MQTT messages: returns after the commit, raises where it could not be.

        A message goes to every source that is switched on and whose topic filter takes it; others are ignored.
        """

        def take(topic: str, body: bytes) -> None:
            for source_id in self._listening(topic):
                self.take(source_id, Payload(body=body, name=topic, received_at=self.clock()))

        return take

    def topics(self) -> tuple[str, ...]:
        """The topic filters that :meth:`message_intake` takes."""
        sources = self.sources
        if self._topics is None or self._topics[0] is not sources:
            chosen = (p.source.topic for p in sources.values() if p.profile.enabled and p.source.topic)
            self._topics = sources, tuple(dict.fromkeys(chosen))
        return self._topics[1]

    def read(self, source: PreparedSource, payload: Payload, *, only: str = "") -> Batch:
        """A payload, parsed and checked, without touching the store."""
        told: dict[str, Any] = {"payload": payload, "source": source.source, "version": source.version}
        told["limits"] = self.limits
        try:
            return ingest(source.usable().parse(payload, source.source), only=only, **told)
        except Exception as error:
            # parse promises never to raise; where a connector breaks its word, the data must not be lost with it.
            log.exception("a connector raised", source=source.source.id, connector=source.source.connector)
            reason = f"the connector raised {type(error).__name__}: {error}"
            broken = Parsed((), (Rejection(reason=reason, body=payload.body, code="parser-error"),))
            return ingest(broken, **told)

    def _batches(
        self, source: PreparedSource, payloads: Iterable[Payload], *, only: str | None = None
    ) -> Iterator[tuple[Batch, Payload]]:
        """What payloads of one delivery hold, and at its end which collections it held completely.

        A rejection that is replayed (``only``) is a piece of a delivery.
        """
        snapshots: set[str] = set()
        whole = only is None
        first: tuple[Batch, Payload] | None = None
        for payload in payloads:
            read = self.read(source, payload, only=only or "")
            snapshots.update(collection.id for collection in read.collections if collection.snapshot)
            whole = whole and read.whole
            first = first or (read, payload)
            for batch in split(read):
                yield batch, payload
        if first is not None and snapshots and whole:
            nothing: dict[str, Any] = {"declarations": (), "series": (), "collections": (), "features": ()}
            yield msgspec.structs.replace(first[0], **nothing, rejections=(), delivered=sorted(snapshots)), first[1]

    def _append(
        self, batch: Batch, source: PreparedSource, payload: Payload, total: Receipt, *, poison: bool = False
    ) -> None:
        """Commit; what the store refuses for its content (a thing of another dataset) becomes rejections.

        It would be refused each time that it is sent again, and a broker would send it for ever. With ``poison`` so
        does whatever else goes wrong and may not be over the next time.
        """
        if batch.delivered and total.refused:
            return  # what was refused is there, and has not gone
        try:
            total.add(self.store.append(batch))
        except (Conflict, InvalidInput) as error:
            code = "conflict" if isinstance(error, Conflict) else "refused"
            self._refuse(batch, source, payload, total, code, str(error))
        except (StorageBusy, StorageFull):
            raise
        except Exception as error:  # see above
            if not poison:
                raise
            log.exception("readings broke the store", source=batch.origin)
            reason = f"the store could not take this ({type(error).__name__}: {error})"
            self._refuse(batch, source, payload, total, "store-error", reason)

    def _refuse(
        self, batch: Batch, source: PreparedSource, payload: Payload, total: Receipt, code: str, reason: str
    ) -> None:
        log.warning("readings were refused", source=batch.origin, error=reason)
        refused = Rejection(reason=reason, body=payload.body, code=code, where=f"from line {payload.line}")
        readings = sum(len(series.times) for series in batch.series)
        readings += sum(len(features.rows) for features in batch.features)
        parsed = Parsed((), [*batch.rejections, *[refused] * readings])
        told: dict[str, Any] = {"payload": payload, "source": source.source, "version": source.version}
        total.add(self.store.append(ingest(parsed, **told, limits=self.limits)))
        total.refused += readings


def _look_away(_source: str, _payload: Payload) -> None:
    return


def _read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items in order, made in a thread of their own while the caller is busy (SQLite then lets go of the GIL).

    Closing the generator ends the thread.
    """
    line: queue.Queue[T | BaseException | None] = queue.Queue(_AHEAD)
    stop = threading.Event()

    def put(item: T | BaseException | None) -> None:
        while not stop.is_set():
            try:
                line.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # the caller has to hear of all of them
            put(error)

    thread = threading.Thread(target=work, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := line.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
