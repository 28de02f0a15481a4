"""Costs to the cent: what they say of real days, and what holds for every plan and stay."""

import shutil
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allmende.city.parking.tariffs import cost, cost_of
from allmende.city.parking.tariffs_file import read_tariffs, tariffs_of
from allmende.city.parking.tariffs_model import Cost, Plan, Rate, Tariffs, Version
from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.web.profiles import available_profiles, load_profile

BERLIN = ZoneInfo("Europe/Berlin")
ORIGIN = {"source": "constructed", "date": "2026"}
WORKDAYS = {"days": ["mo-fr"], "begin": "08:00", "end": "18:00"}


@pytest.fixture(scope="module")
def jena() -> Profile:
    return load_profile("jena")


@pytest.fixture(scope="module")
def of_jena(jena: Profile) -> Tariffs:
    file = available_profiles()["jena"].parent / "parking" / "tariffs.toml"
    return read_tariffs(tomllib.loads(file.read_text()), jena, place="tariffs")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def plan_of(profile: Profile, *versions: dict[str, Any], **more: Any) -> tuple[Tariffs, Plan]:
    body = {"name": {"de": "Probe", "en": "Trial"}, "versions": [ORIGIN | each for each in versions], **more}
    tariffs = read_tariffs({"plans": {"trial": body}}, profile, place="tariffs")
    return tariffs, tariffs.plans["trial"]


def cents(profile: Profile, version: dict[str, Any], start: str, end: str) -> int | None:
    tariffs, plan = plan_of(profile, version)
    return cost_of(tariffs, plan, at(start), at(end)).cents


# --- Jena ---


def test_what_jenas_zones_cost_before_and_since_february_2025(of_jena: Tariffs) -> None:
    hours = {
        key: [
            cost_of(of_jena, plan, at(f"{day}T10:00"), at(f"{day}T11:30")).cents for day in ("2025-01-31", "2025-02-01")
        ]
        for key, plan in of_jena.plans.items()
    }
    assert hours == {"centre": [300, 450], "extended-centre": [150, 225], "outside": [75, 113]}


def test_a_night_across_the_change_pays_both_prices_and_says_which(of_jena: Tariffs) -> None:
    told = cost_of(of_jena, of_jena.plans["centre"], at("2025-01-31T22:30"), at("2025-02-01T01:20"))
    assert [(line.cents, line.units, line.rate and line.rate.price) for line in told.lines] == [
        (300, 90, 200),
        (400, 80, 300),
    ]
    assert told.cents == 700
    assert "hours" in told.not_said


def test_eichplatz_is_a_range_of_zones_and_refused_beyond_two_hours(of_jena: Tariffs) -> None:
    stay = (at("2026-11-23T10:00"), at("2026-11-23T12:00"))
    told = cost(of_jena, "parking-eichplatz", *stay)
    assert (told.status, told.reason, told.low, told.high) == ("range", "no-source", 150, 600)
    assert [each.plan for each in told.possible] == ["centre", "extended-centre", "outside"]
    longer = cost(of_jena, "parking-eichplatz", stay[0], stay[1] + timedelta(minutes=1))
    assert (longer.status, longer.reason, longer.until) == ("not-allowed", "longest", stay[1])
    assert cost(of_jena, "parking-rathausgasse", stay[0], stay[1] + timedelta(minutes=1)).status == "not-allowed"
    assert cost(of_jena, "parking-rathausgasse", *stay).reason == "no-source"


def test_a_garage_without_a_source_is_unknown(of_jena: Tariffs) -> None:
    told = cost(of_jena, "parking-goethe-galerie", at("2026-11-23T10:00"), at("2026-11-23T12:00"))
    assert (told.status, told.reason, told.cents) == ("unknown", "no-source", None)


# --- kinds of rules ---


@pytest.mark.parametrize(
    ("version", "start", "end", "expected"),
    [
        # per started half hour
        ({"rates": [{"price": "2.00", "step": "PT30M"}]}, "2026-11-23T10:00", "2026-11-23T10:31", 200),
        # charged on working days from 8 to 18 alone; 1 May 2026 is a Friday and a public holiday
        ({"rates": [{"price": "1.00", **WORKDAYS}]}, "2026-11-23T17:00", "2026-11-24T09:00", 200),
        ({"rates": [{"price": "1.00", **WORKDAYS}]}, "2026-05-01T10:00", "2026-05-01T12:00", 200),
        ({"rates": [{"price": "1.00", **WORKDAYS}], "holidays": "free"}, "2026-05-01T10:00", "2026-05-01T12:00", 0),
        ({"rates": [{"price": "1.00", **WORKDAYS}], "holidays": "sunday"}, "2026-05-01T10:00", "2026-05-01T12:00", 0),
        # 20 September is a holiday in Thuringia alone
        ({"rates": [{"price": "1.00"}], "holidays": "free"}, "2027-09-20T10:00", "2027-09-20T12:00", 0),
        # a rate of its own for holidays
        (
            {"rates": [{"price": "0.50", "days": ["ph"]}, {"price": "1.00", **WORKDAYS}], "holidays": "own"},
            "2026-05-01T10:00",
            "2026-05-01T12:00",
            100,
        ),
        # the first half hour is free, for all or for short stays alone
        ({"rates": [{"price": "1.00"}], "free": "PT30M"}, "2026-11-23T10:00", "2026-11-23T11:30", 100),
        (
            {"rates": [{"price": "1.00"}], "free": "PT30M", "free_short": True},
            "2026-11-23T10:00",
            "2026-11-23T10:30",
            0,
        ),
        (
            {"rates": [{"price": "1.00"}], "free": "PT30M", "free_short": True},
            "2026-11-23T10:00",
            "2026-11-23T11:30",
            150,
        ),
        # at least 50 cents, at most 5 euros a day
        ({"rates": [{"price": "1.00"}], "minimum": "0.50"}, "2026-11-23T10:00", "2026-11-23T10:06", 50),
        ({"rates": [{"price": "1.00"}], "maximum": "5.00"}, "2026-11-23T12:00", "2026-11-24T12:00", 1000),
        (
            {"rates": [{"price": "1.00"}], "maximum": "5.00", "maximum_per": "24h"},
            "2026-11-23T12:00",
            "2026-11-24T12:00",
            500,
        ),
        # a night for a lump sum: two nights are two sums, and half a night a whole one
        (
            {"rates": [{"flat": "2.00", "begin": "19:00", "end": "07:00"}, {"price": "1.00"}]},
            "2026-11-23T18:00",
            "2026-11-25T01:00",
            100 + 200 + 1200 + 200,
        ),
        # a day for a lump sum, begun anew at midnight
        ({"rates": [{"flat": "4.00"}]}, "2026-11-23T23:00", "2026-11-24T01:00", 800),
        # the first hour costs less
        (
            {"rates": [{"price": "2.00", "after": "PT1H"}, {"price": "1.00"}]},
            "2026-11-23T10:00",
            "2026-11-23T12:30",
            100 + 300,
        ),
        # the clock is put back on 25 October 2026 (25 hours), forward on 29 March 2026 (23 hours)
        ({"rates": [{"price": "1.00"}]}, "2026-10-25T00:00", "2026-10-26T00:00", 2500),
        ({"rates": [{"price": "1.00"}]}, "2026-03-29T00:00", "2026-03-30T00:00", 2300),
        ({"rates": [{"price": "1.00", "begin": "02:00", "end": "03:00"}]}, "2026-10-25T00:00", "2026-10-25T06:00", 200),
        ({"rates": [{"price": "1.00", "begin": "02:00", "end": "03:00"}]}, "2026-03-29T00:00", "2026-03-29T06:00", 0),
        ({"rates": [{"price": "1.00", "begin": "02:30", "end": "04:00"}]}, "2026-03-29T00:00", "2026-03-29T06:00", 100),
    ],
)
def test_rules(jena: Profile, version: dict[str, Any], start: str, end: str, expected: int) -> None:
    assert cents(jena, version, start, end) == expected


def test_the_longest_stay_may_count_charged_minutes_alone(jena: Profile) -> None:
    version = {"rates": [{"price": "1.00", **WORKDAYS}], "longest": "PT2H", "longest_counts": "charged"}
    tariffs, plan = plan_of(jena, version)
    assert cost_of(tariffs, plan, at("2026-11-23T17:00"), at("2026-11-24T09:00")).cents == 200
    longer = cost_of(tariffs, plan, at("2026-11-23T17:00"), at("2026-11-24T09:01"))
    assert (longer.status, longer.until) == ("not-allowed", at("2026-11-24T09:00"))


def test_free_days_say_why_and_a_permit_is_not_for_everybody(jena: Profile) -> None:
    christmas = {"first": "2026-12-24", "last": "2026-12-26", "name": {"de": "Advent", "en": "Advent"}, **ORIGIN}
    tariffs, plan = plan_of(jena, {"rates": [{"price": "1.00"}]}, free_days=[christmas])
    told = cost_of(tariffs, plan, at("2026-12-23T23:00"), at("2026-12-24T02:00"))
    assert [(line.kind, line.cents) for line in told.lines] == [("time", 100), ("free-days", 0)]
    assert told.lines[1].name["de"] == "Advent"
    tariffs, plan = plan_of(jena, permit=True)
    assert cost_of(tariffs, plan, at("2026-12-23T23:00"), at("2026-12-24T02:00")).reason == "permit"


def test_before_the_first_version_nothing_is_known(jena: Profile) -> None:
    tariffs, plan = plan_of(jena, {"rates": [{"price": "1.00"}], "valid_from": "2026-01-01"})
    assert cost_of(tariffs, plan, at("2025-12-31T23:00"), at("2026-01-01T01:00")).reason == "no-version"


def test_stays_that_make_no_sense_are_refused(of_jena: Tariffs) -> None:
    with pytest.raises(InvalidInput, match="ends before"):
        cost(of_jena, "parking-eichplatz", at("2026-11-23T10:00"), at("2026-11-23T09:59"))
    with pytest.raises(LimitExceeded, match="100 days"):
        cost(of_jena, "parking-eichplatz", at("2026-01-01T10:00"), at("2026-11-23T09:59"))


# --- the file ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plans": {"a": {"name": {"de": "A", "en": "A"}}}}, "tariffs.plans.a.versions: is missing"),
        ({"currency": "Euro"}, "tariffs.currency"),
        ({"sites": {"b": {"plan": "a", **ORIGIN}}}, 'tariffs.sites.b.plan: there is no plan "a"'),
        ({"colour": "red"}, "tariffs.colour: is no known key"),
        ({"rates": [{"price": 1.5}]}, "tariffs.plans.a.versions[0].rates[0].price"),
        ({"rates": [{"price": "1.5"}]}, '.price: "1.5" is no amount of money'),
        ({"rates": [{"price": "1.50", "flat": "1.00"}]}, "rates[0]: has a price"),
        ({"rates": [{"price": "1.50", "days": ["mo-ph"]}]}, 'rates[0].days: "mo-ph" is no day'),
        ({"rates": [{"price": "1.50", "begin": "8 Uhr"}]}, 'rates[0].begin: "8 Uhr" is no time of day'),
        ({"rates": [{"price": "1.50", "step": "PT90S"}]}, "no duration of whole minutes"),
        ({"rates": [{"price": "1.50", "days": ["mo-su"]}], "holidays": "own"}, "versions[0].holidays"),
        ({"rates": [{"price": "1.50"}], "source": " "}, "versions[0].source"),
    ],
)
def test_a_wrong_table_is_told_by_its_place(jena: Profile, change: dict[str, Any], message: str) -> None:
    body = change
    if "rates" in change:
        body = {"plans": {"a": {"name": {"de": "A", "en": "A"}, "versions": [ORIGIN | change]}}}
    with pytest.raises(ProfileError) as raised:
        read_tariffs(body, jena, place="tariffs")
    assert message in str(raised.value)


def test_versions_may_not_hold_on_one_day(jena: Profile) -> None:
    versions = [{"rates": [], "valid_until": "2025-02-01"}, {"rates": [], "valid_from": "2025-02-01"}]
    with pytest.raises(ProfileError, match="two versions that hold on 2025-02-01"):
        plan_of(jena, *versions)


# --- what holds for every plan ---

_clocks = st.integers(0, 47).map(lambda n: n * 30)
_days = st.sets(st.sampled_from(["mo", "tu", "we", "th", "fr", "sa", "su"]), min_size=1).map(frozenset)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    flat = draw(st.booleans())
    amount = draw(st.integers(0, 700))
    return Rate(
        price=None if flat else amount,
        flat=amount if flat else None,
        days=draw(_days),
        begin=draw(_clocks),
        end=draw(_clocks),
        step=0 if flat else draw(st.sampled_from([0, 15, 30, 60])),
        after=draw(st.sampled_from([0, 0, 0, 45, 120])),
    )


@st.composite
def versions(draw: st.DrawFn) -> Version:
    return Version(
        rates=tuple(draw(st.lists(rates(), max_size=4))),
        source="constructed",
        date="2026",
        free=draw(st.sampled_from([0, 0, 10, 30])),
        free_short=draw(st.booleans()),
        minimum=draw(st.sampled_from([0, 0, 50])),
        maximum=draw(st.sampled_from([None, 500, 0])),
        maximum_per=draw(st.sampled_from(["day", "24h"])),
        holidays=draw(st.sampled_from(["weekday", "sunday", "free"])),
    )


CHANGE = date(2026, 10, 25)
"""A tariff changes on the day when the clock is put back."""
_moments = st.integers(0, 7 * 24 * 60).map(lambda n: at("2026-10-22T00:00") + timedelta(minutes=n))


def changing(before: Version, since: Version) -> tuple[Tariffs, Plan]:
    replaced = (
        Version(
            **{name: getattr(before, name) for name in Version.__struct_fields__} | {"valid_until": date(2026, 10, 24)}
        ),
        Version(**{name: getattr(since, name) for name in Version.__struct_fields__} | {"valid_from": CHANGE}),
    )
    plan = Plan(id="trial", name={"de": "Probe", "en": "Trial"}, versions=replaced)
    return Tariffs(zone="Europe/Berlin", plans={"trial": plan}, holidays=lambda day: day == date(2026, 10, 26)), plan


@settings(max_examples=60, deadline=None)
@given(versions(), versions(), _moments, st.integers(0, 3000), st.integers(0, 600))
def test_who_stays_longer_never_pays_less_and_lines_add_up(
    before: Version, since: Version, start: datetime, stay: int, more: int
) -> None:
    tariffs, plan = changing(before, since)
    short = cost_of(tariffs, plan, start, start + timedelta(minutes=stay))
    long = cost_of(tariffs, plan, start, start + timedelta(minutes=stay + more))
    assert short.cents is not None
    assert long.cents is not None
    assert 0 <= short.cents <= long.cents
    for told in (short, long):
        assert sum(line.cents for line in told.lines) == told.cents
        assert told.lines == tuple(sorted(told.lines, key=lambda line: line.end))


@settings(max_examples=60, deadline=None)
@given(versions(), versions(), st.integers(1, 3000), st.integers(1, 3000))
@example(
    Version(rates=(Rate(price=100, step=60),), **ORIGIN), Version(rates=(Rate(price=150, step=15),), **ORIGIN), 90, 90
)
def test_a_stay_across_a_change_costs_what_its_two_parts_do(
    before: Version, since: Version, head: int, tail: int
) -> None:
    def plain(version: Version) -> Version:
        kept = tuple(
            Rate(price=r.price, flat=r.flat, days=r.days, begin=r.begin, end=r.end, step=r.step) for r in version.rates
        )
        return Version(rates=kept, maximum=version.maximum, holidays=version.holidays, **ORIGIN)

    tariffs, plan = changing(plain(before), plain(since))
    change = at("2026-10-25T00:00")

    def told(start: datetime, end: datetime) -> int:
        found: Cost = cost_of(tariffs, plan, start, end)
        assert found.cents is not None
        return found.cents

    whole = told(change - timedelta(minutes=head), change + timedelta(minutes=tail))
    parts = told(change - timedelta(minutes=head), change) + told(change, change + timedelta(minutes=tail))
    assert abs(whole - parts) <= 1  # fractions of a cent are rounded once


def test_the_file_of_the_example() -> None:
    example_city = load_profile("example")
    file = available_profiles()["example"].parent / "parking" / "tariffs.toml"
    tariffs = read_tariffs(tomllib.loads(file.read_text()), example_city, place="tariffs")
    lisbon = ZoneInfo("Europe/Lisbon")
    start = datetime(2026, 11, 23, 16, tzinfo=lisbon)
    told = cost(tariffs, "parking-altmarkt", start, start + timedelta(hours=17))
    assert (told.status, told.cents) == ("known", 450 + 300 + 300)


def test_the_profile_finds_its_file(jena: Profile) -> None:
    assert set(tariffs_of(jena).plans) == {"centre", "extended-centre", "outside"}
    assert not tariffs_of(load_profile("example")).sites["parking-altmarkt"].possible


def test_a_house_does_not_start_on_wrong_tariffs_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    shutil.copytree(available_profiles()["example"].parent, folder)
    file = folder / "parking" / "tariffs.toml"
    file.write_text(file.read_text().replace('"12.00"', '"12,00"'))
    with pytest.raises(ProfileError) as raised:
        load_profile(str(folder))
    assert raised.value.place == "services.parking.tables.tariffs.plans.garage.versions[0].maximum"
