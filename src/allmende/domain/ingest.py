"""The only way in, checked: records become a Batch that a Store may commit.

Pure: the caller gives the time and the payload. Whatever cannot be taken becomes a rejection that holds the payload's
bytes, so that it can be replayed once its cause is mended; replaying is safe because repeated readings are no events.
"""

from collections.abc import Sequence
from math import isfinite

import msgspec

from allmende.domain import ids, times
from allmende.domain.addresses import hide_secrets
from allmende.domain.batch import Batch
from allmende.domain.bounds import (
    MISFIT,
    Bounds,
    fault_of_forecast,
    fault_of_run,
    fault_of_size,
    fault_of_time,
    fits_all,
    misfit,
    out_of_range,
)
from allmende.domain.connector import Payload, Source
from allmende.domain.creation import MAX_DEPTH, encode, holds_nul, keep_result, too_deep
from allmende.domain.errors import InvalidInput
from allmende.domain.feature_checks import check_collection, check_features
from allmende.domain.features import NewFeatures
from allmende.domain.model import OBSERVATION_TYPES
from allmende.domain.policy import house_reader
from allmende.domain.query import ResultKind
from allmende.domain.records import Collection, Declaration, Features, Parsed, Rejection, Result, Series
from allmende.domain.wording import said_of


class IngestLimits(Bounds, frozen=True, kw_only=True):
    """Bounds of what is taken, and of what is kept of the rest."""

    rejection_bytes: int = 262_144
    """Bytes kept of one rejection."""


def ingest(
    parsed: Parsed, *, payload: Payload, source: Source, version: str, limits: IngestLimits, only: str = ""
) -> Batch:
    """Check what a connector read. Never raises on bad readings; they become rejections of the batch.

    ``only`` is the ``where`` of a rejection that is replayed: if that names one reading, nothing else of the payload is
    taken again, since what was kept of it then may have been corrected since.
    """
    declared = {r.stream: _bounded(r, source) for r in parsed.records if isinstance(r, Declaration)}
    rejections = list(parsed.rejections)
    problems = {stream: check_declaration(declaration) for stream, declaration in declared.items()}
    series: list[Series] = []
    for record in parsed.records:
        if not isinstance(record, Series):
            continue
        problem = problems.get(record.stream)
        if problem != "":
            code = "undeclared-stream" if problem is None else "bad-declaration"
            reason = record.stream if problem is None else f"{record.stream}: {problem}"
            rejections += [_reject(payload, code, reason)] * max(len(record.times), len(record.results))
            continue
        kept, refused = check_series(record, declared[record.stream], now=payload.received_at, limits=limits)
        rejections += [_reject(payload, code, f"{record.stream}: {reason}", where) for code, reason, where in refused]
        if kept.times:
            series.append(kept)
    read = {record.stream for record in parsed.records if isinstance(record, Series)}
    rejections += [
        _reject(payload, "bad-declaration", f"{stream}: {problem}")
        for stream, problem in problems.items()
        if problem and stream not in read
    ]
    collections, features, refused_features, whole = _take_features(parsed, payload, limits)
    rejections += refused_features
    if names_reading(only):
        series = [_pick(s, only) for s in series]
        features = []
        rejections = [r for r in rejections if r.where == only]
    cap = limits.rejection_bytes
    return Batch(
        origin=source.id,
        dataset=source.dataset,
        reader=house_reader("ingest"),
        received_at=payload.received_at,
        version=version,
        name=_writable(hide_secrets(payload.name)),
        declarations=[d for stream, d in declared.items() if not problems[stream]],
        series=[s for s in series if s.times],
        collections=collections,
        features=features,
        whole=whole,
        rejections=_within(_spared(rejections, payload) if source.of_people else rejections, cap),
    )


def _writable(text: str) -> str:
    """A text with signs that no database or file takes written out: NUL, and halves of a pair of UTF-16."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _take_features(
    parsed: Parsed, payload: Payload, limits: IngestLimits
) -> tuple[list[Collection], list[NewFeatures], list[Rejection], bool]:
    """Collections, their features, what was rejected of them, and whether all that is there could be named."""
    declared = {r.id: r for r in parsed.records if isinstance(r, Collection)}
    problems = {name: check_collection(collection) for name, collection in declared.items()}
    wrong = [f"{name[:100]}: {problem}" for name, problem in problems.items() if problem]
    refused = [_reject(payload, "bad-declaration", reason) for reason in wrong]
    found: list[NewFeatures] = []
    named = 0
    for record in parsed.records:
        if not isinstance(record, Features):
            continue
        named += len(record.unread)
        if problems.get(record.collection) != "":
            code = "bad-declaration" if record.collection in problems else "undeclared-collection"
            refused += [_reject(payload, code, record.collection)] * len(record.items)
            continue
        kept, faults = check_features(record, limits)
        for place, code, reason in faults:
            body = payload.body if record.body_of is None else record.body_of(place)
            name = f"{record.collection}/{record.items[place].id}"[:200]
            refused.append(_reject(payload, code, f"{name}: {reason}", body=body))
        found.append(kept)
    known = [collection for name, collection in declared.items() if not problems[name]]
    return known, found, refused, named >= len(parsed.rejections) and len(known) == len(declared)


def _bounded(declaration: Declaration, source: Source) -> Declaration:
    """With the range that the source's contract says of its property, and with the city's words for that: both go
    before the connector's."""
    bounds = source.contract.ranges.get(declaration.observed_property.id)
    if declaration.observed_property.id in source.words:
        observed = said_of(source.words, declaration.observed_property, source.language)
        declaration = msgspec.structs.replace(declaration, observed_property=observed)
    if bounds is None:
        return declaration
    return msgspec.structs.replace(declaration, low=bounds.low, high=bounds.high)


def check_declaration(declaration: Declaration) -> str:
    """What is wrong with a declaration, or "" if nothing is."""
    try:
        for value in (
            declaration.stream,
            declaration.thing.id,
            declaration.sensor.id,
            declaration.observed_property.id,
        ):
            ids.normalise(value)
        if holds_nul(encode(declaration)):
            return "it holds the character NUL"
    except InvalidInput as error:
        return str(error)
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        return f"it cannot be written down: {error}"
    position = declaration.thing.position
    if position and not (-180 <= position.lon <= 180 and -90 <= position.lat <= 90):
        return f"the position {position.lon}, {position.lat} is not longitude, latitude in degrees"
    return ""


def check_series(
    series: Series, declaration: Declaration, *, now: int, limits: IngestLimits
) -> tuple[Series, list[tuple[str, str, str]]]:
    """Split a series into what is kept, flagged where implausible, and (code, reason, where) of each refused one."""
    count = len(series.times)
    if len(series.results) != count or (series.flags is not None and len(series.flags) != count):
        return Series(stream=series.stream, times=[], results=[]), [
            ("uneven-series", "columns differ in length", "")
        ] * max(count, len(series.results))
    latest = now + limits.future
    if not count or _all_fine(series, limits, latest):
        return _flag(series, declaration), []
    kept, refused = Series(stream=series.stream, times=[], results=[], flags=[], run=series.run), []
    flags = series.flags or [""] * count
    for time, result, flag in zip(series.times, series.results, flags, strict=True):
        fault = _fault(time, series.run, latest, limits) or _fault_of_result(result, limits)
        if fault:
            refused.append((*fault, where_of(series.stream, time)))
        else:
            kept.times.append(time)
            kept.results.append(result)
            kept.flags.append(flag)  # type: ignore[union-attr]  # set four lines above
    return _flag(kept, declaration), refused


def _all_fine(series: Series, limits: IngestLimits, latest: int) -> bool:
    """The quick check that holds for all but broken series: plain numbers, sane times."""
    if series.run is not None:
        if fault_of_run(series.run, latest):
            return False
        latest = series.run + limits.forecast
    if min(series.times) < limits.earliest or max(series.times) > latest:
        return False
    kinds = set(map(type, series.results))
    if kinds == {float}:
        return all(map(isfinite, series.results))  # type: ignore[arg-type]  # decimals
    if not kinds <= {int}:
        return False
    return min(series.results) >= -(2**63) and max(series.results) < 2**63  # type: ignore[type-var, operator]  # ints


def _fault(time: int, run: int | None, latest: int, limits: IngestLimits) -> tuple[str, str] | None:
    if run is None:
        return fault_of_time(time, latest, limits)
    return fault_of_run(run, latest) or fault_of_forecast(time, run, limits)


def _fault_of_result(result: Result, limits: IngestLimits) -> tuple[str, str] | None:
    if isinstance(result, float) and not isfinite(result):
        return "not-finite", "its result is not a finite number"
    if isinstance(result, int) and not -(2**63) <= result < 2**63:
        return "too-large", "its whole number does not fit into 64 bits"
    fault = fault_of_size(len(result), limits, ResultKind.STRING) if isinstance(result, str) else None
    if fault:
        return fault
    if isinstance(result, int | float):
        return None
    if too_deep(result):
        return "too-deep", f"its JSON has more than {MAX_DEPTH} levels"
    try:
        text = encode(result)
        size = len(text.encode())
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        return "unreadable", f"its result cannot be written as JSON: {error}"
    if holds_nul(text):
        return "nul", "it holds the character NUL, which cannot be kept"
    return None if isinstance(result, str) else fault_of_size(size, limits, ResultKind.JSON)


def _flag(series: Series, declaration: Declaration) -> Series:
    """Flag results outside of the declared range or of another type, unless the connector said something more exact.

    A client's result of another type is refused; what a source sends is kept, since nobody could send it again.
    """
    low, high = declaration.low, declaration.high
    numbers = [r for r in series.results if isinstance(r, int | float)]
    if numbers and ((low is not None and min(numbers) < low) or (high is not None and max(numbers) > high)):
        flags = series.flags or [""] * len(series.times)
        series.flags = [f or out_of_range(r, low, high) for r, f in zip(series.results, flags, strict=True)]
    asked = OBSERVATION_TYPES[declaration.observation_type]
    if not fits_all(asked, {_KINDS.get(type_, ResultKind.JSON) for type_ in set(map(type, series.results))}):
        flags = series.flags or [""] * len(series.times)
        series.flags = [
            f or (MISFIT if misfit(asked, *keep_result(r)) else "") for r, f in zip(series.results, flags, strict=True)
        ]
        series.flags = series.flags if any(series.flags) else None
    return series


_KINDS = {
    type(None): ResultKind.NULL,
    int: ResultKind.INTEGER,
    float: ResultKind.DECIMAL,
    bool: ResultKind.BOOLEAN,
    str: ResultKind.STRING,
}
_READING = "reading "


def where_of(stream: str, time: int) -> str:
    """The ``where`` of a rejection of one reading."""
    moment = times.format_instant(min(max(time, times.EARLIEST), times.LATEST))
    return f"{_READING}{stream} {moment}".encode("utf-8", "backslashreplace").decode()


def names_reading(where: str) -> bool:
    """Whether the ``where`` of a rejection is that of one reading."""
    return where.startswith(_READING)


def _pick(series: Series, where: str) -> Series:
    """What of a series a rejection names."""
    flags = series.flags or [""] * len(series.times)
    places = [place for place, time in enumerate(series.times) if where_of(series.stream, time) == where]
    return Series(
        stream=series.stream,
        times=[series.times[place] for place in places],
        results=[series.results[place] for place in places],
        flags=[flags[place] for place in places],
        run=series.run,
    )


def _reject(payload: Payload, code: str, reason: str, where: str = "", body: bytes | None = None) -> Rejection:
    body = payload.body if body is None else body
    return Rejection(reason=reason, body=body, code=code, where=where or f"from line {payload.line}")


_CUT = "cannot be replayed)"


def is_cut(reason: str) -> bool:
    """Whether a rejection, by its reason, is kept with the head of its bytes alone, or without them."""
    return reason.endswith(_CUT)


def _spared(rejections: Sequence[Rejection], payload: Payload) -> list[Rejection]:
    """The rejections without the payload as it came: it may tell of people. What ``parse`` made of it stays."""
    return [
        msgspec.structs.replace(
            rejection, body=b"", reason=f"{rejection.reason[:900]} (its bytes may tell of people and {_CUT}"
        )
        if rejection.body is payload.body
        else rejection
        for rejection in rejections
    ]


def _within(rejections: Sequence[Rejection], cap: int) -> list[Rejection]:
    """The rejections, the oversized ones cut. Many of one payload share its head, as they shared its bytes."""
    heads: dict[int, bytes] = {}
    kept = []
    for rejection in rejections:
        if len(rejection.body) > cap:
            head = heads.get(id(rejection.body))
            if head is None:
                head = heads[id(rejection.body)] = rejection.body[:cap]
            rejection = _cut(rejection, cap, head)
        # a connector repeats what it read: a rejection that cannot be kept would refuse what is well beside it
        told = {name: _writable(getattr(rejection, name)) for name in ("reason", "where", "code")}
        kept.append(msgspec.structs.replace(rejection, **told))
    return kept


def _cut(rejection: Rejection, cap: int, head: bytes) -> Rejection:
    """Keep the head of an oversized rejection; it can be read, but no longer be replayed, and says so."""
    return msgspec.structs.replace(
        rejection,
        body=head,
        # the reason is cropped, not its end, which says so
        reason=f"{rejection.reason[:900]} (cut to {cap} of {len(rejection.body)} bytes, {_CUT}",
    )
