"""What a rule would give over a past, against what is kept of it: figures, a table, and lines for a chart."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from allmende.domain.errors import LimitExceeded
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.knowledge.acting import Foreseen, Foresight
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.groups import find_groups
from allmende.knowledge.lineage import read_lineage
from allmende.knowledge.prepare import Rule
from allmende.knowledge.rerun import Compared, Piece, compare, work_out
from allmende.web.portal.sources import as_moment, spoken
from allmende.web.rules import RULES

ROWS = 500
DEEDS = 50
WIDTH, HEIGHT = 640, 200
_POINTS = 1_000
"""Of a line; more are not seen on it."""
SETTING = "ALLMENDE_RULE_PREVIEW_VALUES"


class Counted(msgspec.Struct, kw_only=True):
    """Of one output: how many values would stay, be others, be new, be gone."""

    output: str
    title: str
    same: int = 0
    other: int = 0
    fresh: int = 0
    gone: int = 0


class Row(msgspec.Struct, frozen=True):
    """A time, with what is kept and what the rule would give; None: nothing."""

    time: datetime | None
    kept: Any
    given: Any

    @property
    def changed(self) -> bool:
        """Whether they differ."""
        return bool(self.kept != self.given)


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Two lines in a field of WIDTH by HEIGHT, as paths of SVG; and what its edges mean."""

    kept: str
    given: str
    low: float
    high: float
    start: datetime | None
    end: datetime | None


class ShownOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output of the group that is shown."""

    name: str
    title: str
    unit: str
    rows: list[Row]
    """The first ROWS; those that change come first where not all can be shown."""
    all_rows: int
    chart: Chart | None
    """None where the values are no numbers, or fewer than two."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a look back."""

    counts: list[Counted]
    groups: list[str]
    group: str
    outputs: list[ShownOutput]
    deeds: list[Foreseen]
    all_deeds: int
    hidden: int
    """Streams that the rule reads and whoever looks may not see: they are left out of it."""
    last: bool
    """Whether there was anything at all."""


def look_back(
    store: Store,
    reader: Reader,
    rule: Rule,
    span: tuple[int, int],
    limits: Limits,
    *,
    group: str = "",
    most: int,
    seconds: float,
) -> Past:
    """What the rule gives for windows, or readings, of a span, as far as ``reader`` may see what it reads.

    Raises InvalidInput for a span or group that is none, LimitExceeded for what takes too long.
    """
    lineage = read_lineage(store, reader)
    foresight = Foresight(rule)
    counts: dict[str, Counted] = {}
    shown: dict[str, tuple[dict[int, Any], dict[int, Any]]] = {}
    chosen, groups = group, dict.fromkeys(find_groups(store, reader, rule).groups)
    deeds: list[Foreseen] = []
    until = time.monotonic() + seconds
    for piece in work_out(store, reader, rule, *span, limits, group=group, most=most):
        if time.monotonic() > until:
            raise LimitExceeded(
                f"this takes longer than {seconds:g} s; take a shorter span or one group", setting=SETTING
            )
        groups.setdefault(piece.group.key)
        found = compare(store, reader, rule, piece, lineage)
        _count(counts, found, rule)
        deeds += foresight.look(*piece)
        chosen = chosen or _speaks(piece, found)
        if piece.group.key == chosen:
            for name, one in found.items():
                kept, given = shown.setdefault(name, ({}, {}))
                kept.update(one.kept)
                given.update(one.given)
    return Past(
        counts=list(counts.values()),
        groups=list(groups),
        group=chosen,
        outputs=[_show(rule, name, kept, given) for name, (kept, given) in shown.items()],
        deeds=deeds[:DEEDS],
        all_deeds=len(deeds),
        hidden=hidden_streams(store, reader, rule),
        last=bool(shown),
    )


def hidden_streams(store: Store, reader: Reader, rule: Rule) -> int:
    """How many of the streams that a rule reads somebody may not see."""
    return len(_read_by(store, RULES, rule) - _read_by(store, reader, rule))


def _read_by(store: Store, reader: Reader, rule: Rule) -> set[str]:
    return {stream for group in find_groups(store, reader, rule).groups.values() for stream in group.streams}


def _speaks(piece: Piece, found: Mapping[str, Compared]) -> str:
    return piece.group.key if any(one.kept or one.given for one in found.values()) else ""


def _count(counts: dict[str, Counted], found: Mapping[str, Compared], rule: Rule) -> None:
    for name, one in found.items():
        counted = counts.setdefault(name, Counted(output=name, title=_title(rule, name)))
        counted.same += one.same
        counted.other += one.other
        counted.fresh += one.fresh
        counted.gone += one.gone


def _title(rule: Rule, name: str) -> str:
    output = rule.profile.outputs.get(name)
    return (spoken(output.property.name) or output.property.id) if output else name


def _show(rule: Rule, name: str, kept: dict[int, Any], given: dict[int, Any]) -> ShownOutput:
    times = sorted({*kept, *given})
    rows = [(moment, Row(as_moment(moment), kept.get(moment), given.get(moment))) for moment in times]
    if len(rows) > ROWS:
        rows = sorted(sorted(rows, key=lambda row: not row[1].changed)[:ROWS], key=lambda row: row[0])
    output = rule.profile.outputs.get(name)
    return ShownOutput(
        name=name,
        title=_title(rule, name),
        unit=output.unit if output else "",
        rows=[row for _, row in rows],
        all_rows=len(times),
        chart=draw(times, kept, given),
    )


def draw(times: Sequence[int], kept: Mapping[int, Any], given: Mapping[int, Any]) -> Chart | None:
    """Two lines over the same times; what is no number breaks them."""
    numbers = [value for values in (kept, given) for value in values.values() if _is_number(value)]
    if len(times) < 2 or not numbers:
        return None
    low, high = min(numbers), max(numbers)
    if low == high:
        low, high = low - 1, high + 1
    step = max(1, len(times) // _POINTS)
    places = times[::step]

    def line(values: Mapping[int, Any]) -> str:
        return _path(
            (
                (moment - times[0]) / (times[-1] - times[0]) * WIDTH,
                HEIGHT - (values[moment] - low) / (high - low) * HEIGHT,
            )
            if _is_number(values.get(moment))
            else None
            for moment in places
        )

    return Chart(
        kept=line(kept), given=line(given), low=low, high=high, start=as_moment(times[0]), end=as_moment(times[-1])
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _path(points: Iterable[tuple[float, float] | None]) -> str:
    said, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        said.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        # A point between two gaps would not be seen without a length.
        if pen == "M":
            said.append("h0.1")
        pen = "L"
    return "".join(said)
