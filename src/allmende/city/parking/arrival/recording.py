"""A recording of free spaces as a panel: CSV with the columns ``timestamp``, ``place_id`` and ``free``, changes alone.

A value holds until the place's next row, unless the feed was silent for longer than it may be: then nothing is known.
What nobody can have counted is left out, for learning and for judging alike: what is no number, below zero, or above
the capacity where one is given.
"""

import csv
import gzip
import tomllib
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from allmende.domain.errors import InvalidInput
from allmende.domain.forecasts import CalendarProfile, ForecastProfile, parse_calendar
from allmende.domain.steps import Silence, read_steps
from allmende.domain.times import DAY, MINUTE, from_datetime, to_datetime
from allmende.knowledge.analyses.calendar import public_holidays
from allmende.knowledge.forecasts.panel import Panel, make_calendar

COLUMNS = ("timestamp", "place_id", "free")


class City(msgspec.Struct, frozen=True, kw_only=True):
    """What of a city's profile matters here."""

    zone: str
    country: str
    calendar: CalendarProfile
    forecast: ForecastProfile


def read_city(folder: Path, forecast: str) -> City:
    """From the profile's ``city.toml`` and what lies beside it. Raises InvalidInput, ProfileError."""
    said = tomllib.loads((folder / "city.toml").read_text("utf-8"))
    if forecast not in said.get("forecasts", {}):
        raise InvalidInput('the profile has no "forecasts.%(name)s"', name=forecast, where=str(folder))
    files = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    return City(
        zone=said["time_zone"],
        country=said["country"],
        calendar=parse_calendar(said.get("calendar", {}), files),
        forecast=msgspec.convert({"id": forecast, **said["forecasts"][forecast]}, ForecastProfile),
    )


def read_rows(path: Path) -> dict[str, list[tuple[int, float | None]]]:
    """By place its times (microseconds) and values in order. Raises InvalidInput with the line."""
    try:
        return _rows(path)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error, csv.Error) as error:
        raise InvalidInput("is no CSV in UTF-8: %(error)s", error=error, where=path.name) from None


def _rows(path: Path) -> dict[str, list[tuple[int, float | None]]]:
    found: dict[str, dict[int, float | None]] = {}
    with (
        gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open(encoding="utf-8-sig")
    ) as file:
        rows = csv.DictReader(file)
        missing = set(COLUMNS) - set(rows.fieldnames or ())
        if missing:
            raise InvalidInput("lacks the columns %(names)s", names=", ".join(sorted(missing)), where=path.name)
        for number, row in enumerate(rows, 2):
            try:
                moment = datetime.fromisoformat(row["timestamp"])
                value = float(row["free"]) if row["free"].strip() else None
            except (ValueError, AttributeError, TypeError):
                raise InvalidInput("needs a time and a number", where=f"{path.name}, line {number}") from None
            if not row["place_id"]:
                raise InvalidInput("names no place", where=f"{path.name}, line {number}")
            if value is not None and not 0 <= value < 1e6:
                value = None
            at = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            found.setdefault(row["place_id"], {})[at] = value
    return {place: sorted(values.items()) for place, values in sorted(found.items())}


def as_panel(
    rows: Mapping[str, Iterable[tuple[int, float | None]]], city: City, capacities: Mapping[str, float] | None = None
) -> Panel:
    """All places over one grid of the forecast's step; the calendar reaches further by the horizon."""
    series = {place: list(values) for place, values in rows.items()}
    reports = sorted({moment for values in series.values() for moment, _ in values})
    if not reports:
        raise InvalidInput("the recording is empty")
    step = city.forecast.step_micros
    start, end = reports[0] // step * step, -(-(reports[-1] + 1) // step) * step
    columns = (end - start) // step
    silence = Silence(zone=city.zone, rewrite=DAY + 5 * MINUTE)
    values = np.full((len(series), columns), np.nan)
    for number, (place, found) in enumerate(series.items()):
        most = (capacities or {}).get(place)
        pieces = read_steps(
            [moment for moment, _ in found],
            [value for _, value in found],
            ["above" if most is not None and value is not None and value > most else "" for _, value in found],
            reports=reports,
            silence=silence,
            start=start,
            end=end,
        )
        for piece in pieces:
            if piece.value is not None and not piece.flag:
                values[number, -(-(piece.start - start) // step) : -(-(piece.end - start) // step)] = piece.value
    first, last = to_datetime(start).date(), to_datetime(end).date() + timedelta(days=3)
    public = frozenset(public_holidays(city.country, city.calendar.state, first, last))
    ahead = city.forecast.steps + 1
    return Panel(
        streams=list(series),
        start=start,
        step=step,
        values=values,
        low=np.zeros(len(series)),
        high=np.array([(capacities or {}).get(place, np.inf) for place in series]),
        whole=np.ones(len(series), dtype=bool),
        calendar=make_calendar(start, step, columns + ahead, city.zone, public, city.calendar.school_days()),
        facts=np.full((len(series), 3), np.nan),
    )
