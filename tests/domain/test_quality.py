"""Quality is what was counted against what was promised, and nothing where nothing was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.contract import Contract
from allmende.domain.figures import Tally
from allmende.domain.quality import Quality, measure, span_of
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND

NOW = 20_400 * DAY + 5 * HOUR
START, END = span_of(NOW, 7)
HOURLY = Contract(interval="PT1H")


def tally(stream: str = "a", **told: int | None) -> Tally:
    values = {"count": 168, "flagged": 0, "first": START - DAY, "newest": NOW - MINUTE, "delay": 5 * SECOND, **told}
    return Tally(dataset="d", stream=stream, source="s", **values)  # type: ignore[arg-type]


def quality(*tallies: Tally, contract: Contract | None = HOURLY) -> Quality:
    contracts = {} if contract is None else {"s": contract}
    return measure(tallies, contracts, now=NOW, start=START, end=END)["d"]


def test_a_span_is_of_whole_days() -> None:
    assert (START % DAY, END - START, END <= NOW) == (0, 7 * DAY, True)


@pytest.mark.parametrize(
    ("tallies", "completeness", "expected"),
    [
        ([tally()], 1.0, 168),
        ([tally(count=84)], 0.5, 168),
        ([tally(count=84, first=END - 84 * HOUR)], 1.0, 84),
        ([tally(count=400), tally("b", count=0)], 0.5, 336),
        ([tally(first=END + HOUR)], None, None),
    ],
)
def test_completeness_is_of_what_each_stream_promised(
    tallies: list[Tally], completeness: float | None, expected: int | None
) -> None:
    found = quality(*tallies)
    assert (found.completeness, found.expected) == (completeness, expected)


def test_a_source_that_counts_all_together_is_counted_so() -> None:
    found = quality(tally(count=300), tally("b", count=50), contract=Contract(interval="never", per_day=100))
    assert (found.completeness, found.expected) == (0.5, 700)


@pytest.mark.parametrize("contract", [None, Contract(), Contract(interval="never", per_day=0)])
def test_what_nobody_promised_is_not_measured(contract: Contract | None) -> None:
    found = quality(tally(), contract=contract)
    assert (found.completeness, found.timeliness, found.expected) == (None, None, None)
    assert found.plausibility == 1.0


def test_what_the_house_forecasts_is_not_measured() -> None:
    own = Tally(
        dataset="d", stream="a~forecast", source="forecast/a", count=9_000, flagged=0, first=START, newest=NOW + HOUR,
        delay=-HOUR,
    )  # fmt: skip
    assert quality(tally(), own) == quality(tally())


def test_timeliness_is_by_the_age_of_the_newest_reading() -> None:
    found = quality(tally(), tally("b", newest=NOW - 4 * HOUR), tally("c", newest=NOW - 3 * HOUR))
    assert (found.timeliness, found.on_time, found.judged) == (2 / 3, 2, 3)
    assert found.delay == 5.0


def test_plausibility_is_of_what_came() -> None:
    assert quality(tally(count=8, flagged=2)).plausibility == 0.75
    assert quality(tally(count=0)).plausibility is None


@given(
    st.lists(
        st.builds(
            tally, st.text(max_size=2), count=st.integers(0, 10**6), first=st.integers(0, NOW + DAY),
            newest=st.integers(0, NOW + DAY), delay=st.none() | st.integers(-DAY, DAY),
        ),
        min_size=1, max_size=5,
    ),
    st.sampled_from([HOURLY, Contract(per_day=10), Contract(interval="PT0.5S"), Contract(interval="never")]),
)  # fmt: skip
def test_shares_are_shares(tallies: list[Tally], contract: Contract) -> None:
    found = quality(*tallies, contract=contract)
    for share in (found.completeness, found.timeliness, found.plausibility):
        assert share is None or 0 <= share <= 1
