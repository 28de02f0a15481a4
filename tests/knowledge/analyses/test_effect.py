"""Before and after: an effect that was put in comes out, and the same by hand."""

from datetime import date, timedelta
from statistics import fmean

import numpy as np
import pytest

from allmende.domain.errors import InvalidInput
from allmende.domain.times import HOUR, to_datetime
from allmende.knowledge.analyses.calendar import starts_between
from allmende.knowledge.analyses.effect import Control, Event, before_and_after, check
from allmende.knowledge.analyses.resampling import difference
from tests.knowledge.analyses.data import BERLIN, ZONE, at, keep, span, weather
from tests.support import DATASETS, HOUSE, sqlite_store

EVENT = Event(first=date(2025, 6, 2), weeks=4, draws=500)


@pytest.fixture
def store(tmp_path):
    made = sqlite_store(tmp_path)
    made.put_datasets(DATASETS)
    return made


def town(
    store,
    name: str,
    *,
    raised: float = 0.0,
    common: float = 0.0,
    size: float = 100.0,
    seed: int = 1,
    shift: int = 0,
    unit="1",
):
    """A stream with a rhythm of its week, ``raised`` from 2 June 2025 on, and ``common`` from then on like others."""
    chance = np.random.default_rng(seed)
    begin = at("2025-06-02 00:00") + shift * 24 * HOUR
    starts = starts_between(
        date(2025, 5, 1) + timedelta(days=shift), date(2025, 7, 6) + timedelta(days=shift), HOUR, ZONE
    )
    readings = {}
    for start in starts:
        shown = to_datetime(start).astimezone(BERLIN)
        usual = size * (1 + (shown.weekday() < 5) * 0.5 + (8 <= shown.hour < 18) * 0.8)
        readings[start] = usual + (start >= begin) * (raised + common) + float(chance.normal(scale=size / 20))
    return keep(store, f"{name}~count", readings, unit=unit)


def test_an_effect_that_was_put_in_comes_out(store) -> None:
    stream = town(store, "here", raised=12)
    change = before_and_after(store, HOUSE, stream, EVENT, zone=ZONE).changes[0]
    assert (change.part, change.days) == ("after", 28)
    assert change.difference.value == pytest.approx(12, abs=1.5)
    assert change.difference.low < 12 < change.difference.high
    assert change.difference.clear
    assert change.mean - change.expected == pytest.approx(change.difference.value, abs=1e-6)
    quiet = before_and_after(store, HOUSE, town(store, "quiet", seed=4), EVENT, zone=ZONE).changes[0]
    assert not quiet.difference.clear


def test_the_same_hours_of_the_same_weekdays_by_hand(store) -> None:
    readings = {m: v for m, v in weather("Temperature").items() if at("2023-05-01") <= m < at("2023-07-31")}
    stream = keep(store, "sky~t", readings)
    event = Event(
        first=date(2023, 6, 7), last=date(2023, 6, 10), weeks=3, weekdays=frozenset({2, 3, 4}), hours=(8, 18), draws=100
    )
    effect = before_and_after(store, HOUSE, stream, event, zone=ZONE)
    slots: dict[tuple[int, int], list[float]] = {}
    days: dict[date, list[tuple[tuple[int, int], float]]] = {}
    for moment, value in readings.items():
        shown = to_datetime(moment).astimezone(BERLIN)
        if shown.weekday() in event.weekdays and 8 <= shown.hour < 18:
            days.setdefault(shown.date(), []).append(((shown.weekday(), shown.hour), value))
            if date(2023, 5, 17) <= shown.date() < date(2023, 6, 7):
                slots.setdefault((shown.weekday(), shown.hour), []).append(value)
    means = {slot: fmean(each) for slot, each in slots.items()}
    for change, first, last in zip(
        effect.changes, (date(2023, 6, 7), date(2023, 6, 11)), (date(2023, 6, 10), date(2023, 7, 1)), strict=True
    ):
        above = [fmean(v - means[slot] for slot, v in found) for day, found in days.items() if first <= day <= last]
        assert change.days == len(above)
        assert change.difference.value == pytest.approx(fmean(above))
    assert [change.part for change in effect.changes] == ["during", "after"]
    assert effect.changes[0].difference.low is None, "nine days before are too few to say how sure it is"
    assert effect.profile["before"][7] is None
    assert effect.profile["before"][8] == pytest.approx(
        fmean(v for (_, hour), each in slots.items() if hour == 8 for v in each)
    )


def test_what_happened_elsewhere_as_well_is_taken_off(store) -> None:
    stream, other = town(store, "here", raised=12, common=20), town(store, "there", common=20, seed=9)
    change = before_and_after(store, HOUSE, stream, EVENT, zone=ZONE, controls=[Control(other)]).changes[0]
    assert change.difference.value == pytest.approx(32, abs=2)
    assert change.compared[0].difference.value == pytest.approx(20, abs=2)
    assert change.net.value == pytest.approx(12, abs=2)
    assert change.net.low < 12 < change.net.high
    assert change.net_days == 28


def test_streams_of_other_size_and_unit_are_compared_in_percent(store) -> None:
    # both a fifth more than before; here another tenth
    stream, other = (
        town(store, "here", raised=17.1, common=34.2),
        town(store, "there", common=342, size=1_000, seed=9, unit="km/h"),
    )
    with pytest.raises(InvalidInput, match="in percent"):
        before_and_after(store, HOUSE, stream, EVENT, zone=ZONE, controls=[Control(other)])
    event = Event(first=EVENT.first, percent=True, draws=200)
    change = before_and_after(store, HOUSE, stream, event, zone=ZONE, controls=[Control(other)]).changes[0]
    rise, common = change.difference.value, change.compared[0].difference.value
    assert change.net.value == pytest.approx(rise - common)
    assert change.net.value == pytest.approx(100 * 17.1 / change.expected, abs=2)


def test_another_year_is_a_control_of_the_same_weekdays(store) -> None:
    shift = EVENT.year_ago(1)
    assert shift == -364
    stream = town(store, "here", raised=12, common=7)
    town(store, "here", common=7, seed=5, shift=shift)
    change = before_and_after(store, HOUSE, stream, EVENT, zone=ZONE, controls=[Control(stream, shift)]).changes[0]
    assert change.compared[0].difference.value == pytest.approx(7, abs=1.5)
    assert change.net.value == pytest.approx(12, abs=2)
    assert change.compared[0].basis.span == span("2024-05-06", "2024-06-30")


def test_holidays_take_no_part_and_gaps_are_told(store) -> None:
    stream = town(store, "here", raised=12)
    whit = date(2025, 6, 9)
    effect = before_and_after(store, HOUSE, stream, EVENT, zone=ZONE, leave_out=[whit])
    assert effect.changes[0].days == 27
    assert effect.left_out == (whit,)
    late = Event(first=date(2025, 7, 5), draws=100)
    effect = before_and_after(store, HOUSE, stream, late, zone=ZONE)
    assert (effect.changes[0].days, effect.basis.missing) == (2, 26 * 24)
    nothing = before_and_after(store, HOUSE, stream, Event(first=date(2020, 1, 6)), zone=ZONE).changes[0]
    assert (nothing.days, nothing.mean, nothing.difference, nothing.net) == (0, None, None, None)


def test_the_interval_holds_what_it_promises() -> None:
    """Days that remember each other, and nothing that happened: 0 lies within in about 9 of 10 cases."""
    chance = np.random.default_rng(5)
    held = 0
    for _ in range(120):
        days = chance.normal(size=84)
        for n in range(1, 84):
            days[n] += 0.4 * days[n - 1]
        found = difference(list(days[:56]), list(days[56:] - days[:56].mean()), draws=300, seed=1)
        held += found.low <= 0 <= found.high
    assert held >= 104
    one_day = difference([0.0, 1.0, -1.0] * 7, [9.0], draws=200, seed=1)
    assert one_day.clear, "a single day is held against how days vary"
    assert one_day == difference([0.0, 1.0, -1.0] * 7, [9.0], draws=200, seed=1)
    assert difference([1.0] * 5, [2.0], draws=100, seed=1).low is None


@pytest.mark.parametrize(
    ("event", "where"),
    [
        (Event(first=date(2025, 1, 1), hours=(9, 9)), "hours"),
        (Event(first=date(2025, 1, 1), weekdays=frozenset()), "weekdays"),
        (Event(first=date(2025, 1, 1), weeks=1), "weeks"),
        (Event(first=date(2025, 1, 2), last=date(2025, 1, 1)), "last"),
    ],
)
def test_what_makes_no_sense_is_told(event, where) -> None:
    with pytest.raises(InvalidInput) as told:
        check(event)
    assert told.value.where == where
