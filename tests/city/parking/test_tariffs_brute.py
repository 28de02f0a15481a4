"""Costs against the plainest way to count them: minute by minute, over changes of tariff, midnight and the clock."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.city.parking.tariffs import cost_of
from allmende.city.parking.tariffs_model import HOLIDAY, WEEKDAYS, FreeDays, Plan, Rate, Tariffs, Version

BERLIN = ZoneInfo("Europe/Berlin")
ORIGIN = {"source": "constructed", "date": "2026"}
FEASTS = {date(2026, 3, 30), date(2026, 10, 26)}
"""The day after each change of the clock."""
ADVENT = FreeDays(first=date(2026, 10, 23), last=date(2026, 10, 23), name={"de": "A", "en": "A"}, **ORIGIN)


def minute_by_minute(tariffs: Tariffs, plan: Plan, start: datetime, minutes: int) -> int | None:
    """Cents; None where it is not known or not allowed. Shares no line with what it is held against."""
    shown = [(start + timedelta(minutes=n)).astimezone(BERLIN) for n in range(minutes)]
    held = [next((v for v in plan.versions if v.covers(at.date())), None) for at in shown]
    if any(version is None for version in held):
        return None
    free_days = [any(f.first <= at.date() <= f.last for f in plan.free_days) for at in shown]
    rates = [
        None if free else rate_at(tariffs, version, at, n)
        for n, (at, version, free) in enumerate(zip(shown, held, free_days, strict=True))
    ]
    charged = 0
    for n, version in enumerate(held):
        charged += rates[n] is not None
        counted = charged if version.longest_counts == "charged" else n + 1
        binds = version.longest_counts == "all" or rates[n] is not None  # where nothing is asked one may stay
        if version.longest is not None and binds and counted > version.longest:
            return None
    first = held[0] if held else None
    asked = sum(rate is not None for rate in rates)
    free = first.free if first is not None and not (first.free_short and asked > first.free) else 0
    blocks: dict[object, Fraction] = {}
    run: object = None
    place = 0
    for n, (at, version, rate) in enumerate(zip(shown, held, rates, strict=True)):
        if rate is None:
            run = None
            continue
        begins_anew = rate.flat is not None and at.hour * 60 + at.minute == rate.begin and at.fold == 0
        if run != (id(version), id(rate)) or begins_anew:
            run, place = (id(version), id(rate)), 0
        if free:
            free -= 1
            continue
        if rate.flat is not None:
            amount = Fraction(rate.flat) if place == 0 else Fraction(0)
        elif rate.step:
            amount = Fraction(rate.price * rate.step, 60) if place % rate.step == 0 else Fraction(0)
        else:
            amount = Fraction(rate.price, 60)
        place += 1
        span = n // 1440 if version.maximum_per == "24h" else at.date()
        blocks[id(version), span] = blocks.get((id(version), span), Fraction(0)) + amount
    most = {id(version): version.maximum for version in held}
    total = sum(
        (min(amount, most[key]) if most[key] is not None else amount for (key, _), amount in blocks.items()),
        Fraction(0),
    )
    if first is not None and 0 < total < first.minimum:
        total = Fraction(first.minimum)
    return int(total + Fraction(1, 2))


def rate_at(tariffs: Tariffs, version: Version, at: datetime, stayed: int) -> Rate | None:
    clock = at.hour * 60 + at.minute
    for rate in version.rates:
        for back in (0, 1):  # hours that began today, or yesterday
            end = rate.end + (1440 if rate.end <= rate.begin else 0)
            day = at.date() - timedelta(days=back)
            fits = rate.begin <= clock + 1440 * back < end and kind(tariffs, version, day) in rate.days
            if fits and stayed >= rate.after:
                return rate
    return None


def kind(tariffs: Tariffs, version: Version, day: date) -> str:
    if not tariffs.holidays(day) or version.holidays == "weekday":
        return WEEKDAYS[day.weekday()]
    return {"sunday": "su", "free": "none", "own": HOLIDAY}[version.holidays]


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    flat = draw(st.integers(0, 3)) == 0
    amount = draw(st.integers(0, 700))
    return Rate(
        price=None if flat else amount,
        flat=amount if flat else None,
        days=draw(st.sets(st.sampled_from([*WEEKDAYS, HOLIDAY]), min_size=1).map(frozenset)),
        begin=draw(st.sampled_from([0, 0, 120, 150, 180, 420, 480, 1140, 1200])),
        end=draw(st.sampled_from([0, 0, 120, 150, 180, 420, 1080, 1200])),
        step=0 if flat else draw(st.sampled_from([0, 7, 15, 30, 60, 1440])),
        after=draw(st.sampled_from([0, 0, 0, 45, 120])),
    )


@st.composite
def versions(draw: st.DrawFn) -> Version:
    return Version(
        rates=tuple(draw(st.lists(rates(), max_size=4))),
        free=draw(st.sampled_from([0, 0, 10, 30])),
        free_short=draw(st.booleans()),
        minimum=draw(st.sampled_from([0, 0, 50])),
        maximum=draw(st.sampled_from([None, None, 500, 0])),
        maximum_per=draw(st.sampled_from(["day", "24h"])),
        longest=draw(st.sampled_from([None, None, None, 120, 1500])),
        longest_counts=draw(st.sampled_from(["all", "charged"])),
        holidays=draw(st.sampled_from(["weekday", "sunday", "free", "own"])),
        **ORIGIN,
    )


_starts = st.tuples(
    # the day before the clock is put forward, and the one before it is put back
    st.sampled_from([datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 10, 22, 22, tzinfo=UTC)]),
    st.one_of(st.integers(0, 4 * 96).map(lambda n: n * 15), st.integers(0, 4 * 1440)),
).map(lambda both: both[0] + timedelta(minutes=both[1]))


@settings(max_examples=40, deadline=None)
@given(
    versions(), versions(), _starts, st.one_of(st.integers(0, 300), st.integers(0, 4200)), st.booleans(), st.booleans()
)
def test_a_cost_is_what_a_minute_by_minute_count_says(
    before: Version, since: Version, start: datetime, minutes: int, open_before: bool, free_day: bool
) -> None:
    """The tariff changes on the day of each change of the clock, and its second version ends some days later."""
    autumn = start.month == 10
    change = date(2026, 10, 25) if autumn else date(2026, 3, 29)
    plan = Plan(
        id="trial",
        name={"de": "Probe", "en": "Trial"},
        versions=(
            msgspec.structs.replace(
                before,
                valid_from=None if open_before else change - timedelta(days=1),
                valid_until=change - timedelta(1),
            ),
            msgspec.structs.replace(since, valid_from=change, valid_until=change + timedelta(days=4)),
        ),
        free_days=(ADVENT,) if free_day else (),
    )
    tariffs = Tariffs(zone="Europe/Berlin", plans={"trial": plan}, holidays=FEASTS.__contains__)
    told = cost_of(tariffs, plan, start, start + timedelta(minutes=minutes))
    assert told.cents == minute_by_minute(tariffs, plan, start, minutes)
    if told.cents is not None:
        assert sum(line.cents for line in told.lines) == told.cents
    elif told.until is not None:  # who leaves by then pays and is not refused
        assert cost_of(tariffs, plan, start, told.until).status == "known"
