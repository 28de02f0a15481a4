"""The values that are due: four weeks at the first start, then what has changed since."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from allmende.connectors.demo.places import Place, find_places
from allmende.connectors.demo.simulation import Rules, free_spaces, is_out, local_slot
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.times import DAY, HOUR, format_instant, parse_duration

_LIVE = HOUR


class _Pace(msgspec.Struct, frozen=True, kw_only=True):
    step: int
    backfill: int
    backfill_step: int
    rewrite: int


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """A payload a day, for the steps after ``since`` up to ``now``; at most ``settings.backfill`` back.

    Values of one time are always the same, so that overlapping spans repeat and correct nothing. Raises
    ConfigurationError where the settings or the table cannot be used.
    """
    settings = source.settings
    pace = _Pace(
        step=_duration(source, "step"),
        backfill=_duration(source, "backfill"),
        backfill_step=_duration(source, "backfill_step"),
        rewrite=_duration(source, "silence", "rewrite"),
    )
    rules = Rules(
        seed=str(settings.get("seed", "")),
        reach=_number(source, "reach"),
        back=_duration(source, "return"),
        outage_every=_duration(source, "outage_every"),
        outage_least=_duration(source, "outage_least"),
        outage_most=_duration(source, "outage_most"),
    )
    places = find_places(source)
    first = now - pace.backfill if since is None else max(since + 1, now - pace.backfill)
    if (
        since is not None and since > now
    ):  # the clock was put back: else the demo would be silent until it is there again
        first = now - _LIVE
    return _payloads(source, places, rules, pace, first, now)


def _payloads(
    source: Source, places: list[Place], rules: Rules, pace: _Pace, first: int, now: int
) -> Iterator[Payload]:
    rows = _rows(source, places, rules, pace, first, now)
    for day, of_day in groupby(rows, key=lambda row: row[0] // DAY):
        times: list[str] = []
        free: dict[str, list[int | None]] = {place.thing.id: [] for place in places}
        for time, values in of_day:
            times.append(format_instant(time))
            for column, value in zip(free.values(), values, strict=True):
                column.append(value)
        body = msgspec.json.encode({"simulated": True, "times": times, "free": free})
        yield Payload(body=body, name=f"{source.id}/{format_instant(day * DAY)[:10]}", received_at=now)


def _rows(
    source: Source, places: list[Place], rules: Rules, pace: _Pace, first: int, now: int
) -> Iterator[tuple[int, list[int | None]]]:
    """For each step with anything to say: the values, None where nothing changed or the counting is out."""
    zone = ZoneInfo(source.time_zone)
    before: list[int] = []
    before_time = 0
    for time, gap in _steps(pace, first, now):
        if before_time != time - gap:
            slot = local_slot(time - gap, zone)
            before = [free_spaces(rules, place, time - gap, slot) for place in places]
        slot = local_slot(time, zone)
        values = [free_spaces(rules, place, time, slot) for place in places]
        rewritten = time % pace.rewrite == 0
        told = [
            value if (rewritten or value != old) and not is_out(rules, place, time) else None
            for place, value, old in zip(places, values, before, strict=True)
        ]
        before, before_time = values, time
        if any(value is not None for value in told):
            yield time, told


def _steps(pace: _Pace, first: int, now: int) -> Iterator[tuple[int, int]]:
    """Times on the grids and the gap to the one before: wide steps long ago, narrow ones in the last hour."""
    live = max(first, (now - _LIVE) // pace.backfill_step * pace.backfill_step + 1)
    for begin, end, step in ((first, live - 1, pace.backfill_step), (live, now, pace.step)):
        for time in range(-(-begin // step) * step, end + 1, step):
            yield time, step


def _duration(source: Source, *keys: str) -> int:
    value: Any = source.settings
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    where = ".".join((source.id, *keys))
    try:
        found = parse_duration(value) if isinstance(value, str) else 0
    except InvalidInput as error:
        raise ConfigurationError(error.message, where=where) from None
    if found <= 0:
        raise ConfigurationError(f"{value!r} is no duration above zero, e.g. PT1M", where=where)
    return found


def _number(source: Source, key: str) -> float:
    value = source.settings.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{value!r} is no number from 0 on", where=f"{source.id}.{key}")
    return float(value)
