"""The learned candidate's lessons: which rows it learns from, what each counts, and one model or one for each stream.

Absolute errors are judged, so that the median is learned. A row counts by how far off a simple guess is for its stream
and step ahead: a lot of 40 spaces is worth as much as a garage of 500, and half an hour as much as two. Where streams
behave unlike, networks learn beside the trees, and what both say is averaged.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from allmende.domain.times import DAY, HOUR
from allmende.knowledge.forecasts import boosting
from allmende.knowledge.forecasts.baselines import LAST, TYPICAL, learn_climate, mean_of, simple, taken, typical
from allmende.knowledge.forecasts.boosting import Booster, Effort
from allmende.knowledge.forecasts.features import Frame, make_frame, sizes
from allmende.knowledge.forecasts.nets import Net, learn_net
from allmende.knowledge.forecasts.panel import Array, Panel, Places

MIDDLE, WIDTH, NET = "middle", "width", "net"
_RUN_UP = 3 * HOUR
"""Before the hours that count: what is said then is of them."""
_ELSEWHERE = 3
"""One of so many origins outside them is learned from."""
_DRIFTED = 2
"""One of so many origins is learned from with a drifted level, too."""
_OF_NETS = 0.6
"""How much of what is said is theirs."""
_HALF = 45.0
"""After so many days an example counts half as much."""
_LONGEST, _SHORTEST = 21, 7
"""Days for which a drifted level stays as it is."""
_SHARED = 3
"""One of so many rows is learned from by the trees where networks learn beside them: more tell them little."""
_NEARER = 0.5
"""How far what is near, where a simple guess is hardly off, counts more: 1 would let it rule over what is far."""
_FURTHEST = 0.8
"""By which share of its size a level drifts at most."""
_DOWN = 0.7
"""How often it drifts down: a counter misses cars that leave more often than others, and free spaces vanish."""


class Manner(NamedTuple):
    """How a forecast is learned; see ForecastProfile."""

    apart: bool
    drifts: bool
    seasonal: bool
    hours: tuple[float, float] | None
    """The part of the local day that counts, as hours."""


class _Lot(NamedTuple):
    frame: Frame
    wanted: Array
    """By row, in units of its stream."""
    weights: Array
    """What each row counts."""
    scales: Array
    """Streams by steps ahead: what a simple guess is off by, in units of the stream."""


class School:
    """Of one panel."""

    def __init__(self, panel: Panel, ahead: Places, usual: Array, manner: Manner) -> None:
        self.panel, self.ahead, self.manner = panel, ahead, manner
        self._usual = usual

    def frame(self, origins: Places, until: int, panel: Panel | None = None, usual: Array | None = None) -> Frame:
        """Features of origins, with what was known of the past up to a column."""
        panel, usual = panel or self.panel, self._usual if usual is None else usual
        return make_frame(
            panel,
            origins,
            self.ahead.tolist(),
            learn_climate(panel, until),
            usual,
            sizes(self.panel, until),
            seasonal=self.manner.seasonal,
            drifts=self.manner.drifts,
        )

    def learn(self, until: int, effort: Effort) -> tuple[dict[str, str], list[str]]:
        """Models of the median from all origins whose targets lie before a column, as texts by name; and the names of
        the features."""
        origins = self._origins(until, effort)
        lots, sets = [self._lot(self.panel, self._usual, origins, until)], [origins]
        if self.manner.drifts:
            other = drifted(self.panel, sizes(self.panel, until), until)
            columns = np.arange(len(other.calendar.slot))
            sets.append(origins[::_DRIFTED])
            lots.append(self._lot(other, typical(other, columns), sets[1], until))
        names = lots[0].frame.names
        rows = np.concatenate([lot.frame.rows for lot in lots])
        wanted = np.concatenate([lot.wanted for lot in lots])
        weights = np.concatenate([lot.weights for lot in lots])
        some = effort._replace(rows=effort.rows // _SHARED) if effort.nets else effort
        # What was lately tells more of what comes than what was half a year ago.
        recent = np.concatenate([_recent(self.panel, each, until, lot) for each, lot in zip(sets, lots, strict=True)])
        texts = {MIDDLE: boosting.learn_middle(names, rows, wanted, some, weights * recent)}
        hours = (self.ahead * self.panel.step / HOUR).tolist()
        for number in range(effort.nets):
            texts[f"{NET}-{number}"] = learn_net(
                names, rows, wanted, recent, lots[0].scales, hours, effort.looks, number
            )
        return texts, names

    def _origins(self, until: int, effort: Effort) -> Places:
        streams, panel = len(self.panel.streams), self.panel
        first = min(22 * panel.day, until // 2)
        most = max(50, effort.rows // (streams * len(self.ahead)))
        last = until - int(self.ahead[-1]) + 1
        if self.manner.drifts:
            most = most * _DRIFTED // (_DRIFTED + 1)
        if self.manner.hours is None:
            return spaced(first, last, most)
        counts = in_hours(panel, np.arange(len(panel.calendar.slot)), self.manner.hours, _RUN_UP)
        here = np.flatnonzero(counts[first:last]) + first
        there = np.flatnonzero(~counts[first:last])[::_ELSEWHERE] + first
        found = np.sort(np.concatenate([here, there]))
        every = max(1, -(-len(found) // most))
        return found[:: every + (every % 2 == 0) if every > 1 else 1]

    def _lot(self, panel: Panel, usual: Array, origins: Places, until: int) -> _Lot:
        frame = self.frame(origins, until, panel, usual)
        came = outcomes(panel, origins, self.ahead)
        wanted = (came.ravel() - frame.anchor) / frame.unit
        plain = simple(panel, origins, self.ahead.tolist(), learn_climate(panel, until), usual)
        errors = [mean_of(np.abs(plain[name] - came), axis=1) for name in (LAST, TYPICAL)]
        better = np.fmin(*errors)
        units = frame.unit.reshape(came.shape)
        floor = 0.005 * units[:, 0, :]
        scales = np.maximum(better, floor) / units[:, 0, :]
        better = np.where(np.isnan(better), 1.0, np.maximum(better, floor))
        mean = better.mean(axis=1, keepdims=True)
        counts = units[:, 0, :1] / mean * (mean / better) ** _NEARER
        weights = np.broadcast_to(counts[:, None, :], came.shape).ravel()
        return _Lot(frame, wanted, weights, scales)


def _recent(panel: Panel, origins: Places, until: int, lot: _Lot) -> Array:
    """By row what its age makes of it."""
    age = (until - origins) / panel.day
    streams = len(panel.streams)
    ahead = len(lot.wanted) // (streams * max(1, len(origins)))
    return np.tile(np.repeat(0.5 ** (age / _HALF), ahead), streams)


class Voices:
    """What was learned, and says something."""

    def __init__(self, texts: Mapping[str, str], threads: int) -> None:
        """Raises InvalidInput where a text is none."""
        self._trees = Booster(texts[MIDDLE], threads)
        self._nets = [Net(text) for name, text in sorted(texts.items()) if name.startswith(NET)]
        self._width = Booster(texts[WIDTH], threads) if WIDTH in texts else None

    @property
    def names(self) -> list[list[str]]:
        """The features that each wants."""
        return [one.names for one in (self._trees, *self._nets, self._width) if one is not None]

    def middle(self, frame: Frame) -> Array:
        """By row what the trees say and what the networks say on average, where there are some."""
        change = self._trees.predict(frame.rows)
        if self._nets:
            told = np.mean([net.predict(frame.rows) for net in self._nets], axis=0)
            change = np.where(np.isnan(told), change, change + _OF_NETS * (told - change))
        found: Array = frame.anchor + change * frame.unit
        return found

    def width(self, frame: Frame) -> Array:
        """By row how far off that may be."""
        if self._width is None:
            raise ValueError("nothing was learned of how far off it is")
        found: Array = self._width.width(frame.rows) * frame.unit
        return found


def drifted(panel: Panel, units: Array, until: int, seed: int = 5) -> Panel:
    """The same days seen through counters that are off: for a week or three each stream reads so many more or less,
    and never what it cannot be. Who learns from both learns which signs hold when levels do not."""
    chance = np.random.default_rng(seed)
    values = panel.values.copy()
    for number, unit in enumerate(units):
        column = 0
        while column <= until:
            length = int(chance.integers(_SHORTEST, _LONGEST + 1)) * panel.day
            off = (-1 if chance.random() < _DOWN else 1) * chance.uniform(0.05, _FURTHEST) * unit
            values[number, column : column + length] += np.round(off) if panel.whole[number] else off
            column += length
    # The most that it ever was: what nobody has said a bound for has this one.
    top = np.where(np.isfinite(panel.high), panel.high, _most(panel.values[:, : until + 1]))
    values = np.clip(values, panel.low[:, None], top[:, None])
    return msgspec.structs.replace(panel, values=values)


def _most(values: Array) -> Array:
    known = np.where(np.isnan(values), -np.inf, values).max(axis=1)
    found: Array = np.where(np.isfinite(known), known, np.inf)
    return found


def in_hours(panel: Panel, columns: Places, hours: tuple[float, float], before: int = 0) -> npt.NDArray[np.bool_]:
    """Which columns lie in a part of the local day, or so many microseconds before it."""
    moment = panel.calendar.slot[columns] * panel.step
    begin, end = hours[0] * HOUR - before, hours[1] * HOUR
    found: npt.NDArray[np.bool_] = (moment >= begin) & (moment < end) | (moment >= begin + DAY)
    return found


def spaced(begin: int, end: int, most: int) -> Places:
    """No more than so many origins, evenly spread, at all times of the day: the distance is odd."""
    distance = max(1, -(-(end - begin) // most))
    return np.arange(begin, end, distance + (distance % 2 == 0) if distance > 1 else 1)


def outcomes(panel: Panel, origins: Places, ahead: Places) -> Array:
    """What came: streams by origins by steps ahead."""
    targets = (origins[:, None] + ahead[None, :]).ravel()
    return taken(panel.values, targets).reshape(len(panel.streams), len(origins), len(ahead))
