"""Forecasts are streams like any other: three for each that is forecast, in its dataset and on its thing.

``{stream}~forecast`` holds the values, ``…-lower`` and ``…-upper`` the ends of the interval. The time at which a run
was issued is a part of each reading's key and its result time (decision 26), so that what was said when stays known.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.domain.batch import Batch, Receipt
from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.forecasts import LOWER, ORIGIN, SUFFIX, UPPER, ForecastProfile, least_suffix
from allmende.domain.ingest import check_declaration
from allmende.domain.policy import Reader
from allmende.domain.query import Compare, Expression, Logic, Order, Path, Query, Step, Value
from allmende.domain.records import Declaration, Property, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.store import Store
from allmende.domain.times import format_instant
from allmende.knowledge.forecasts.drift import Change
from allmende.knowledge.forecasts.hits import HitRate
from allmende.knowledge.forecasts.model import Model
from allmende.knowledge.forecasts.reading import Target
from allmende.knowledge.forecasts.run import Line

_WORDS = {
    "de": {SUFFIX: "Vorhersage", LOWER: "Vorhersage, untere Grenze", UPPER: "Vorhersage, obere Grenze"},
    "en": {SUFFIX: "forecast", LOWER: "forecast, lower end", UPPER: "forecast, upper end"},
}
_CHANCE = {"de": "Wahrscheinlichkeit für mindestens %s", "en": "probability of at least %s"}
_SHARE = Unit("share", "1", "https://ucum.org/ucum")
_PAGE = 1_000


def write_run(
    store: Store,
    writer: Reader,
    forecast: ForecastProfile,
    lines: Sequence[Line],
    targets: Mapping[str, Target],
    model: Model,
    rates: Mapping[str, HitRate],
    changes: Mapping[str, Change] | None = None,
    *,
    now: int,
    language: str,
) -> Receipt:
    """Keep a run, all of it or nothing. Raises Conflict where a stream of such an id is somebody else's."""
    declarations, series = [], []
    for line in lines:
        target = targets[line.stream]
        properties = describe(
            forecast, model, line, target, rates.get(line.stream, HitRate()), (changes or {}).get(line.stream)
        )
        for suffix, values in ((SUFFIX, line.middle), (LOWER, line.lower), (UPPER, line.upper)):
            stream = f"{line.stream}{suffix}"
            _check_ours(store, writer, stream, forecast)
            declarations.append(_declaration(forecast, target, suffix, stream, properties, language))
            results = [round(value) if target.count else value for value in values]
            series.append(Series(stream=stream, times=list(line.times), results=list(results), run=now))
        for place, least in enumerate(forecast.least if line.tails else ()):
            stream = f"{line.stream}{least_suffix(least)}"
            _check_ours(store, writer, stream, forecast)
            told = [(time, tail[place]) for time, tail in zip(line.times, line.tails, strict=True)]
            known = [(time, chance) for time, chance in told if not math.isnan(chance)]
            declarations.append(_chance(forecast, target, least, stream, properties, language))
            series.append(
                Series(stream=stream, times=[at for at, _ in known], results=[each for _, each in known], run=now)
            )
    for declaration in declarations:
        problem = check_declaration(declaration)
        if problem:
            raise InvalidInput(f"the stream {declaration.stream}: {problem}", where=f"forecasts.{forecast.id}")
    if not series:
        return Receipt()
    return store.append(
        Batch(
            origin=f"{ORIGIN}{forecast.id}",
            dataset=forecast.dataset,
            reader=writer,
            received_at=now,
            version=model.said.version,
            declarations=declarations,
            series=series,
            name=f"forecasts.{forecast.id}",
        )
    )


def describe(
    forecast: ForecastProfile, model: Model, line: Line, target: Target, rate: HitRate, change: Change | None = None
) -> dict[str, Any]:
    """What a forecast says of itself in its properties: of what, by what, learned when and from what, how good it was
    in the back-test and is since. It changes with the model and once a day, not with each run."""
    choice = model.said.choices[line.stream]
    found: dict[str, Any] = {
        "forecast": True,
        "forecast_of": line.stream,
        "forecast_name": forecast.id,
        "dataset": forecast.dataset,
        "interval": forecast.interval,
        "method": line.candidate,
        "version": model.said.version,
        "trained": format_instant(model.said.trained),
        "trained_on": f"{format_instant(model.said.since)}/{format_instant(model.said.until)}",
        "reference": line.reference,
        "backtest": {
            "mean_absolute_error": _short(choice.scores[line.candidate].error),
            "skill": _short(choice.skill(line.candidate)),
            "interval_held": _short(choice.scores[line.candidate].held),
            "values": choice.judged,
        },
    }
    if line.reason:
        found["fallback"] = line.reason
    if model.said.note:
        found["learned_without"] = model.said.note
    inputs = sorted({name for put in forecast.inputs.values() for name in (put.observed, put.forecast) if name})
    if inputs:
        found["inputs"] = inputs
    if target.simulated:
        found["simulated"] = True
    if change is not None:
        found["changed"] = {"since": change.since.isoformat(), "error_times": _short(change.times)}
    if rate.count:
        found["hit_rate"] = {
            "values": rate.count,
            "mean_absolute_error": _short(rate.error),
            "skill": _short(rate.skill),
            "interval_held": _short(rate.held),
        }
    return found


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _declaration(
    forecast: ForecastProfile, target: Target, suffix: str, stream: str, properties: dict[str, Any], language: str
) -> Declaration:
    words = _WORDS.get(language, _WORDS["en"])[suffix]
    title = forecast.title.get(language) or forecast.id
    observed = f"{target.property}{suffix.replace('~', '-')}"
    return Declaration(
        stream=stream,
        name=f"{target.name} – {words}",
        description=forecast.description.get(language) or title,
        thing=ThingDeclaration(id=target.thing, name="", kept=True),
        sensor=SensorDeclaration(
            id=f"forecast-{forecast.id}",
            name=title,
            description=forecast.description.get(language, ""),
            encoding_type="application/json",
            metadata={"forecast": forecast.id},
        ),
        # Another property than that of what was measured: whoever asks for measured values gets no forecast.
        observed_property=Property(
            id=observed,
            name=f"{target.property_name} ({words})",
            definition=f"urn:x-allmende:property:{observed}",
        ),
        unit=target.unit,
        observation_type="count" if target.count else "measurement",
        properties=properties,
        low=target.low,
        high=target.high,
    )


def _chance(
    forecast: ForecastProfile, target: Target, least: float, stream: str, properties: dict[str, Any], language: str
) -> Declaration:
    words = (_CHANCE.get(language) or _CHANCE["en"]) % f"{least:g}"
    plain = _declaration(forecast, target, SUFFIX, stream, {**properties, "at_least": least}, language)
    observed = f"{target.property}{least_suffix(least).replace('~', '-')}"
    return msgspec.structs.replace(
        plain,
        name=f"{target.name} – {words}",
        observed_property=Property(
            id=observed,
            name=f"{target.property_name} ({words})",
            definition=f"urn:x-allmende:property:{observed}",
        ),
        unit=_SHARE,
        observation_type="measurement",
        low=0.0,
        high=1.0,
    )


def _check_ours(store: Store, reader: Reader, stream: str, forecast: ForecastProfile) -> None:
    for row in store.find(Query(entity="Datastream", reader=reader, id=stream, select=("properties",))).rows:
        properties = msgspec.json.decode(row[2]) if row[2] else {}
        if properties.get("forecast_name") != forecast.id:
            raise Conflict(f'"{stream}" is there already, and not of this forecast', where=f"forecasts.{forecast.id}")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run of a stream's forecast, as whoever reads sees it. Columns of equal length; microseconds."""

    stream: str
    issued: int
    times: list[int]
    middle: list[float]
    lower: list[float | None]
    upper: list[float | None]
    properties: Mapping[str, Any]
    """What the forecast says of itself (see :func:`describe`)."""
    chances: Mapping[float, list[float | None]] = {}
    """By how much at least, the probability at each time; of what was asked for."""


def latest(store: Store, reader: Reader, stream: str, least: Sequence[float] = ()) -> Shown | None:
    """The newest run of the forecast of a stream (by the stream's own id); None where there is none, or none that the
    reader may see. ``least``: with these probabilities."""
    page = store.find(Query(entity="Datastream", reader=reader, id=f"{stream}{SUFFIX}", select=("properties",)))
    if not page.rows:
        return None
    properties = msgspec.json.decode(page.rows[0][2]) if page.rows[0][2] else {}
    if properties.get("forecast_of") != stream:
        return None
    newest = _readings(store, reader, f"{stream}{SUFFIX}", None)
    if not newest:
        return None
    until, issued = newest[0][:2]
    run = Span(issued - abs(until - issued), until)
    middle = {time: value for time, _, value in _readings(store, reader, f"{stream}{SUFFIX}", issued, run)}
    ends = [
        {time: value for time, _, value in _readings(store, reader, f"{stream}{suffix}", issued, run)}
        for suffix in (LOWER, UPPER)
    ]
    moments = sorted(middle)
    chances = {
        each: {time: value for time, _, value in _readings(store, reader, f"{stream}{least_suffix(each)}", issued, run)}
        for each in least
    }
    return Shown(
        stream=stream,
        issued=issued,
        times=moments,
        middle=[middle[time] for time in moments],
        lower=[ends[0].get(time) for time in moments],
        upper=[ends[1].get(time) for time in moments],
        properties=properties,
        chances={each: [found.get(time) for time in moments] for each, found in chances.items()},
    )


class Span(NamedTuple):
    """The times that a run may tell of: it begins about when it was issued. Without it all that was ever foretold would
    be looked through for the run."""

    start: int
    end: int


def _readings(
    store: Store, reader: Reader, stream: str, run: int | None, span: Span | None = None
) -> list[tuple[int, int, Any]]:
    """The one reading of the newest run that is furthest ahead; or all of a run."""
    when, time = Path(("resultTime",)), Path(("phenomenonTime",))
    rules: list[Expression] = [] if run is None else [Compare("eq", when, Value(run, "instant"))]
    if span is not None:
        rules.append(Compare("ge", time, Value(span.start, "instant")))
        rules.append(Compare("le", time, Value(span.end, "instant")))
    query = Query(
        entity="Observation",
        reader=reader,
        path=(Step("Datastream", stream, "Observations"),),
        filter=Logic("and", tuple(rules)) if rules else None,
        order=(Order(Path(("phenomenonTime",)), descending=True), Order(when, descending=True)),
        select=("phenomenonTime", "resultTime", "result"),
        top=1 if run is None else _PAGE,
    )
    page = store.find(query)
    columns = [page.columns.index(name) for name in ("phenomenonTime.start", "resultTime", "result")]
    return [(row[columns[0]], row[columns[1]], row[columns[2]]) for row in page.rows]
