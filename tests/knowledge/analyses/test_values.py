"""What analyses begin with, held against plain Python on real data."""

from datetime import UTC, datetime, timedelta

import pytest

from allmende.domain.errors import InvalidInput, LimitExceeded, NotFound
from allmende.domain.policy import ANONYMOUS
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE, to_datetime
from allmende.knowledge.analyses.calendar import public_holidays, slots, starts_between
from allmende.knowledge.analyses.values import Gap, Limits, find_stream, read_values
from tests.knowledge.analyses.data import BERLIN, ZONE, at, bicycles, car_park, keep, span, weather
from tests.storage.conftest import store as store
from tests.support import HOUSE


def test_means_and_days_of_the_wall_are_those_of_plain_python(store: Store) -> None:
    readings = {
        moment: value
        for moment, value in weather("Temperature").items()
        if at("2023-03-20") <= moment < at("2023-04-03")
    }
    stream = keep(store, "sky~t", readings, unit="Cel")
    found = read_values(store, HOUSE, stream, span("2023-03-20", "2023-04-02"), DAY, ZONE)
    days: dict[str, list[float]] = {}
    for moment, value in readings.items():
        days.setdefault(to_datetime(moment).astimezone(BERLIN).date().isoformat(), []).append(value)
    assert [len(each) for each in days.values()] == [24] * 6 + [23] + [24] * 7, "the clock was put forward"
    assert found.values == pytest.approx([sum(each) / len(each) for each in days.values()])
    assert (found.basis.values, found.basis.filled, found.basis.missing, found.basis.gaps) == (335, 14, 0, ())
    hours = read_values(store, HOUSE, stream, span("2023-03-26", "2023-03-26"), HOUR, ZONE)
    assert len(hours.starts) == 23
    assert hours.values == list(readings.values())[6 * 24 : 6 * 24 + 23]


def test_an_outage_is_a_gap_and_what_it_cut_short_is_no_sum(store: Store) -> None:
    counted = [(moment.replace(tzinfo=BERLIN), count) for moment, count in bicycles("300037925", (4,))]
    stream = keep(store, "bridge~bicycles", [(int(m.timestamp()) * 1_000_000, n) for m, n in counted])
    last = counted[-1][0]
    assert last.month == 4, "Münster's counter fell silent in April"
    found = read_values(store, HOUSE, stream, span("2025-04-01", "2025-04-10"), HOUR, ZONE, take="sum")
    hours: dict[datetime, list[int]] = {}
    for moment, count in counted:
        hours.setdefault(moment.astimezone(UTC).replace(minute=0), []).append(count)
    expected = {hour: float(sum(each)) for hour, each in hours.items() if len(each) == 4}
    told = {to_datetime(m): v for m, v in zip(found.starts, found.values, strict=True) if v is not None}
    assert told == expected
    assert found.basis.gaps[0].end == at("2025-04-11 00:00")
    assert found.basis.gaps[0].start == int((max(expected) + timedelta(hours=1)).timestamp()) * 1_000_000
    assert found.basis.missing == len(found.starts) - len(expected)


def test_changes_alone_are_weighed_with_the_time_that_they_held(store: Store) -> None:
    recorded = [
        pair for pair in car_park("mobilitaet-jena-Eichplatz") if at("2024-01-10") <= pair[0] < at("2024-01-13")
    ]
    stream = keep(
        store, "eichplatz~free", recorded, origin="park", properties={"silence": {"day": "PT12H", "night": "PT12H"}}
    )
    found = read_values(store, HOUSE, stream, span("2024-01-11", "2024-01-11"), HOUR, ZONE)
    assert len(recorded) > 50
    for start, value in zip(found.starts, found.values, strict=True):
        held = [pair for pair in recorded if pair[0] <= start][-1:]
        held += [pair for pair in recorded if start < pair[0] < start + HOUR]
        ends = [moment for moment, _ in held[1:]] + [start + HOUR]
        total = sum(free * (end - max(moment, start)) for (moment, free), end in zip(held, ends, strict=True))
        assert value == pytest.approx(total / HOUR), to_datetime(start)
    plain = [value for moment, value in recorded if at("2024-01-11") <= moment < at("2024-01-12")]
    assert found.basis.values == len(plain)
    with pytest.raises(InvalidInput, match="no sums"):
        read_values(store, HOUSE, stream, span("2024-01-11", "2024-01-11"), HOUR, ZONE, take="sum")
    with pytest.raises(LimitExceeded, match="ALLMENDE_ANALYSIS_READINGS"):
        read_values(store, HOUSE, stream, span("2024-01-11", "2024-01-11"), HOUR, ZONE, limits=Limits(readings=5))


def test_behind_the_newest_report_of_a_change_only_feed_nothing_is_known(store: Store) -> None:
    stream = keep(
        store, "lot~free", [(at("2025-05-05 10:00"), 4), (at("2025-05-05 11:30"), 6)],
        origin="lots", properties={"silence": {"day": "PT6H"}},
    )  # fmt: skip
    found = read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-05"), HOUR, ZONE)
    assert found.values[9:13] == [None, 4.0, 4.0, None]


def test_what_is_flagged_takes_no_part_and_is_counted(store: Store) -> None:
    minutes = [at("2025-05-05 10:00") + n * 10 * MINUTE for n in range(6)]
    stream = keep(
        store,
        "a~level",
        zip(minutes, [1, 2, 900, 3, 4, "off"], strict=True),
        flags=["", "", "above-maximum", "", "", ""],
    )
    found = read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-06"), HOUR, ZONE)
    assert [value for value in found.values if value is not None] == [2.5]
    assert (found.basis.values, found.basis.flagged) == (4, 1)
    assert found.basis.gaps[0] == Gap(at("2025-05-05 11:00"), at("2025-05-07"))


def test_of_truth_values_it_is_the_share(store: Store) -> None:
    stream = keep(store, "door~open", {at("2025-05-05 10:00") + n * MINUTE: n % 4 == 0 for n in range(60)})
    found = read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-05"), HOUR, ZONE)
    assert [value for value in found.values if value is not None] == [0.25]


def test_what_may_not_be_seen_is_like_what_is_not_there(store: Store) -> None:
    keep(store, "open~level", {at("2025-05-05"): 1})
    keep(store, "secret~level", {at("2025-05-05"): 1}, dataset="hidden", origin="hidden")
    keep(store, "made~level", {at("2025-05-05"): 1}, dataset="simulated", origin="made", properties={"simulated": True})
    for identifier in ("secret~level", "nothing~level", "made~level"):
        with pytest.raises(NotFound):
            find_stream(store, ANONYMOUS, identifier)
    assert find_stream(store, ANONYMOUS, "made~level", simulated=True).simulated
    stolen = keep(store, "secret~level", {at("2025-05-05"): 1}, dataset="hidden", origin="hidden")
    found = read_values(store, ANONYMOUS, stolen, span("2025-05-05", "2025-05-05"), HOUR, ZONE)
    assert (found.basis.values, found.basis.filled) == (0, 0)


def test_bounds_are_told(store: Store) -> None:
    stream = keep(store, "a~level", {at("2025-05-05"): 1})
    with pytest.raises(LimitExceeded, match="ALLMENDE_ANALYSIS_BUCKETS"):
        read_values(store, HOUSE, stream, span("2024-01-01", "2025-12-31"), HOUR, ZONE, limits=Limits(buckets=1_000))
    with pytest.raises(InvalidInput, match="ends before"):
        read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-04"), HOUR, ZONE)
    with pytest.raises(InvalidInput, match="15, 30 or 60"):
        read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-05"), 7 * MINUTE, ZONE)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2025-10-26", 25),
        ("Asia/Kolkata", "2025-10-26", 24),
        ("Australia/Lord_Howe", "2025-10-05", 24),
    ],
)
def test_hours_begin_on_the_clock_of_any_zone(zone: str, day: str, hours: int) -> None:
    starts = starts_between(*span(day, day), HOUR, zone)
    assert len(starts) == hours
    shown = slots(starts, zone)
    assert {slot.day.isoformat() for slot in shown} == {day}
    if zone == "Asia/Kolkata":
        assert [slot.clock for slot in shown] == [hour * HOUR for hour in range(24)]


def test_a_zone_half_an_hour_off_has_hours_of_its_own(store: Store) -> None:
    kolkata = starts_between(*span("2025-05-05", "2025-05-05"), HOUR, "Asia/Kolkata")
    stream = keep(
        store, "a~level", {start + minutes * MINUTE: start // HOUR for start in kolkata for minutes in (0, 59)}
    )
    found = read_values(store, HOUSE, stream, span("2025-05-05", "2025-05-05"), HOUR, "Asia/Kolkata")
    assert found.values == [start // HOUR for start in kolkata]


def test_holidays_are_those_of_the_state() -> None:
    year = span("2024-01-01", "2024-12-31")
    of_thuringia, of_saxony = public_holidays("DE", "TH", *year), public_holidays("DE", "SN", *year)
    assert of_thuringia.keys() - of_saxony.keys() == {span("2024-09-20", "2024-09-20").first}, "Weltkindertag"
    assert len(public_holidays("DE", "XX", *year)) == 9, "a state that nobody knows has those of the country"
    assert public_holidays("ZZ", "", *year) == {}
    assert public_holidays("DE", "TH", *year, language="en")[year.first] == "New Year's Day"
