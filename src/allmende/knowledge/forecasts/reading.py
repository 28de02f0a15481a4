"""The store's readings as a panel: which streams a forecast is of, and what is known of them on a regular grid.

A stream that reports changes alone is read as the step function that it is, so that silence stays "not known"; of all
others a column is the mean of its readings. What is flagged as implausible is left out.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np

from allmende.domain import times
from allmende.domain.errors import LimitExceeded
from allmende.domain.forecasts import ORIGIN, CalendarProfile, ForecastProfile
from allmende.domain.policy import Reader
from allmende.domain.query import Compare, Expand, In, Logic, Order, Path, Query, Step, Value
from allmende.domain.records import Unit
from allmende.domain.steps import Silence, read_steps
from allmende.domain.store import Store
from allmende.knowledge.analyses.calendar import public_holidays
from allmende.knowledge.forecasts.panel import Array, Calendar, Foretold, Panel, make_calendar

_PAGE = 1_000
_PIECE = 30 * times.DAY
_NUMBERS = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that is forecast."""

    stream: str
    name: str
    thing: str
    property: str
    property_name: str
    unit: Unit
    count: bool
    """Whether its values are whole numbers."""
    low: float | None
    high: float | None
    lon: float | None
    lat: float | None
    source: str
    silence: Silence | None
    """Of a stream that reports changes alone."""
    simulated: bool
    first: int | None = None
    newest: int | None = None


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a city and its operator say of all forecasts."""

    zone: str
    country: str
    calendar: CalendarProfile = CalendarProfile()
    most_streams: int = 200


def reader_of(forecast: ForecastProfile) -> Reader:
    """Who reads for a forecast: no more than whoever may see its dataset, since that is who sees the forecast."""
    return Reader(name=f"house:forecast-{forecast.id}", datasets=frozenset({forecast.dataset}))


def find_targets(store: Store, forecast: ForecastProfile, setting: Setting) -> list[Target]:
    """The streams of the forecast's dataset that it names, by their ids; those alone that give numbers.

    Raises LimitExceeded where there are too many to be learned together.
    """
    reader, wanted = reader_of(forecast), []
    after = ""
    while page := store.streams(reader, forecast.dataset, after=after, top=_PAGE):
        wanted += [
            each
            for each in page
            if not each.source.startswith(ORIGIN)
            and (each.id in forecast.streams or each.property_id in forecast.properties)
        ]
        after = page[-1].id
    if len(wanted) > setting.most_streams:
        raise LimitExceeded(
            "the forecast is of %(found)s streams, and %(most)s may be learned together",
            setting="ALLMENDE_FORECAST_STREAMS",
            found=len(wanted),
            most=setting.most_streams,
        )
    said = _said(store, reader, [each.id for each in wanted])
    found = []
    for each in wanted:
        kind, unit, properties = said.get(each.id, ("", {}, {}))
        if kind not in ("Measurement", "CountObservation"):
            continue
        step = properties.get("reading") == "step"
        count = kind == "CountObservation"
        low = 0.0 if count and each.low is None else each.low
        found.append(
            Target(
                stream=each.id,
                name=each.name,
                thing=each.thing_id,
                property=each.property_id,
                property_name=each.property,
                unit=Unit(unit.get("name") or "", unit.get("symbol") or "", unit.get("definition") or ""),
                count=count,
                low=low,
                high=each.high,
                lon=each.lon,
                lat=each.lat,
                source=each.source,
                silence=Silence.read(properties.get("silence", {}), setting.zone) if step else None,
                simulated=bool(properties.get("simulated")),
                first=each.first,
                newest=each.start,
            )
        )
    return found


def _said(store: Store, reader: Reader, streams: Sequence[str]) -> dict[str, tuple[str, Any, Any]]:
    """Kind of observation, unit and properties of each."""
    found = {}
    for place in range(0, len(streams), 100):
        some = tuple(Value(stream, "string") for stream in streams[place : place + 100])
        query = Query(
            entity="Datastream",
            reader=reader,
            filter=In(Path(("id",)), some),
            select=("observationType", "unitOfMeasurement", "properties"),
            top=_PAGE,
        )
        page = store.find(query)
        places = [page.columns.index(name) for name in ("observationType", "unitOfMeasurement", "properties")]
        for row in page.rows:
            kind, unit, properties = (row[number] for number in places)
            found[str(row[1])] = (str(kind).removeprefix(_NUMBERS), _decoded(unit), _decoded(properties))
    return found


def _decoded(text: Any) -> dict[str, Any]:
    value = msgspec.json.decode(text) if isinstance(text, str | bytes) and text else text
    return value if isinstance(value, dict) else {}


def read_panel(
    store: Store, forecast: ForecastProfile, targets: Sequence[Target], setting: Setting, start: int, now: int
) -> Panel:
    """What is known at ``now`` from ``start`` on, which is rounded up to a step; the calendar reaches further by the
    horizon."""
    step = forecast.step_micros
    start = -(-start // step) * step
    columns = max(1, (now - start) // step + 1)
    reader = reader_of(forecast)
    values = np.full((len(targets), columns), np.nan)
    for number, target in enumerate(targets):
        values[number] = _row(store, reader, target.stream, target.source, target.silence, start, step, columns, now)
    if forecast.doubts:
        for thing, begin, end in _doubted(store, reader, forecast.doubts, start, now):
            first, last = (max(0, -(-(each - start) // step)) for each in (begin, end))
            values[[target.thing == thing for target in targets], first:last] = np.nan
    ahead = forecast.steps + 1
    calendar = _calendar(setting, start, step, columns + ahead)
    seen, foretold = {}, {}
    for name, put in forecast.inputs.items():
        if put.observed:
            seen[name] = _row(store, reader, put.observed, "", None, start, step, columns, now)
        if put.forecast:
            foretold[name] = _foretold(store, reader, put.forecast, start, step, now)
    return Panel(
        streams=[target.stream for target in targets],
        start=start,
        step=step,
        values=values,
        low=np.array([-np.inf if target.low is None else target.low for target in targets]),
        high=np.array([np.inf if target.high is None else target.high for target in targets]),
        whole=np.array([target.count for target in targets], dtype=bool),
        calendar=calendar,
        facts=np.array([[_or_nan(t.lon), _or_nan(t.lat), _or_nan(t.high)] for t in targets]).reshape(-1, 3),
        seen=seen,
        foretold=foretold,
    )


def _doubted(store: Store, reader: Reader, observed: str, start: int, now: int) -> Iterable[tuple[str, int, int]]:
    """Things with the spans in which a truth value of that property held, to the end of what is read."""
    things = Query(entity="Thing", reader=reader, select=("id",))
    query = Query(
        entity="Datastream",
        reader=reader,
        filter=Compare("eq", Path(("ObservedProperty", "id")), Value(observed, "string")),
        select=("id",),
        expand=(Expand(relation="Thing", query=things),),
        top=_PAGE,
    )
    while True:
        page = store.find(query)
        for row in page.rows:
            of = page.expanded["Thing"].get(row[0])
            if of is None or not of.rows:
                continue
            points = store.points(reader, str(row[1]), start, now + 1, before=True)
            ends = [*points.times[1:], now + 1]
            for begin, end, result in zip(points.times, ends, points.results, strict=True):
                if result is True:
                    yield str(of.rows[0][1]), begin, end
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def calendar_days(setting: Setting, start: int, end: int) -> dict[str, list[str]]:
    """The days of a span on which the city lives otherwise, as ISO dates: ``public`` and ``school`` holidays."""
    first, last = (times.to_datetime(moment).date() for moment in (start - 2 * times.DAY, end + 2 * times.DAY))
    public = public_holidays(setting.country, setting.calendar.state, first, last)
    return {
        "public": sorted(day.isoformat() for day in public),
        "school": sorted(day.isoformat() for day in setting.calendar.school_days() if first <= day <= last),
    }


def _calendar(setting: Setting, start: int, step: int, columns: int) -> Calendar:
    days = calendar_days(setting, start, start + columns * step)
    public, school = (frozenset(map(date.fromisoformat, days[name])) for name in ("public", "school"))
    return make_calendar(start, step, columns, setting.zone, public, school)


def _row(
    store: Store,
    reader: Reader,
    stream: str,
    source: str,
    silence: Silence | None,
    start: int,
    step: int,
    columns: int,
    now: int,
) -> Array:
    """One stream over the grid, read a month at a time."""
    row = np.full(columns, np.nan)
    # A multiple of the step, so that no column is cut in two.
    piece = max(step, _PIECE // step * step)
    end = start + columns * step
    for begin in range(start, end, piece):
        until = min(begin + piece, end)
        here = row[(begin - start) // step : (until - start) // step]
        if silence is None:
            _fill_means(store, reader, stream, begin, min(until, now // step * step), step, here)
        else:
            _fill_steps(store, reader, stream, source, silence, begin, min(until, now + 1), step, here)
    return row


def _fill_means(store: Store, reader: Reader, stream: str, begin: int, until: int, step: int, row: Array) -> None:
    points = store.points(reader, stream, begin, until)
    known = [
        ((time - begin) // step, value)
        for time, value, flag in zip(points.times, map(_number, points.results), points.flags, strict=True)
        if value is not None and not flag
    ]
    if not known:
        return
    columns = np.array([column for column, _ in known])
    count = np.bincount(columns, minlength=len(row))
    total = np.bincount(columns, weights=[value for _, value in known], minlength=len(row))
    row[count > 0] = total[count > 0] / count[count > 0]


def _fill_steps(
    store: Store,
    reader: Reader,
    stream: str,
    source: str,
    silence: Silence,
    begin: int,
    until: int,
    step: int,
    row: Array,
) -> None:
    points = store.points(reader, stream, begin, until, before=True)
    reach = silence.rewrite + silence.night + silence.slack
    pieces = read_steps(
        points.times,
        [_number(result) for result in points.results],
        points.flags,
        reports=store.reports(reader, source, begin - reach, until),
        silence=silence,
        start=begin,
        end=until,
    )
    for piece in pieces:
        if piece.value is not None and not piece.flag:
            row[-(-(piece.start - begin) // step) : -(-(piece.end - begin) // step)] = piece.value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _foretold(store: Store, reader: Reader, stream: str, start: int, step: int, now: int) -> Foretold:
    """All runs that were there by ``now``, of times from ``start`` on."""
    rows = sorted(
        (time, run, value)
        for time, run, value in _runs(store, reader, stream, start - times.DAY)
        if run <= now and _number(value) is not None
    )
    valid = np.array([time for time, _, _ in rows], dtype=np.int64)
    distinct = np.unique(valid)
    spacing = int(np.median(np.diff(distinct))) if len(distinct) > 1 else times.HOUR
    spacing = max(spacing, step)
    return Foretold(
        start=start,
        step=step,
        spacing=spacing,
        valid=valid // spacing,
        run=np.array([max(0, -((start - run) // step)) for _, run, _ in rows], dtype=np.int64),
        value=np.array([float(value) for _, _, value in rows]),
    )


def _runs(store: Store, reader: Reader, stream: str, start: int) -> Iterable[tuple[int, int, Any]]:
    when = Path(("phenomenonTime",))
    query = Query(
        entity="Observation",
        reader=reader,
        path=(Step("Datastream", stream, "Observations"),),
        filter=Logic(
            "and",
            (
                Compare("ge", when, Value(start, "instant")),
                Compare("ne", Path(("resultTime",)), Value(None, "null")),
            ),
        ),
        order=(Order(when),),
        select=("phenomenonTime", "resultTime", "result"),
        top=_PAGE,
    )
    while True:
        page = store.find(query)
        time, run, value = (page.columns.index(name) for name in ("phenomenonTime.start", "resultTime", "result"))
        for row in page.rows:
            yield row[time], row[run], row[value]
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)
