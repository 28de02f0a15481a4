"""Constructed panels: a city of few streams whose days and weeks repeat, with chance from a seed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import numpy as np

from allmende.domain.times import DAY, HOUR, parse_instant
from allmende.knowledge.forecasts.learning import Task
from allmende.knowledge.forecasts.panel import Foretold, Panel, make_calendar

START = parse_instant("2024-02-20T00:00:00Z")
ZONE = "Europe/Berlin"


def panel(
    days: int = 45,
    streams: int = 2,
    *,
    step: int = HOUR,
    ahead: int = 30,
    start: int = START,
    noise: float = 4.0,
    top: float = np.inf,
    seed: int = 5,
    **more: Any,
) -> Panel:
    """Streams with a course of the local day that is another one at weekends; whole numbers of at least 0."""
    columns = days * DAY // step
    calendar = make_calendar(start, step, columns + ahead, ZONE, frozenset({date(2024, 4, 1)}), frozenset())
    chance = np.random.default_rng(seed)
    here = slice(0, columns)
    wave = np.sin((calendar.slot[here] * step / DAY - 0.3) * 2 * np.pi) * np.where(calendar.weekday[here] > 4, 5, 25)
    off = chance.normal(0, noise, (streams, columns))
    for column in range(1, columns):
        off[:, column] += 0.85 * off[:, column - 1]  # what is unusual passes within some hours
    values = 40 + wave[None] + off
    given: Mapping[str, Any] = {
        "streams": [f"s{number}" for number in range(streams)],
        "start": start,
        "step": step,
        "values": np.clip(values.round(), 0, top),
        "low": np.zeros(streams),
        "high": np.full(streams, top),
        "whole": np.ones(streams, dtype=bool),
        "calendar": calendar,
        "facts": np.full((streams, 3), np.nan),
    }
    return Panel(**{**given, **more})


def sunny(days: int = 45, streams: int = 2, **more: Any) -> Panel:
    """The same in a city that the sun sets going, which others forecast: no simple candidate knows of it."""
    one = panel(days, streams, **more)
    hours = one.columns + 48
    sun = np.repeat(np.random.default_rng(4).uniform(0, 40, hours // 6 + 1), 6)[:hours]
    rows = sorted((valid, run) for run in range(0, one.columns, 6) for valid in range(run, min(run + 48, hours)))
    valid, run = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    told = Foretold(
        start=one.start, step=one.step, spacing=HOUR, valid=valid + one.start // HOUR, run=run, value=sun[valid]
    )
    values = np.clip(one.values + sun[: one.columns].round(), 0, one.high[:, None])
    return msgspec.structs.replace(one, values=values, foretold={"sun": told})


def task(**more: Any) -> Task:
    """What is learned in seconds."""
    given = {"forecast": "plain", "digest": "d", "steps": 24, "interval": 0.8, "now": START + 45 * DAY}
    return Task(**{**given, "rounds": 80, "rows": 8_000, "threads": 1, "looks": 50_000, **more})
