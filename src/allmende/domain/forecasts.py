"""What a city declares of its forecasts (``[forecasts.NAME]``) and of its calendar (``[calendar]``).

How one is made is :mod:`allmende.knowledge.forecasts`'s to say. Durations are ISO 8601, days are those of the city's
zone. A forecast belongs to the dataset of the streams that it is of, so that whoever may see these may see it, too.
"""

import builtins
import csv
import io
import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

import msgspec

from allmende.domain.profile_checks import ProfileError, check_duration, check_id
from allmende.domain.tables import convert
from allmende.domain.times import DAY, HOUR, MINUTE, parse_duration

SUFFIX, LOWER, UPPER = "~forecast", "~forecast-lower", "~forecast-upper"
"""Behind the id of a stream: the streams of its forecast and of the two ends of its interval."""
LEAST = "~forecast-at-least-"
"""The same of the probability that it will be so much or more; behind it stands how much, with - for the point."""
ORIGIN = "forecast/"
"""How the source of what the house forecasts begins; behind it stands the forecast's id."""
_STATE = re.compile(r"[A-Z0-9]{1,3}\Z", re.ASCII)
_MOST_STEPS = 300
_MOST_LEAST = 4
_FURTHEST = 6 * DAY
"""A week before its target everything is over, for all that compares with the same weekday."""


def least_suffix(least: float) -> str:
    """Of the stream with the probability of at least so much: 5 is ``~forecast-at-least-5``, 0.5 ``…-0-5``."""
    return f"{LEAST}{least:g}".replace(".", "-")


class SchoolHoliday(msgspec.Struct, frozen=True, kw_only=True):
    """Days without school, both ends among them."""

    first: date
    last: date
    name: str = ""


class CalendarProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The days on which a city lives otherwise."""

    state: str = ""
    """The second part of its code in ISO 3166-2, e.g. ``TH``: public holidays are those of country and state."""
    school: tuple[SchoolHoliday, ...] = ()

    def school_days(self) -> frozenset[date]:
        """All days without school."""
        return frozenset(
            one.first + timedelta(days=day) for one in self.school for day in range((one.last - one.first).days + 1)
        )


class ForecastInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something else that may explain the streams, for example the temperature."""

    observed: str = ""
    """Id of a stream that measures it."""
    forecast: str = ""
    """Id of a stream that forecasts it, whose runs are told apart by their result time."""


class ForecastProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A forecast of some streams of one dataset, which are learned together."""

    id: str
    title: dict[str, str]
    dataset: str
    description: dict[str, str] = {}
    streams: list[str] = []
    """Ids of streams."""
    property: str | list[str] = ""
    """Or all streams of this observed property, by its id, or of one of these."""
    horizon: str = "PT24H"
    """How far it looks."""
    step: str = "PT1H"
    every: str = "PT1H"
    """How often a run is issued."""
    train: str = "P1D"
    """How often it learns anew."""
    history: str = "P365D"
    """From how much of the past it learns."""
    interval: float = 0.8
    """The share of outcomes that its interval is to hold."""
    inputs: dict[str, ForecastInput] = {}
    apart: bool = False
    """Whether the streams behave unlike: networks that tell them apart learn beside the trees, for a few streams."""
    drifts: bool = False
    """Whether levels may be wrong for weeks while changes are right, as of counters that miss some."""
    hours: tuple[str, str] | None = None
    """The part of the local day that counts, e.g. ``["06:00", "21:00"]``: most is learned from it, and it is judged."""
    least: list[float] = []
    """Of how many at least the probability is told, e.g. ``[1, 5]``."""
    doubts: str = ""
    """An observed property of truth values, by its id: while one of them holds for a stream's thing, what the stream
    says is not believed, neither learned from nor taken for what is known now."""
    enabled: bool = True

    @builtins.property
    def counting_hours(self) -> tuple[float, float] | None:
        """``hours`` as numbers; an end of 00:00 is 24."""
        if self.hours is None:
            return None
        begin, end = (time.fromisoformat(said) for said in self.hours)
        return begin.hour + begin.minute / 60, (end.hour + end.minute / 60) or 24.0

    @builtins.property
    def step_micros(self) -> int:
        """Microseconds of a step."""
        return parse_duration(self.step)

    @builtins.property
    def steps(self) -> int:
        """How many steps a run has."""
        return parse_duration(self.horizon) // self.step_micros

    @builtins.property
    def properties(self) -> list[str]:
        """The observed properties whose streams are forecast."""
        return [self.property] if isinstance(self.property, str) and self.property else list(self.property)


def parse_calendar(body: dict[str, Any], files: Mapping[str, bytes]) -> CalendarProfile:
    """The calendar of plain data; ``school_holidays`` names a file beside the profile. Raises ProfileError."""
    said = convert(body, _Calendar, "calendar")
    if said.state and not _STATE.match(said.state):
        raise ProfileError(
            "calendar.state", '"%(state)s" is no state: the second part of ISO 3166-2, e.g. TH', state=said.state
        )
    school: tuple[SchoolHoliday, ...] = ()
    if said.school_holidays:
        place = "calendar.school_holidays"
        try:
            text = files[said.school_holidays].decode("utf-8-sig")
        except KeyError:
            raise ProfileError(
                place, 'there is no file "%(name)s" beside city.toml', name=said.school_holidays
            ) from None
        except UnicodeDecodeError as error:
            raise ProfileError(place, "is no UTF-8: %(error)s", error=error) from None
        school = tuple(_school_holidays(text, place))
    return CalendarProfile(state=said.state, school=school)


class _Calendar(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of the table."""

    state: str = ""
    school_holidays: str = ""
    """CSV with the columns ``first``, ``last`` and ``name``."""


def _school_holidays(text: str, place: str) -> list[SchoolHoliday]:
    found = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        try:
            first, last = (date.fromisoformat((row.get(key) or "").strip()) for key in ("first", "last"))
        except ValueError:
            raise ProfileError(f"{place}, line {number}", "needs first and last as days, e.g. 2026-07-04") from None
        if not first <= last <= first + timedelta(days=100):
            raise ProfileError(f"{place}, line {number}", "ends before it begins, or is longer than 100 days")
        found.append(SchoolHoliday(first=first, last=last, name=(row.get("name") or "").strip()))
    return found


def check_forecasts(forecasts: Mapping[str, ForecastProfile], datasets: Mapping[str, Any]) -> None:
    """What no types say. Raises ProfileError with the place."""
    for key, forecast in forecasts.items():
        place = f"forecasts.{key}"
        if forecast.dataset not in datasets:
            known = ", ".join(datasets) or "none"
            raise ProfileError(
                f"{place}.dataset",
                'there is no dataset "%(dataset)s"; there are %(known)s',
                dataset=forecast.dataset,
                known=known,
            )
        if bool(forecast.streams) == bool(forecast.property):
            raise ProfileError(place, "says streams, or the property of the streams that are forecast, one of both")
        if any(name.endswith((SUFFIX, LOWER, UPPER)) or LEAST in name for name in forecast.streams):
            raise ProfileError(f"{place}.streams", "names a forecast; what is measured can be forecast")
        _check_times(forecast, place)
        if not 0.5 <= forecast.interval <= 0.98:
            raise ProfileError(f"{place}.interval", "is a share between 0.5 and 0.98")
        for name, put in forecast.inputs.items():
            check_id(name, f"{place}.inputs.{name}")
            if not (put.observed or put.forecast):
                raise ProfileError(f"{place}.inputs.{name}", "names no stream: observed, forecast or both")


def _check_times(forecast: ForecastProfile, place: str) -> None:
    for name in ("horizon", "step", "every", "train", "history"):
        check_duration(getattr(forecast, name), f"{place}.{name}")
    step, horizon = forecast.step_micros, parse_duration(forecast.horizon)
    if not MINUTE <= step <= 6 * HOUR or DAY % step:
        raise ProfileError(f"{place}.step", "is a whole part of a day, from PT1M to PT6H")
    if horizon % step or horizon > _FURTHEST or horizon // step > _MOST_STEPS:
        raise ProfileError(
            f"{place}.horizon",
            "is a number of whole steps, no more than %(most)s, and no longer than P6D",
            most=_MOST_STEPS,
        )
    _check_hours(forecast, place)
    if (
        len(forecast.least) > _MOST_LEAST
        or len(set(forecast.least)) < len(forecast.least)
        or not all(0 <= least < 1e6 for least in forecast.least)
    ):
        raise ProfileError(
            f"{place}.least", "names each number once, none below 0, and %(most)s at most", most=_MOST_LEAST
        )
    for name, least in (("every", MINUTE), ("train", HOUR), ("history", 14 * DAY)):
        if parse_duration(getattr(forecast, name)) < least:
            raise ProfileError(f"{place}.{name}", "is too short: at least %(least)s", least=_LEAST[name])


def _check_hours(forecast: ForecastProfile, place: str) -> None:
    try:
        hours = forecast.counting_hours
    except ValueError:
        hours = (1.0, 0.0)
    if hours is not None and not hours[0] < hours[1]:
        raise ProfileError(f"{place}.hours", 'is a part of the day, e.g. ["06:00", "21:00"]')


_LEAST = {"every": "PT1M", "train": "PT1H", "history": "P14D"}
