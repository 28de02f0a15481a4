"""When a window of a rule that reads other rules may be evaluated: once what was received before its end, and whatever
those rules made of it, is kept. Behind a long pause it would be evaluated first, and say that there was nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from allmende.domain.rules import micros
from allmende.knowledge.prepare import Rule


class _Mark(NamedTuple):
    """What was received before ``clock`` has gone through one rule more, once the log is read up to ``number``."""

    clock: int
    number: int
    left: int
    """How many rules it has still to go through."""


class Settling:
    """How far what was received has gone through all rules. Kept in memory: behind a restart it is found out anew."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._above: dict[str, dict[str, Rule]] = {}
        depths: dict[str, int] = {}
        known = {rule.id: rule for rule in rules}
        for rule in rules:  # each behind those that it reads
            read = {put.rule.partition(".")[0] for put in rule.profile.inputs.values() if put.rule}
            above = {name: known[name] for name in read}
            for name in read:
                above |= self._above[name]
            self._above[rule.id] = above
            depths[rule.id] = 1 + max((depths[name] for name in read), default=-1)
        self._depth = max(depths.values(), default=0)
        self._upto = -(2**63)
        self._mark: _Mark | None = None

    def is_chained(self, rule: Rule) -> bool:
        """Whether a rule reads others."""
        return bool(self._above[rule.id])

    def look(self, now: int, cursor: int, newest: Callable[[], int], *, idle: bool) -> None:
        """Before each step: ``now`` is a moment before the log was read behind ``cursor``; ``idle``: it had nothing
        new, and no other window is due."""
        if idle:
            self._upto, self._mark = now, None
            return
        mark = self._mark
        if mark is not None and cursor >= mark.number:
            if mark.left > 1:
                mark = _Mark(mark.clock, newest(), mark.left - 1)
            else:
                self._upto, mark = max(self._upto, mark.clock), None
        self._mark = mark or _Mark(now, newest(), self._depth)

    def due(self, rule: Rule, now: int, done: Mapping[str, int]) -> int:
        """The end of the last window of a chained rule that may be evaluated; ``done`` are those that were, by rule."""
        grid = rule.grid
        assert grid is not None
        above = self._above[rule.id].values()
        own = micros(rule.profile.window.grace)
        grace = max(own, *(micros(other.profile.window.grace) for other in above))
        end = grid.floor(min(now - own, max(self._upto, _EARLIEST) - grace))
        for other in above:
            if other.grid is not None and other.grid.floor(end) > done[other.id]:
                end = grid.floor(other.grid.after(done[other.id]) - 1)
        return end


_EARLIEST = 0
"""1970: before that no window of the city's is looked for."""
