"""The typical week and the heat maps, held against plain Python on real data and on the days of clock change."""

from statistics import fmean, median

import pytest

from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE, to_datetime
from allmende.knowledge.analyses.calendar import public_holidays
from allmende.knowledge.analyses.heat import SHADES, days_by_month, hours_by_day
from allmende.knowledge.analyses.values import read_values
from allmende.knowledge.analyses.week import typical_week
from tests.knowledge.analyses.data import BERLIN, ZONE, at, bicycles, keep, span, weather
from tests.support import DATASETS, HOUSE, sqlite_store


@pytest.fixture
def store(tmp_path) -> Store:
    made = sqlite_store(tmp_path)
    made.put_datasets(DATASETS)
    return made


def tenth(values: list[float], share: float) -> float:
    """Between the two nearest in rank, by hand."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def test_a_typical_week_of_bicycles_without_holidays(store) -> None:
    counted = [(moment.replace(tzinfo=BERLIN), count) for moment, count in bicycles("100034983", (4, 5))]
    stream = keep(store, "road~bicycles", [(int(m.timestamp()) * 1_000_000, n) for m, n in counted])
    wanted = span("2025-04-01", "2025-05-31")
    holidays = public_holidays("DE", "NW", *wanted)
    assert [day.isoformat() for day in holidays] == ["2025-04-18", "2025-04-21", "2025-05-01", "2025-05-29"]
    values = read_values(store, HOUSE, stream, wanted, HOUR, ZONE, take="sum")
    week = typical_week(values, holidays)
    by_slot: dict[tuple[int, int], dict[str, list[int]]] = {}
    for moment, count in counted:
        if moment.date() not in holidays:
            by_slot.setdefault((moment.weekday(), moment.hour), {}).setdefault(str(moment.date()), []).append(count)
    assert len(week.slots) == 168
    for slot in week.slots:
        quarters = by_slot[slot.weekday, slot.clock // HOUR].values()
        sums = [float(sum(each)) for each in quarters if len(each) == 4]
        assert slot.weeks == len(sums)
        assert (slot.mean, slot.median) == pytest.approx((fmean(sums), median(sums)))
        assert (slot.low, slot.high) == pytest.approx((tenth(sums, 0.1), tenth(sums, 0.9)))
    assert week.left_out == tuple(holidays)
    assert week.basis.buckets == (61 - 4) * 24
    assert week.basis.missing == 48, "Münster's files lack the last day of a month; what was left out is no gap"
    with_them = typical_week(values)
    friday = next(slot for slot in with_them.slots if (slot.weekday, slot.clock) == (4, 8 * HOUR))
    assert friday.weeks == next(s for s in week.slots if (s.weekday, s.clock) == (4, 8 * HOUR)).weeks + 1


def test_too_few_weeks_are_counted(store) -> None:
    stream = keep(
        store, "sky~t", {m: v for m, v in weather("Temperature").items() if at("2023-01-02") <= m < at("2023-01-23")}
    )
    week = typical_week(read_values(store, HOUSE, stream, span("2023-01-02", "2023-01-22"), 30 * MINUTE, ZONE))
    assert len(week.slots) == 336
    assert week.thin == 336, "three weeks are too few, and half of the slots have no value at all"
    assert week.slots[1].mean is None


def test_the_days_of_clock_change_have_the_hours_that_they_have(store) -> None:
    readings = {m: v for m, v in weather("Temperature").items() if at("2023-03-25") <= m < at("2023-10-31")}
    stream = keep(store, "sky~t", readings)
    spring = hours_by_day(read_values(store, HOUSE, stream, span("2023-03-25", "2023-03-27"), HOUR, ZONE))
    assert [[cell.exists for cell in row] for row in spring.rows[1:4]] == [[True] * 3, [True, False, True], [True] * 3]
    assert spring.rows[2][1].values == ()
    assert spring.basis.missing == 0, "an hour that there never was is no gap"
    autumn = hours_by_day(read_values(store, HOUSE, stream, span("2023-10-28", "2023-10-30"), HOUR, ZONE))
    twice = autumn.rows[2][1]
    assert twice.values == (readings[at("2023-10-29 02:00")], readings[at("2023-10-29 02:00") + HOUR])
    assert len(autumn.rows[3][1].values) == 1
    assert autumn.rows[3][1].values[0] == readings[at("2023-10-29 03:00")]


def test_days_of_months_are_means_of_whole_days(store) -> None:
    readings = {m: v for m, v in weather("Temperature").items() if at("2024-02-01") <= m < at("2024-04-01")}
    stream = keep(store, "sky~t", readings)
    heat = days_by_month(read_values(store, HOUSE, stream, span("2024-02-10", "2024-03-31"), DAY, ZONE))
    assert heat.labels == ("2024-02", "2024-03")
    assert [cell.exists for cell in heat.rows[0][28:]] == [True, False, False], "2024 is a leap year"
    last = [v for m, v in readings.items() if to_datetime(m).astimezone(BERLIN).date().isoformat() == "2024-03-31"]
    assert len(last) == 23
    assert heat.rows[1][30].mean == pytest.approx(fmean(last))
    assert not heat.rows[0][8].exists, "before the span there is no gap"
    assert heat.rows[0][9].exists
    shades = {heat.shade(value) for row in heat.rows for cell in row for value in cell.values}
    assert min(shades) == 0
    assert max(shades) == SHADES - 1


def test_a_stream_that_never_changes_has_the_middle_shade(store) -> None:
    stream = keep(store, "a~level", {at("2025-05-05") + n * HOUR: 3 for n in range(48)})
    heat = hours_by_day(read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-06"), HOUR, ZONE))
    assert heat.shade(3) == SHADES // 2
    empty = hours_by_day(read_values(store, HOUSE, stream, span("2020-05-05", "2020-05-06"), HOUR, ZONE))
    assert (empty.low, empty.high, empty.basis.filled) == (None, None, 0)
