"""Buckets of time against Python's own calendar, on every engine."""
# ruff: noqa: DTZ001  what a clock on the wall shows has no zone

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain import times
from allmende.domain.aggregation import Aggregation, Group, Measure
from allmende.domain.query import Call, Expression, Path, Query, Step, Value
from allmende.domain.store import Store
from tests.support import HOUSE, create

ZONES = ["Europe/Berlin", "UTC", "America/New_York", "Asia/Kathmandu", "Atlantic/Azores", "Australia/Lord_Howe"]
_number = iter(range(10**9))


def stream_of(store: Store, moments: list[int]) -> str:
    """A stream with an observation at each of the moments."""
    name = f"s{next(_number)}"
    body = {
        "@iot.id": name,
        "name": name,
        "description": "d",
        "observationType": "any",
        "unitOfMeasurement": {"name": "u", "symbol": "1", "definition": ""},
        "Thing": {"name": "t", "description": "t"},
        "Sensor": {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": "m"},
        "ObservedProperty": {"name": "P", "description": "p", "definition": "https://example.org/p"},
        "Observations": [{"result": 1, "phenomenonTime": times.format_instant(m)} for m in moments],
    }
    create(store, "Datastream", body)
    return name


def bucketed(store: Store, moments: list[int], width: Value, zone: str) -> dict[int, int]:
    """How many of the moments lie in each bucket, by its start."""
    name = stream_of(store, moments)
    call: Expression = Call("bucket", (Path(("phenomenonTime",)), width, Value(zone, "string")))
    asked = Aggregation(
        source=Query(entity="Observation", reader=HOUSE, path=(Step("Datastream", name, "Observations"),)),
        groups=(Group(call, ("start",)),),
        measures=(Measure(method="rows", name="n"),),
        top=1000,
    )
    return dict(store.aggregate(asked).rows)


def hours(*spans: str) -> list[int]:
    """Each half hour of a span of time."""
    first, last = map(times.parse_instant, spans)
    return list(range(first, last, 30 * times.MINUTE))


def starts(counts: dict[int, int]) -> dict[str, int]:
    return {times.format_instant(start)[:16]: n for start, n in counts.items()}


DAY, HOUR = Value(times.DAY, "duration"), Value(times.HOUR, "duration")


def test_days_of_23_and_25_hours(shared: Store) -> None:
    spring = hours("2024-03-29T23:00:00Z", "2024-04-01T22:00:00Z")
    assert starts(bucketed(shared, spring, DAY, "Europe/Berlin")) == {
        "2024-03-29T23:00": 48, "2024-03-30T23:00": 46, "2024-03-31T22:00": 48,
    }  # fmt: skip
    autumn = hours("2024-10-25T22:00:00Z", "2024-10-28T23:00:00Z")
    assert starts(bucketed(shared, autumn, DAY, "Europe/Berlin")) == {
        "2024-10-25T22:00": 48, "2024-10-26T22:00": 50, "2024-10-27T23:00": 48,
    }  # fmt: skip


def test_the_hour_that_comes_twice_is_two(shared: Store) -> None:
    night = hours("2024-10-26T23:00:00Z", "2024-10-27T04:00:00Z")
    assert starts(bucketed(shared, night, HOUR, "Europe/Berlin")) == {
        f"2024-10-{day}:00": 2 for day in ("26T23", "27T00", "27T01", "27T02", "27T03")
    }
    assert starts(bucketed(shared, night, Value(6 * times.HOUR, "duration"), "Europe/Berlin")) == {
        "2024-10-26T22:00": 10
    }


def test_months_and_years(shared: Store) -> None:
    moments = [times.parse_instant(f"2023-{month:02}-01T00:30:00Z") for month in range(1, 13)]
    assert list(starts(bucketed(shared, moments, Value(3, "months"), "America/New_York"))) == [
        "2022-10-01T04:00", "2023-01-01T05:00", "2023-04-01T04:00", "2023-07-01T04:00", "2023-10-01T04:00",
    ]  # fmt: skip
    assert starts(bucketed(shared, moments, Value(12, "months"), "UTC")) == {"2023-01-01T00:00": 12}


def test_weeks_begin_on_mondays(shared: Store) -> None:
    january = hours("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z")[::5]
    counted = bucketed(shared, january, Value(7 * times.DAY, "duration"), "UTC")
    assert {times.to_datetime(start).weekday() for start in counted} == {0}


def begun(moment: int, width: Value, zone: str) -> int:
    """The start of a bucket, found by looking at the clock: the first time that it shows the bucket's start."""
    shown = times.to_datetime(moment).astimezone(ZoneInfo(zone))
    clock = shown.replace(tzinfo=None)
    if width.kind == "months":
        index = (clock.year * 12 + clock.month - 1) // width.value * width.value
        floor = datetime(index // 12, index % 12 + 1, 1)
    else:
        since = (clock - datetime(1970, 1, 5)) // timedelta(microseconds=1)
        floor = clock - timedelta(microseconds=since % width.value)
    choices = {(floor - o).replace(tzinfo=UTC) for o in _offsets(floor, zone)}
    right = [c for c in choices if c.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == floor]
    if not right:  # in a gap: as far behind it
        right = [floor.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)]
    if width.kind != "months" and width.value <= times.HOUR:
        right = [c for c in right if c.astimezone(ZoneInfo(zone)).utcoffset() == shown.utcoffset()] or right
    return times.from_datetime(min(right))


def _offsets(clock: datetime, zone: str) -> set[timedelta]:
    around = [clock.replace(tzinfo=UTC) + timedelta(hours=h) for h in range(-30, 31, 3)]
    return {offset for moment in around if (offset := moment.astimezone(ZoneInfo(zone)).utcoffset()) is not None}


MOMENTS = st.one_of(
    st.datetimes(datetime(1850, 1, 1), datetime(2100, 1, 1)),
    st.datetimes(datetime(2024, 10, 26, 20), datetime(2024, 10, 27, 8)),
    st.datetimes(datetime(2024, 3, 30, 20), datetime(2024, 3, 31, 8)),
)
WIDTHS = st.one_of(
    st.sampled_from([1, 3, 12, 60]).map(lambda n: Value(n, "months")),
    st.sampled_from([1, 7, 15 * 60, 30 * 60, 3600, 7200, 6 * 3600, 86400, 7 * 86400]).map(
        lambda n: Value(n * times.SECOND, "duration")
    ),
)


@given(moments=st.lists(MOMENTS, min_size=1, max_size=20), width=WIDTHS, zone=st.sampled_from(ZONES))
def test_a_bucket_begins_where_the_clock_says(shared: Store, moments: list[datetime], width: Value, zone: str) -> None:
    listed = sorted({times.from_datetime(m.replace(tzinfo=UTC)) for m in moments})
    wanted: dict[int, int] = {}
    for moment in listed:
        start = begun(moment, width, zone)
        wanted[start] = wanted.get(start, 0) + 1
    assert bucketed(shared, listed, width, zone) == wanted


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "width", [Value(1, "months"), Value(60_000, "months"), DAY, HOUR, Value(times.LATEST, "duration")]
)
def test_at_the_ends_of_the_calendar(shared: Store, zone: str, width: Value) -> None:
    counted = bucketed(shared, [times.EARLIEST, times.LATEST], width, zone)
    assert sum(counted.values()) == 2
    assert all(times.EARLIEST <= start <= times.LATEST for start in counted)
