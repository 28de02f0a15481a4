"""What a learned model is told of a forecast: rows of numbers, one for each stream, origin and step ahead."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.forecasts.baselines import Climate, deviation, mean_of, taken
from allmende.knowledge.forecasts.habits import courses, marks, states
from allmende.knowledge.forecasts.panel import Array, Panel, Places, same_time

Rows = npt.NDArray[np.float32]
_LAGS = (
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    45 * MINUTE,
    HOUR,
    90 * MINUTE,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
)
_MOST_NEIGHBOURS = 12


class Frame(NamedTuple):
    """Features with what they are of. Rows are in the order streams, origins, steps ahead."""

    names: list[str]
    rows: Rows
    anchor: Array
    """Per row the value that a model tells the difference to: the newest one."""
    unit: Array
    """Per row the size of the stream's values, by which differences are divided: streams of all sizes are one model."""


def sizes(panel: Panel, until: int) -> Array:
    """The usual spread of each stream: from its 5th to its 95th hundredth, up to a column; never 0."""
    found = np.ones(len(panel.streams))
    for number, row in enumerate(panel.values[:, : until + 1]):
        known = row[~np.isnan(row)]
        if len(known):
            low, high = np.quantile(known, [0.05, 0.95])
            found[number] = max(high - low, 1e-9) if high > low else max(abs(high), 1.0)
    return found


def make_frame(
    panel: Panel,
    origins: Places,
    ahead: Sequence[int],
    climate: Climate,
    usual: Array,
    unit: Array,
    *,
    seasonal: bool = False,
    drifts: bool = False,
) -> Frame:
    """The features of all streams at some origins. ``usual`` as in :func:`~.baselines.simple`; all else that they are
    made of is known at the origin. ``seasonal``: with the time of the year. ``drifts``: levels may be wrong for weeks
    while changes are right, so that courses of earlier days tell more than means of levels (see :mod:`.habits`)."""
    table = _Table(panel, origins, np.asarray(ahead), unit)
    now, newest = origins, taken(panel.values, origins)
    targets = (origins[:, None] + np.asarray(ahead)[None, :]).ravel()
    calendar = panel.calendar
    table.per_step("ahead", np.asarray(ahead, dtype=float) * panel.step / HOUR)
    table.per_stream("stream", np.arange(len(panel.streams), dtype=float))
    for place in range(panel.facts.shape[1]):
        table.per_stream(f"fact-{place}", panel.facts[:, place])
    table.per_target("time", calendar.slot[targets] * panel.step / HOUR)
    table.per_target("weekday", calendar.weekday[targets].astype(float))
    for name in ("holiday", "eve", "after", "school", *(("year",) if seasonal else ())):
        table.per_target(name, getattr(calendar, name)[targets])
    off = deviation(panel, usual, now)
    table.per_origin("level", newest)
    if np.isfinite(panel.low).any():
        table.per_origin("room-below", newest - np.where(np.isfinite(panel.low), panel.low, np.nan)[:, None])
    if np.isfinite(panel.high).any():
        table.per_origin("room-above", np.where(np.isfinite(panel.high), panel.high, np.nan)[:, None] - newest)
    for lag in _lags(panel):
        table.per_origin(f"since-{lag * panel.step // MINUTE}", newest - taken(panel.values, now - lag))
    table.per_origin("off-usual", newest - usual[:, now])
    table.per_origin("off-lately", off)
    shape = (len(panel.streams), len(origins), len(ahead))
    ahead_usual = usual[:, targets].reshape(shape)
    table.full("usual-change", ahead_usual - usual[:, now][:, :, None])
    table.full("usual", ahead_usual + off[:, :, None] - newest[:, :, None])
    here = climate.at(calendar, targets, panel.day).reshape(shape)
    table.full("climate-change", here - climate.at(calendar, now, panel.day)[:, :, None])
    if drifts:
        _habits(panel, table, now, targets.reshape(shape[1:]), newest, usual)
    else:
        table.full("climate", here - newest[:, :, None])
    for days in (1, 7):
        then = _then(panel, targets, now, len(ahead), days).reshape(shape)
        before = taken(panel.values, same_time(calendar, now, days, panel.day))
        table.full(f"change-{days}", then - before[:, :, None])
        table.per_origin(f"off-{days}", newest - before)
    _neighbours(panel, table, now, newest, off, unit, each=not drifts)
    for name, row in panel.seen.items():
        table.per_when(f"seen-{name}", taken(row[None, :], now)[0])
    for name, known in panel.foretold.items():
        pairs = np.repeat(now, len(ahead))
        table.per_target(f"foretold-{name}", known.at(pairs, targets))
    anchor = np.broadcast_to(newest[:, :, None], shape).ravel()
    return Frame(table.names, table.rows(), anchor, np.repeat(unit, len(origins) * len(ahead)))


def _habits(panel: Panel, table: "_Table", now: Places, targets: Places, newest: Array, usual: Array) -> None:
    for name, values in courses(panel, now, targets, newest):
        table.full(name, values)
    for name, values in states(panel, now, newest, usual):
        table.per_origin(name, values)
    for name, values in marks(panel, now, targets, newest):
        table.plain(name, values)


class _Table:
    """Columns of one frame, each broadcast from what it depends on."""

    def __init__(self, panel: Panel, origins: Places, ahead: Places, unit: Array) -> None:
        self._shape = (len(panel.streams), len(origins), len(ahead))
        self._unit = unit[:, None, None]
        self.names: list[str] = []
        self._columns: list[npt.NDArray[np.float32]] = []

    def _put(self, name: str, column: Array) -> None:
        self.names.append(name)
        self._columns.append(np.broadcast_to(column, self._shape).astype(np.float32).ravel())

    def per_step(self, name: str, values: Array) -> None:
        self._put(name, values[None, None, :])

    def per_stream(self, name: str, values: Array) -> None:
        self._put(name, values[:, None, None])

    def per_when(self, name: str, values: Array) -> None:
        self._put(name, values[None, :, None])

    def per_target(self, name: str, values: Array) -> None:
        self._put(name, values.reshape(self._shape[1:])[None])

    def per_origin(self, name: str, values: Array) -> None:
        """In units of the stream."""
        self._put(name, values[:, :, None] / self._unit)

    def full(self, name: str, values: Array) -> None:
        """In units of the stream."""
        self._put(name, values / self._unit)

    def plain(self, name: str, values: Array) -> None:
        """As it is, of whatever can be broadcast."""
        self._put(name, values)

    def rows(self) -> Rows:
        """All columns; they are let go one by one, since both together would be twice as large."""
        found = np.empty((int(np.prod(self._shape)), len(self._columns)), dtype=np.float32)
        for place in range(len(self._columns)):
            found[:, place] = self._columns[place]
            self._columns[place] = found[:0, place]
        return found


def _lags(panel: Panel) -> list[int]:
    return sorted({max(1, lag // panel.step) for lag in _LAGS if lag >= panel.step} | {1, 2, 3})


def _then(panel: Panel, targets: Places, origins: Places, ahead: int, days: int) -> Array:
    """The values some days before the targets; NaN where that is not over at the origin."""
    columns = same_time(panel.calendar, targets, days, panel.day)
    known = columns <= np.repeat(origins, ahead)
    return taken(panel.values, np.where(known, columns, -1))


def _neighbours(
    panel: Panel, table: _Table, now: Places, newest: Array, off: Array, unit: Array, *, each: bool
) -> None:
    """What the other streams do: together, and each where there are few."""
    if len(panel.streams) < 2:
        return
    scaled = off / unit[:, None]
    table.per_when("all-off", mean_of(scaled, axis=0))
    for lag in sorted({max(1, 30 * MINUTE // panel.step), max(1, HOUR // panel.step)}):
        moved = (newest - taken(panel.values, now - lag)) / unit[:, None]
        table.per_when(f"all-since-{lag}", mean_of(moved, axis=0))
    if each and len(panel.streams) <= _MOST_NEIGHBOURS:
        for number in range(len(panel.streams)):
            table.per_when(f"level-of-{number}", newest[number] / unit[number])
            table.per_when(f"off-of-{number}", scaled[number])
