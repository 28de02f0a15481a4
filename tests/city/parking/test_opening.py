"""Opening hours: open or not, until when, the week; holidays of the state; what cannot be read is unknown."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.city.parking.opening import Calendar, Hours, calendar_of, fault_of, is_open, state_at, week
from allmende.city.parking.opening_jena import from_jena
from allmende.city.parking.opening_words import tell
from allmende.city.parking.statements import chosen, from_properties, merge
from allmende.web.profiles import load_profile

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def jena() -> Calendar:
    return calendar_of(load_profile("jena"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        ("24/7", "2026-12-25T03:00", True),
        ("Mo-Fr 08:00-18:00", "2026-12-25T10:00", True),
        ("Mo-Fr 08:00-18:00; PH off", "2026-12-25T10:00", False),
        ("Mo-Fr 08:00-18:00; PH off", "2026-12-28T10:00", True),
        # 20 September is a holiday in Thuringia alone; in 2027 it is a Monday
        ("Mo-Fr 08:00-18:00; PH off", "2027-09-20T10:00", False),
        ("Su,PH 10:00-12:00", "2026-12-25T11:00", True),
        ("Su,PH 10:00-12:00", "2026-12-24T11:00", False),
        # a night belongs to the day on which it begins
        ("PH 20:00-02:00", "2027-01-02T01:00", True),
        ("PH 20:00-02:00", "2027-01-01T01:00", False),
        # school holidays of Thuringia: 23 December 2026 lies in them, 16 December does not
        ("Mo-Fr 08:00-18:00; SH Mo-Fr 08:00-12:00", "2026-12-23T13:00", False),
        ("Mo-Fr 08:00-18:00; SH Mo-Fr 08:00-12:00", "2026-12-16T13:00", True),
        ('Mo-Fr 08:00-18:00 "PH by card"', "2026-12-25T10:00", True),
        ("Mo-Fr unknown", "2026-11-23T10:00", None),
        ("", "2026-11-23T10:00", None),
        ("täglich außer montags", "2026-11-23T10:00", None),
        ("Mo-Fr 08:00-18:00;" * 300, "2026-11-23T10:00", None),
    ],
)
def test_open_or_not(jena: Calendar, hours: str, moment: str, expected: bool | None) -> None:
    assert is_open(hours, at(moment), jena) is expected


def test_when_it_changes(jena: Calendar) -> None:
    told = state_at("Mo-Fr 08:00-18:00; PH off", at("2026-12-24T19:00"), jena)
    assert (told.open, told.until) == (False, at("2026-12-28T08:00"))
    assert state_at("24/7", at("2026-12-24T19:00"), jena).until is None
    # the hour that comes twice: until the second 2:30 is an hour longer
    assert state_at("Mo-Su 00:00-02:30", at("2026-10-25T00:00"), jena).until == datetime(
        2026, 10, 25, 1, 30, tzinfo=UTC
    )
    assert state_at('Mo-Fr 08:00-18:00 "by card"', at("2026-11-23T10:00"), jena).comment == "by card"


def test_the_week_has_nights_where_they_begin_and_holidays_apart(jena: Calendar) -> None:
    told = week("Mo-Th 07:00-22:00; Fr-Sa 07:00-02:00; PH 10:00-12:00", MONDAY, jena)
    assert [each.hours for each in told] == [
        *[(Hours(420, 1320),)] * 4,
        *[(Hours(420, 1560),)] * 2,
        (),
        (Hours(600, 720),),
    ]
    assert [each.hours for each in week("24/7", MONDAY, jena)] == [(Hours(0, 1440),)] * 7
    assert week("24/8", MONDAY, jena) == ()


def test_a_fault_says_what_was_expected() -> None:
    assert fault_of("Mo-Fr 08:00-18:00") == ""
    assert "expected" in fault_of("Mo-Fr 8-")


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from('MoTuFrPHSHJan0123456789:-;,+ "|offé\0'), max_size=30))
def test_no_text_breaks_it(jena: Calendar, hours: str) -> None:
    told = state_at(hours, at("2026-12-24T19:00"), jena, ahead=3)
    assert told.open in (True, False, None)
    assert not told.fault or told.open is None
    week(hours, MONDAY, jena)


def test_jenas_own_description() -> None:
    said = {
        "openTwentyFourSeven": False,
        "openingTimes": [
            {"dateFrom": 2, "dateTo": 6, "times": [{"from": "07:00", "to": "23:00"}]},
            {"dateFrom": 7, "dateTo": 1, "times": [{"from": "10:00", "to": "03:00"}, {"from": "5:00", "to": "6:00"}]},
            {"dateFrom": 8, "dateTo": 9, "times": [{"from": "10:00", "to": "03:00"}]},
            {"dateFrom": 1, "dateTo": 1, "times": [{"from": "früh", "to": "spät"}]},
            "nonsense",
        ],
    }
    hours, notes = from_jena(said)
    assert hours == "Tu-Sa 07:00-23:00; Su-Mo 10:00-03:00,05:00-06:00"
    assert not fault_of(hours)
    assert [note.partition(":")[0] for note in notes] == ["openingTimes[2]", "openingTimes[3]", "openingTimes[4]"]
    assert from_jena({"openTwentyFourSeven": True}) == ("24/7", ())
    assert from_jena({}) == ("", ())
    statements = merge(from_properties({"openings": {"value": said, "source": "parking.json"}}, "feed"))
    counts = chosen(statements, "opening_hours")
    assert counts is not None
    assert (counts.value, counts.source, counts.note) == (hours, "parking.json", "hours-unclear")
    assert chosen(merge(from_properties({"openings": {"value": {}, "source": "a"}}, "feed")), "opening_hours") is None


def test_the_week_in_words(jena: Calendar) -> None:
    now = at("2026-11-23T10:00")
    with translation.override("de"):
        told = tell("Mo-Th 07:00-22:00; Fr,Sa 07:00-02:00; PH 10:00-12:00", now, jena)
        assert told.now == "Geöffnet bis 22:00"
        assert told.week == [
            ("Montag bis Donnerstag", "7:00 bis 22:00 Uhr"),
            ("Freitag bis Samstag", "7:00 bis 2:00 Uhr"),
            ("Sonntag", "geschlossen"),
            ("Feiertage", "10:00 bis 12:00 Uhr"),
        ]
        assert tell("Mo-Fr 08:00-18:00; PH off", at("2026-12-24T19:00"), jena).now == "Geschlossen bis Montag, 08:00"
        assert tell("Mo-Fr 8-", now, jena).fault
    with translation.override("en"):
        assert tell("24/7", now, jena) == ("Always open", [("Every day", "around the clock")], "24/7", "")
