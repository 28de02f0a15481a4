"""Correlation against plain Python, its interval against what chance gives, and the shift that was put in."""

import math
from statistics import correlation

import numpy as np
import pytest

from allmende.domain.errors import InvalidInput
from allmende.domain.times import HOUR
from allmende.knowledge.analyses.calendar import starts_between
from allmende.knowledge.analyses.correlation import correlate
from allmende.knowledge.analyses.values import Basis, Values, read_values
from tests.knowledge.analyses.data import ZONE, at, keep, span, weather
from tests.support import DATASETS, HOUSE, sqlite_store


def made(numbers) -> Values:
    days = span("2025-01-01", "2025-01-01").moved(-(-len(numbers) // 24) - 1)
    starts = starts_between(span("2025-01-01", "2025-01-01").first, days.last, HOUR, "UTC")
    listed = [None if math.isnan(each) else float(each) for each in numbers] + [None] * (len(starts) - len(numbers))
    basis = Basis(span=days, width=HOUR)
    return Values(stream=None, zone="UTC", starts=starts, values=listed, readings=[1] * len(starts), basis=basis)


def ranks(values: list[float]) -> list[float]:
    """Mean ranks, by counting."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]


def test_warm_hours_are_dry_hours(tmp_path) -> None:
    store = sqlite_store(tmp_path)
    store.put_datasets(DATASETS)
    within = range(at("2023-06-01"), at("2023-07-01"), HOUR)
    warm = {m: v for m, v in weather("Temperature").items() if m in within}
    damp = {m: v for m, v in weather("Humidity").items() if m in within and m % (5 * HOUR)}
    streams = [keep(store, "sky~t", warm), keep(store, "sky~h", damp)]
    first, second = (read_values(store, HOUSE, each, span("2023-06-01", "2023-06-30"), HOUR, ZONE) for each in streams)
    found = correlate(first, second, shifts=24)
    pairs = [(warm[m], damp[m]) for m in sorted(warm.keys() & damp.keys())]
    x, y = [list(each) for each in zip(*pairs, strict=True)]
    assert found.pairs == len(pairs) == len(found.points)
    assert found.pearson.value == pytest.approx(correlation(x, y))
    assert found.spearman.value == pytest.approx(correlation(ranks(x), ranks(y)))
    assert found.pearson.low < found.pearson.value < found.pearson.high < -0.1
    assert found.pearson.effective < len(pairs) / 4, "neighbouring hours are alike"
    later = {m + 3 * HOUR: v for m, v in warm.items()}
    lagged = next(lag for lag in found.lags if lag.shift == 3)
    both = sorted(later.keys() & damp.keys())
    assert lagged.value == pytest.approx(correlation([later[m] for m in both], [damp[m] for m in both]))
    assert lagged.pairs == len(both)


def test_the_shift_that_was_put_in_is_found_over_gaps() -> None:
    chance = np.random.default_rng(3)
    x = chance.normal(size=600)
    y = np.roll(x, 5) + chance.normal(scale=0.5, size=600)
    y[100:160] = np.nan
    found = correlate(made(x), made(y), shifts=12)
    assert found.best.shift == 5
    assert abs(found.pearson.value) < 0.2 < 0.8 < found.best.value


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_the_interval_holds_what_it_promises(memory: float) -> None:
    """Two series that have nothing to do with each other: 0 lies within in about 95 of 100 cases."""
    chance = np.random.default_rng(11)
    held = 0
    for _ in range(100):
        noise = chance.normal(size=(2, 400))
        for n in range(1, 400):
            noise[:, n] += memory * noise[:, n - 1]
        found = correlate(made(noise[0]), made(noise[1])).pearson
        held += found.low is not None and found.low <= 0 <= found.high
    assert held >= 88


def test_many_pairs_are_counted_in_a_grid() -> None:
    chance = np.random.default_rng(1)
    x, y = chance.normal(size=(2, 3_000))
    found = correlate(made(x), made(y))
    assert found.points == ()
    assert sum(each.pairs for each in found.bins) == 3_000
    dense = max(found.bins, key=lambda each: each.pairs)
    inside = sum(
        1 for a, b in zip(x, y, strict=True) if 0 <= a - dense.x < dense.wide and 0 <= b - dense.y < dense.high
    )
    assert inside == pytest.approx(dense.pairs, abs=1)


def test_too_few_pairs_and_what_never_changes_have_no_coefficient() -> None:
    few = correlate(made([1.0, 2.0, 3.0]), made([3.0, 2.0, 1.0]), shifts=2)
    assert (few.few, few.pearson, few.spearman, few.lags, few.best) == (True, None, None, (), None)
    flat = correlate(made([1.0] * 50), made(list(range(50))), shifts=2)
    assert (flat.few, flat.pearson, flat.lags) == (False, None, ())
    same = correlate(made(list(range(50))), made(list(range(50)))).pearson
    assert (same.value, same.low) == (pytest.approx(1), None)
    with pytest.raises(InvalidInput):
        correlate(made([1.0] * 50), made([1.0] * 24))
