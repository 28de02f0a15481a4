"""Readings of a dataset as batches: stream after stream in the order of ids, each in the order of time.

Each page is a question of its own: no transaction is held open while a file is written, and what is corrected
meanwhile may be in it or not. What comes is bounded by the memory of one page.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from allmende.domain.aggregation import Aggregation, Group, Measure
from allmende.domain.figures import StreamSummary
from allmende.domain.policy import Reader
from allmende.domain.query import Call, Compare, Expression, Logic, Order, Path, Query, ResultKind, Step, Value
from allmende.domain.selection import Selection
from allmende.domain.store import Store
from allmende.domain.times import EARLIEST, LATEST, Interval, parse_duration, parse_months
from allmende.faces.files.fields import Batch

PAGE = 10_000
"""Readings that are asked for at once."""
_STREAMS = 1_000
_EXACT = 2**53
_TIME = Path(("phenomenonTime",))
_RESULT = Path(("result",))
_SELECT = ("phenomenonTime", "resultTime", "result", "resultQuality")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where files are read from, and by whom."""

    store: Store
    reader: Reader
    zone: str
    """The city's, for buckets and local times."""
    simulated: bool = False
    """Whether simulated datasets are wanted."""


def streams(source: Source, selection: Selection) -> Iterator[StreamSummary]:
    """The streams that a selection takes, in the order of their ids."""
    after = ""
    while page := source.store.streams(source.reader, selection.dataset, after=after, top=_STREAMS):
        yield from filter(selection.takes, page)
        after = page[-1].id


def readings(source: Source, selection: Selection) -> Iterator[Batch]:
    """Batches with the columns of :data:`allmende.faces.files.fields.READINGS`."""
    for stream in streams(source, selection):
        head, tail = _of_stream(stream)
        for rows in pages(source, stream, selection.start, selection.end):
            yield _join(head, _columns(rows), tail, len(rows))


def plain_readings(source: Source, selection: Selection) -> Iterator[Batch]:
    """The same without what is said of the stream: :data:`allmende.faces.files.fields.PLAIN`."""
    for stream in streams(source, selection):
        for rows in pages(source, stream, selection.start, selection.end):
            yield _join((stream.id,), _columns(rows), (), len(rows))


def sums(source: Source, selection: Selection) -> Iterator[Batch]:
    """Batches with the columns of :data:`allmende.faces.files.fields.SUMS`, where the selection has a bucket."""
    for stream in streams(source, selection):
        head, tail = _of_stream(stream)
        for rows in _sums(source, stream, selection):
            yield _join(head, list(zip(*rows, strict=True)), tail, len(rows))


def about_streams(source: Source, selection: Selection) -> Iterator[Batch]:
    """What is said of the streams: :data:`allmende.faces.files.fields.STREAMS`."""
    for stream in streams(source, selection):
        head, tail = _of_stream(stream)
        more = (stream.thing_id, stream.property_id, stream.name, stream.source, stream.first, stream.start)
        yield Batch([[value] for value in (*head, *more, *tail)], 1)


def pages(source: Source, stream: StreamSummary, start: int | None, end: int | None) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of one stream by pages: begin, end, run, kind of result, result, quality."""
    if not _may_have(stream, start, end):
        return
    for entity in ("Datastream", "MultiDatastream"):
        asked = _query(source, entity, stream.id, start, end)
        found = False
        while True:
            page = source.store.find(asked)
            found = found or bool(page.rows)
            if page.rows:
                yield page.rows
            if page.next is None:
                break
            asked = msgspec.structs.replace(asked, after=page.next)
        if found:  # a stream is one or the other, and the list of streams does not say which
            return


def _may_have(stream: StreamSummary, start: int | None, end: int | None) -> bool:
    """By what is known of the stream, without a question. Its newest reading may be of an interval, so that its begin
    is what counts here, too."""
    if stream.first is None or stream.start is None:
        return False
    return (start is None or stream.start >= start) and (end is None or stream.first < end)


def _query(source: Source, entity: str, stream: str, start: int | None, end: int | None) -> Query:
    return Query(
        entity="Observation",
        reader=source.reader,
        path=(Step(entity, stream, "Observations"),),
        filter=_span(start, end),
        order=(Order(_TIME),),
        top=PAGE,
        select=_SELECT,
        simulated=source.simulated,
    )


def _span(start: int | None, end: int | None) -> Expression | None:
    """``start <= begin < end``. (``phenomenonTime lt …`` would ask for the end of an interval to lie before, too: what
    ends with the month would be in neither.)"""
    rules: list[Expression] = []
    if start is not None:
        rules.append(Compare("ge", _TIME, Value(start, "instant")))
    if end is not None:
        low = EARLIEST if start is None else max(EARLIEST, start - 1)
        rules.append(Call("overlaps", (_TIME, Value(Interval(low, min(end, LATEST)), "interval"))))
    return Logic("and", tuple(rules)) if len(rules) > 1 else rules[0] if rules else None


def _of_stream(stream: StreamSummary) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What stands before and behind each of its readings."""
    shape = None
    if stream.lon is not None and stream.lat is not None:
        shape = f'{{"type":"Point","coordinates":[{stream.lon!r},{stream.lat!r}]}}'
    head = (stream.id, stream.thing, stream.property, stream.unit)
    return head, (stream.lon, stream.lat, shape)


def _join(head: Sequence[Any], columns: Sequence[Sequence[Any]], tail: Sequence[Any], rows: int) -> Batch:
    return Batch([*([value] * rows for value in head), *columns, *([value] * rows for value in tail)], rows)


def _columns(rows: list[tuple[Any, ...]]) -> list[Sequence[Any]]:
    """Begin, end, number, text, flags, run. A row begins with the observation's key and id."""
    _, _, *columns = zip(*rows, strict=True)
    starts, ends, runs, kinds, values, qualities = columns
    numbers: list[float | None] = []
    texts: list[str | None] = []
    for kind, value in zip(kinds, values, strict=True):
        number, text = _result(kind, value)
        numbers.append(number)
        texts.append(text)
    flags = [None if quality is None else flags_of(quality) for quality in qualities]
    return [starts, ends, numbers, texts, flags, runs]


def _result(kind: int, value: Any) -> tuple[float | None, str | None]:
    if kind == ResultKind.DECIMAL:
        return value, None
    if kind == ResultKind.INTEGER:
        return float(value), None if -_EXACT <= value <= _EXACT else str(value)
    if kind == ResultKind.BOOLEAN:
        return None, "true" if value else "false"
    return None, value


@lru_cache(maxsize=1024)
def flags_of(quality: str) -> str | None:
    """What checks object to, as words; what somebody else said of the quality, as it is."""
    try:
        said = msgspec.json.decode(quality)
    except msgspec.DecodeError:
        return quality
    if isinstance(said, dict) and said.get("plausible") is False:
        flags = said.get("flags")
        return " ".join(map(str, flags)) if isinstance(flags, list) and flags else "implausible"
    return quality


def _sums(source: Source, stream: StreamSummary, selection: Selection) -> Iterator[list[tuple[Any, ...]]]:
    if not _may_have(stream, selection.start, selection.end):
        return
    months = parse_months(selection.bucket)
    width = Value(months, "months") if months is not None else Value(parse_duration(selection.bucket), "duration")
    begin = Call("bucket", (_TIME, width, Value(source.zone, "string")))
    asked = Aggregation(
        source=_query(source, "Datastream", stream.id, selection.start, selection.end),
        groups=(Group(begin, ("time",)),),
        measures=(
            Measure(method="rows", name="count"),
            Measure(method="average", name="mean", expression=_RESULT),
            Measure(method="min", name="min", expression=_RESULT),
            Measure(method="max", name="max", expression=_RESULT),
        ),
        order=(Order(Path(("time",))),),
        top=PAGE,
    )
    while True:
        table = source.store.aggregate(asked)
        if table.rows:
            yield [_sum(row) for row in table.rows]
        if table.next is None:
            return
        asked = msgspec.structs.replace(asked, after=table.next)


def _sum(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A result that is summed up comes as kind and value."""
    return tuple(_result(*value)[0] if isinstance(value, tuple) else value for value in row)
