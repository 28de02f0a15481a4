"""Rules over the past: a preview that stores nothing, and a re-run that puts another past in the place of the old one.

A re-run works everything out first, where nobody sees it, into a file that vanishes with its process, and then swaps
in what is other, in one transaction, however long the past is. What came meanwhile is evaluated again behind it, since
the rules' cursors are set back to where they stood when it began.
"""

from collections.abc import Callable, Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import msgspec

from allmende.domain.batch import Receipt
from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.domain.times import DAY, format_instant
from allmende.knowledge.evaluate import Limits, Outcome, divided, evaluate_all
from allmende.knowledge.follow import FOLLOWER, TURN, time_of
from allmende.knowledge.groups import Group, find_groups
from allmende.knowledge.language import Scalar
from allmende.knowledge.lineage import Lineage, read_lineage
from allmende.knowledge.prepare import Rule
from allmende.knowledge.write import kept_values, output_stream, write_outcomes

HOLD = "rules-run"
"""A follower that keeps the change log from where a re-run began."""
NOBODY = 2**62
_PIECE = 30 * DAY
SETTING = "ALLMENDE_RULE_RUN_VALUES"


class Piece(NamedTuple):
    """What a rule gives for one group in a piece of the span."""

    group: Group
    outcome: Outcome


class Compared(NamedTuple):
    """What an output gives in a span, against what is kept of it: values by time."""

    stream: str
    kept: dict[int, Any]
    given: dict[int, Scalar]

    @property
    def same(self) -> int:
        """How many values stay as they are."""
        return sum(self.kept.get(time, _NOTHING) == value for time, value in self.given.items())

    @property
    def other(self) -> int:
        """How many values are others."""
        return sum(self.kept[time] != value for time, value in self.given.items() if time in self.kept)

    @property
    def fresh(self) -> int:
        """How many are new."""
        return len(self.given.keys() - self.kept.keys())

    @property
    def gone(self) -> int:
        """How many are given no more."""
        return len(self.kept.keys() - self.given.keys())


_NOTHING = object()


def work_out(
    store: Store, reader: Reader, rule: Rule, low: int, high: int, limits: Limits, *, group: str = "", most: int
) -> Iterator[Piece]:
    """What a rule gives for windows, or readings, from ``low`` to before ``high``, a month and a group at a time. A
    group that it has no more gives nothing.

    Raises InvalidInput for a group that is not there, LimitExceeded beyond ``most`` values.
    """
    groups = find_groups(store, reader, rule).groups
    left = {key: found for key, found in _left(read_lineage(store, reader), rule).items() if key not in groups}
    if group and group not in groups and group not in left:
        known = ", ".join(list(groups)[:20]) or "none"
        raise InvalidInput(f'the rule has no group "{group}"; there are {known}')
    first, last = _bounds(rule, low, high)
    total = 0
    for key, found in left.items():
        if group in ("", key):
            yield Piece(found, Outcome(low, high - 1, [], {name: [] for name in rule.outputs}, {}))
    if group in left:
        return
    for chosen in [groups[group]] if group else groups.values():
        for start in range(first, last + 1, _PIECE):
            end = min(start + _PIECE - 1, last)
            for outcome in evaluate_all(store, reader, rule, chosen, start, end, limits):
                total += outcome.size
                if total > most:
                    raise LimitExceeded(f"{rule.id}: more than {most} values; take a shorter span", setting=SETTING)
                yield Piece(chosen, outcome)


def compare(store: Store, reader: Reader, rule: Rule, piece: Piece, lineage: Lineage) -> dict[str, Compared]:
    """What a piece gives against what is kept, by output; also of outputs that the rule has no more."""
    group, outcome = piece
    known = lineage.outputs.get((rule.id, group.key), {})
    found: dict[str, Compared] = {}
    for name in dict.fromkeys([*outcome.values, *known]):
        stream = output_stream(rule, group, name) if name in outcome.values else known[name]
        there = store.points(reader, stream, outcome.low, outcome.high + 1)
        given = kept_values(rule, name, outcome.times, outcome.values[name]) if name in outcome.values else []
        found[name] = Compared(stream, dict(zip(there.times, there.results, strict=True)), dict(given))
    return found


def _left(lineage: Lineage, rule: Rule) -> dict[str, Group]:
    """The groups of which there are values of the rule, as if they read nothing."""
    return {
        key: Group(key=key, thing=lineage.thing(rule.id, key), inputs={})
        for of, key in lineage.outputs
        if of == rule.id
    }


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
    beside: Callable[[Receipt], None] = lambda _: None,
) -> Receipt:
    """Work out the past of a rule anew and swap it in: all of it, or nothing. ``tell`` hears of the values so far;
    ``beside`` is called in the transaction of the swap, with what becomes of them.

    Its readings come from ``rerun/ID``, so that nobody is alarmed by them. The rules that read this one follow by the
    change log. The worker may run meanwhile; it has to work by the same rule.
    """
    if rule.profile.suppress is not None:
        _check_untold(store, reader, rule, low, high)
    begun = store.cursor(FOLLOWER)
    if begun is None:
        begun = store.newest_change()
        store.set_cursor(FOLLOWER, begun)
    done = store.cursor(time_of(rule.id))
    if rule.grid is not None:
        high = min(high, rule.grid.floor(clock()) if done is None else done)
    store.set_cursor(HOLD, begun)
    try:
        with TemporaryFile() as file:
            spool = _Spool(file)
            same = spool.fill(
                _others(store, reader, rule, work_out(store, reader, rule, low, high, limits, most=most), tell)
            )

            def swap() -> Receipt:
                receipt = _swap(store, reader, rule, spool.pieces(), begun, done, clock())
                receipt.repeated += same
                beside(receipt)
                return receipt

            return store.together(swap)
    finally:
        store.set_cursor(HOLD, NOBODY)


def _check_untold(store: Store, reader: Reader, rule: Rule, low: int, high: int) -> None:
    """Raise InvalidInput where counts of people were told in a span: another telling would tell of the difference."""
    for (of, _), streams in read_lineage(store, reader).outputs.items():
        for stream in streams.values() if of == rule.id else ():
            if store.points(reader, stream, low, high).times:
                raise InvalidInput(f"{rule.id}: counts of people were told in this span already, and stay as they are")


def _others(
    store: Store, reader: Reader, rule: Rule, pieces: Iterable[Piece], tell: Callable[[int], None]
) -> Iterator[Piece | int]:
    """What is other than what is kept, in pieces for one transaction, and how many values were the same in the rest.
    The first of each group is among it, so that its streams say by which version they are from now on."""
    lineage = read_lineage(store, reader)
    begun: set[str] = set()
    total = 0
    for group, outcome in pieces:
        total += outcome.size
        for part in divided(outcome):
            found = compare(store, reader, rule, Piece(group, part), lineage).values()
            given = sum(len(one.given) for one in found)
            if any(one.kept != one.given for one in found) or (given and group.key not in begun):
                begun.add(group.key)
                yield Piece(group, part)
            else:
                yield given
        tell(total)


class _Spool:
    """Pieces in a file, in their order."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._groups: dict[str, Group] = {}

    def fill(self, pieces: Iterable[Piece | int]) -> int:
        """Write them down; gives the sum of the numbers among them."""
        same = 0
        for piece in pieces:
            if isinstance(piece, int):
                same += piece
                continue
            group, outcome = piece
            self._groups[group.key] = group
            body = _encoder.encode((group.key, outcome.low, outcome.high, outcome.times, outcome.values))
            self._file.write(len(body).to_bytes(8))
            self._file.write(body)
        return same

    def pieces(self) -> Iterator[Piece]:
        """All of them, from the first on."""
        self._file.seek(0)
        while head := self._file.read(8):
            key, low, high, times, values = _decoder.decode(self._file.read(int.from_bytes(head)))
            yield Piece(self._groups[key], Outcome(low, high, times, values, {}))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[str, int, int, list[int], dict[str, list[Scalar]]])


def _swap(
    store: Store, reader: Reader, rule: Rule, pieces: Iterable[Piece], begun: int, done: int | None, now: int
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
