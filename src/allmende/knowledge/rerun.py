"""Rules over the past: a preview that stores nothing, and a re-run that puts another past in the place of the old one.

A re-run works everything out first, where nobody sees it, and then swaps it in, in one transaction. What came
meanwhile is evaluated again behind it, since the rules' cursors are set back to where they stood when it began.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.policy import Reader
from allmende.domain.store import Receipt, Store
from allmende.domain.times import DAY, format_instant
from allmende.knowledge.evaluate import Limits, Outcome, evaluate_all
from allmende.knowledge.follow import FOLLOWER, TURN, time_of
from allmende.knowledge.groups import Group, find_groups
from allmende.knowledge.lineage import read_lineage
from allmende.knowledge.prepare import Rule
from allmende.knowledge.write import write_outcomes

HOLD = "rules-run"
"""A follower that keeps the change log from where a re-run began."""
NOBODY = 2**62
_PIECE = 30 * DAY
SETTING = "ALLMENDE_RULE_RUN_VALUES"


class Piece(NamedTuple):
    """What a rule gives for one group in a piece of the span."""

    group: Group
    outcome: Outcome


def work_out(
    store: Store, reader: Reader, rule: Rule, low: int, high: int, limits: Limits, *, group: str = "", most: int
) -> Iterator[Piece]:
    """What a rule gives for windows, or readings, from ``low`` to before ``high``, a month and a group at a time.

    Raises InvalidInput for a group that is not there, LimitExceeded beyond ``most`` values.
    """
    groups = find_groups(store, reader, rule).groups
    if group and group not in groups:
        known = ", ".join(list(groups)[:20]) or "none"
        raise InvalidInput(f'the rule has no group "{group}"; there are {known}')
    first, last = _bounds(rule, low, high)
    total = 0
    for chosen in [groups[group]] if group else groups.values():
        for start in range(first, last + 1, _PIECE):
            end = min(start + _PIECE - 1, last)
            for outcome in evaluate_all(store, reader, rule, chosen, start, end, limits):
                total += outcome.size
                if total > most:
                    raise LimitExceeded(f"{rule.id}: more than {most} values; take a shorter span", setting=SETTING)
                yield Piece(chosen, outcome)


def _bounds(rule: Rule, low: int, high: int) -> tuple[int, int]:
    """The first and the last time for :func:`evaluate`: of windows that begin and end within, their ends."""
    if high <= low:
        raise InvalidInput(f"the span from {format_instant(low)} to {format_instant(high)} is empty")
    if rule.grid is None:
        return low, high - 1
    return rule.grid.after(rule.grid.after(low - 1)), rule.grid.floor(high)


def run_again(
    store: Store,
    reader: Reader,
    rule: Rule,
    low: int,
    high: int,
    clock: Callable[[], int],
    limits: Limits,
    *,
    most: int,
    tell: Callable[[int], None] = lambda _: None,
) -> Receipt:
    """Work out the past of a rule anew and swap it in: all of it, or nothing. ``tell`` hears of the values so far.

    Its readings come from ``rerun/ID``, so that nobody is alarmed by them. The rules that read this one follow by the
    change log. The worker may run meanwhile; it has to be started again first where the rule has changed.
    """
    begun = store.cursor(FOLLOWER)
    if begun is None:
        begun = store.newest_change()
        store.set_cursor(FOLLOWER, begun)
    done = store.cursor(time_of(rule.id))
    if rule.grid is not None:
        high = min(high, rule.grid.floor(clock()) if done is None else done)
    store.set_cursor(HOLD, begun)
    try:
        pieces, total = [], 0
        for piece in work_out(store, reader, rule, low, high, limits, most=most):
            pieces.append(piece)
            total += piece.outcome.size
            tell(total)
        return store.together(lambda: _swap(store, reader, rule, pieces, begun, done, clock()))
    finally:
        store.set_cursor(HOLD, NOBODY)


def _swap(
    store: Store, reader: Reader, rule: Rule, pieces: list[Piece], begun: int, done: int | None, now: int
) -> Receipt:
    # The follower writes this row first, too: from here on none of its values is on its way.
    store.set_cursor(TURN, begun)
    lineage = read_lineage(store, reader)
    total = Receipt()
    for piece in pieces:
        total.add(write_outcomes(store, reader, rule, [piece], lineage, received_at=now, rerun=True))
    store.set_cursor(FOLLOWER, min(begun, store.cursor(FOLLOWER) or 0))
    if done is not None:
        store.set_cursor(time_of(rule.id), min(done, store.cursor(time_of(rule.id)) or done))
    return total
