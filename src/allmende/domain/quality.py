"""Measures of quality: computed from what came, never claimed.

- completeness: readings that came, of those that the contracts of the sources expect, over whole days;
- timeliness: streams whose newest reading is no older than the contract lets it be;
- plausibility: readings that no check flagged.

Each is a share from 0 to 1, or None where nothing was promised or nothing came: what cannot be measured is not said.
"""

from collections.abc import Iterable, Mapping

import msgspec

from allmende.domain.contract import Contract
from allmende.domain.figures import Tally
from allmende.domain.forecasts import ORIGIN
from allmende.domain.times import DAY, SECOND


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one dataset, with the numbers that it is made of. Times in microseconds."""

    measured_at: int
    start: int
    end: int
    """The span of the counts, whole days of UTC; timeliness is of ``measured_at``."""
    streams: int = 0
    counted: int = 0
    expected: int | None = None
    flagged: int = 0
    judged: int = 0
    """Streams whose source says how old a reading may be."""
    on_time: int = 0
    delay: float | None = None
    """Seconds from a reading's time to its receipt, the median of the newest readings."""
    completeness: float | None = None
    timeliness: float | None = None
    plausibility: float | None = None


def span_of(now: int, days: int) -> tuple[int, int]:
    """The last whole days of UTC before ``now``."""
    end = now - now % DAY
    return end - days * DAY, end


def measure(
    tallies: Iterable[Tally], contracts: Mapping[str, Contract], *, now: int, start: int, end: int
) -> dict[str, Quality]:
    """The quality of each dataset that has a stream; ``contracts`` by source. What the house itself forecasts says
    nothing of how good the data are."""
    by_dataset: dict[str, list[Tally]] = {}
    for tally in tallies:
        if tally.source.startswith(ORIGIN):
            continue
        by_dataset.setdefault(tally.dataset, []).append(tally)
    return {name: _measure(own, contracts, now, start, end) for name, own in by_dataset.items()}


def _measure(tallies: list[Tally], contracts: Mapping[str, Contract], now: int, start: int, end: int) -> Quality:
    counted, flagged = sum(tally.count for tally in tallies), sum(tally.flagged for tally in tallies)
    got, expected = _completeness(tallies, contracts, start, end)
    limits = [(tally, _limit(contracts.get(tally.source))) for tally in tallies]
    judged = [(tally, limit) for tally, limit in limits if limit is not None]
    on_time = sum(now - tally.newest <= limit for tally, limit in judged)
    delays = sorted(tally.delay for tally in tallies if tally.delay is not None)
    return Quality(
        measured_at=now,
        start=start,
        end=end,
        streams=len(tallies),
        counted=counted,
        expected=round(expected) if expected else None,
        flagged=flagged,
        judged=len(judged),
        on_time=on_time,
        delay=delays[len(delays) // 2] / SECOND if delays else None,
        completeness=got / expected if expected else None,
        timeliness=on_time / len(judged) if judged else None,
        plausibility=1 - flagged / counted if counted else None,
    )


def _limit(contract: Contract | None) -> int | None:
    return None if contract is None else contract.micros("late_after")


def _completeness(tallies: list[Tally], contracts: Mapping[str, Contract], start: int, end: int) -> tuple[float, float]:
    """Readings that came and were expected. More than expected of one does not make up for what another lacks."""
    got = expected = 0.0
    for source in {tally.source for tally in tallies}:
        contract = contracts.get(source)
        if contract is None:
            continue
        own = [tally for tally in tallies if tally.source == source]
        if contract.per_day:
            # before the first reading of all nothing was promised
            length = end - max(start, min(tally.first for tally in own))
            wanted = max(0.0, contract.per_day * length / DAY)
            got, expected = got + min(wanted, sum(tally.count for tally in own)), expected + wanted
            continue
        interval = contract.micros("interval")
        if not interval:
            continue
        for tally in own:
            wanted = max(0.0, (end - max(start, tally.first)) / interval)
            got, expected = got + min(wanted, tally.count), expected + wanted
    return got, expected
