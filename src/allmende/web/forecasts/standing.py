"""What is remembered of each stream of a forecast between two runs."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec
from django.db.models import Sum

from allmende.domain.errors import InvalidInput
from allmende.knowledge.forecasts.drift import Change, Usual, find_change
from allmende.knowledge.forecasts.hits import ENOUGH, HitRate, Tally, rate
from allmende.knowledge.forecasts.model import Model
from allmende.knowledge.forecasts.run import Line
from allmende.web.forecasts.models import Score, State

LATELY_DAYS = 28
"""What the hit rate is of."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the last run said of a stream."""

    candidate: str
    reference: str
    reason: str
    """Why another candidate spoke than the chosen one; "" as a rule."""
    shown: bool
    judged: int
    """Values of the back-test."""
    error: float
    """Of the back-test, mean absolute."""
    skill: float
    held: float
    run: int = 0
    share: float = 0.0
    """What the interval is made to hold, so that it holds what was asked for; 0: just that."""
    changed: str = ""
    """Since which day it errs more than it did in the back-test; "" as a rule."""
    times: float = 0.0
    """How many times as much."""


def standing_of(
    model: Model, line: Line, hits: HitRate, run: int, share: float, change: Change | None = None
) -> Standing:
    """What is to be remembered. A forecast is shown where it beats its reference: by its hits once there are enough of
    them, until then by the back-test."""
    choice = model.said.choices[line.stream]
    skill = choice.skill(line.candidate)
    return Standing(
        candidate=line.candidate,
        reference=line.reference,
        reason=line.reason,
        shown=hits.shown if hits.enough else skill > 0,
        judged=choice.judged,
        error=choice.scores[line.candidate].error,
        skill=skill,
        held=choice.scores[line.candidate].held,
        run=run,
        share=share,
        changed=change.since.isoformat() if change else "",
        times=change.times if change else 0.0,
    )


def standings(state: State) -> dict[str, Standing]:
    """Those of a state, by stream; what an older version wrote otherwise is left out."""
    found = {}
    for stream, said in state.lines.items():
        try:
            found[stream] = msgspec.convert(said, Standing)
        except msgspec.ValidationError:
            continue
    return found


def changes_of(forecast: str, model: Model, today: date) -> dict[str, Change]:
    """By stream since when it errs more than in the back-test, of those that do. The day that is not over is left out:
    its nights are easy."""
    rows = Score.objects.filter(forecast=forecast, day__gt=today - timedelta(days=LATELY_DAYS), day__lt=today)
    days: dict[str, list[tuple[date, float]]] = {}
    for row in rows.values("stream", "day").annotate(n=Sum("count"), e=Sum("error")).order_by("stream", "day"):
        if row["n"] >= ENOUGH:
            days.setdefault(row["stream"], []).append((row["day"], row["e"] / row["n"]))
    found = {}
    for stream, errors in days.items():
        choice = model.said.choices.get(stream)
        change = find_change(Usual(*choice.day), errors) if choice is not None and choice.day else None
        if change is not None:
            found[stream] = change
    return found


def hit_rates(forecast: str, today: date, streams: Iterable[str] | None = None) -> dict[str, HitRate]:
    """By stream the hits of the last weeks."""
    rows = Score.objects.filter(forecast=forecast, day__gt=today - timedelta(days=LATELY_DAYS))
    if streams is not None:
        rows = rows.filter(stream__in=list(streams))
    sums = rows.values("stream").annotate(n=Sum("count"), e=Sum("error"), r=Sum("reference"), h=Sum("held"))
    return {
        row["stream"]: rate([Tally(count=row["n"], error=row["e"], reference=row["r"], held=row["h"])]) for row in sums
    }


def hit_rates_by_part(forecast: str, stream: str, today: date) -> list[HitRate]:
    """Of one stream: near, middle, far."""
    rows = Score.objects.filter(forecast=forecast, stream=stream, day__gt=today - timedelta(days=LATELY_DAYS))
    found: dict[int, list[Tally]] = {0: [], 1: [], 2: []}
    for row in rows:
        if row.part not in found:
            raise InvalidInput(f"{row.part} is no part of a forecast")
        found[row.part].append(Tally(count=row.count, error=row.error, reference=row.reference, held=row.held))
    return [rate(found[part]) for part in sorted(found)]


def plain(found: Mapping[str, Standing]) -> dict[str, object]:
    """As JSON holds it."""
    return {stream: msgspec.to_builtins(one) for stream, one in found.items()}
