"""What an alert would have done over a past: the same looks and the same states, over what is kept of it now."""

import time
from typing import Any, NamedTuple

from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.policy import Reader
from allmende.domain.rules import micros
from allmende.domain.store import Store
from allmende.domain.times import DAY, MINUTE
from allmende.knowledge.alerts.look import Looker
from allmende.knowledge.alerts.prepare import Alert
from allmende.knowledge.alerts.state import State, advance
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.groups import find_groups

_STEP = 10 * MINUTE
"""How often the clock alone is looked at: silence is found as late as that."""


class Foreseen(NamedTuple):
    """One that would have been raised. ``over`` None: it would last."""

    key: str
    since: int
    raised: int
    over: int | None
    values: dict[str, Any]


def foresee(
    store: Store, reader: Reader, alert: Alert, span: tuple[int, int], limits: Limits, *, seconds: float
) -> list[Foreseen]:
    """What would have been raised in a span, the newest first, as if the house had listened all the while.

    Raises InvalidInput for an alert over forecasts, since what was forecast then is not what is known of it now, and
    LimitExceeded for what takes longer than ``seconds``.
    """
    if alert.foresees:
        raise InvalidInput("an alert over forecasts cannot be tried out on the past: later forecasts took their place")
    until = time.monotonic() + seconds
    looker = Looker(store, reader, limits, alert.rule.zone)
    found: list[Foreseen] = []
    for key, group in find_groups(store, reader, alert.rule).groups.items():
        state = State()
        open_: Foreseen | None = None
        low, end = span
        while low <= end:
            if time.monotonic() > until:
                raise LimitExceeded("this takes too long; take a shorter span", setting="ALLMENDE_ALERT_PAST_DAYS")
            high = min(low + DAY - 1, end)
            steps = range(low, high + 1, _STEP) if alert.timed or micros(alert.profile.raise_after) else ()
            for seen in looker.look(alert, group, low, high, {}, low - DAY * 365, beside=steps):
                state, move = advance(state, alert.terms, seen.sight)
                if move is None:
                    continue
                if move.kind == "raised":
                    open_ = Foreseen(key, move.since, move.at, None, seen.values)
                elif open_ is not None:
                    found.append(open_._replace(over=move.at))
                    open_ = None
            low = high + 1
        if open_ is not None:
            found.append(open_)
    return sorted(found, key=lambda each: -each.raised)
