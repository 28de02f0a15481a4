"""What a city declares of forecasts and holidays is checked, and an error names the place."""

from datetime import date
from typing import Any

import pytest
from tests.domain.test_profile import DATA

from allmende.domain.plain import plain_profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.profile_files import parse_profile

TITLE = {"de": "Vorhersage", "en": "Forecast"}
GOOD: dict[str, Any] = {"title": TITLE, "dataset": "parking", "property": "free", "horizon": "PT2H", "step": "PT5M"}
OUTLINE = b'{"type": "FeatureCollection", "features": []}'
SCHOOL = "first,last,name\n2026-07-04,2026-08-14,Sommerferien\n2026-05-15,2026-05-15,\n"


def parse(more: dict[str, Any], **files: str):
    beside = {"districts.geojson": OUTLINE, "means.csv": b""}
    beside |= {f"{name}.csv": body.encode() for name, body in files.items()}
    return parse_profile({**DATA, **more}, beside)


def test_a_forecast_says_what_it_is_of() -> None:
    found = parse({"forecasts": {"free": GOOD}}).forecasts["free"]
    assert (found.steps, found.properties, found.streams) == (24, ["free"], [])
    assert (found.every, found.interval, found.enabled) == ("PT1H", 0.8, True)


@pytest.mark.parametrize(
    ("wrong", "place", "message"),
    [
        ({"dataset": "other"}, "dataset", "there is no dataset"),
        ({"streams": ["a"]}, "", "one of both"),
        ({"property": ""}, "", "one of both"),
        ({"property": "", "streams": ["a~forecast"]}, ".streams", "names a forecast"),
        ({"step": "PT7M"}, ".step", "a whole part of a day"),
        ({"step": "PT12H"}, ".step", "a whole part of a day"),
        ({"horizon": "PT121M"}, ".horizon", "whole steps"),
        ({"horizon": "P7D", "step": "PT1H"}, ".horizon", "no longer than P6D"),
        ({"horizon": "P2D"}, ".horizon", "no more than 300"),
        ({"every": "PT1S"}, ".every", "too short"),
        ({"train": "soon"}, ".train", "no ISO 8601 duration"),
        ({"history": "P13D"}, ".history", "at least P14D"),
        ({"interval": 1.0}, ".interval", "between 0.5 and 0.98"),
        ({"inputs": {"sun": {}}}, ".inputs.sun", "names no stream"),
        ({"inputs": {'a"b': {"observed": "x"}}}, ".inputs", "is no id"),
        ({"title": {"de": "nur"}}, ".title.en", "is missing"),
        ({"horizont": "PT2H"}, ".horizont", "no known key"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message) as refused:
        parse({"forecasts": {"free": {**GOOD, **wrong}}})
    assert refused.value.place.startswith(f"forecasts.free{place and '.' + place.lstrip('.')}")


def test_the_calendar_is_read_from_its_file() -> None:
    calendar = parse({"calendar": {"state": "TH", "school_holidays": "school.csv"}}, school=SCHOOL).calendar
    assert calendar.state == "TH"
    assert date(2026, 8, 14) in calendar.school_days()
    assert len(calendar.school_days()) == 43
    assert parse({}).calendar.school_days() == frozenset()


@pytest.mark.parametrize(
    ("calendar", "body", "message"),
    [
        ({"state": "Thüringen"}, SCHOOL, "is no state"),
        ({"school_holidays": "other.csv"}, SCHOOL, "there is no file"),
        ({"school_holidays": "school.csv"}, "first,last\n2026-13-01,2026-01-02\n", "needs first and last"),
        ({"school_holidays": "school.csv"}, "first,last\n2026-03-01,2026-01-02\n", "ends before it begins"),
        ({"county": "x"}, SCHOOL, "no known key"),
    ],
)
def test_a_wrong_calendar_is_refused(calendar: dict[str, str], body: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message) as refused:
        parse({"calendar": calendar}, school=body)
    assert refused.value.place.startswith("calendar")


def test_what_forecasts_give_is_kept_as_long_as_a_rule_says() -> None:
    rule = {"short": {"source": "forecast/free", "keep": "P31D"}}
    assert parse({"forecasts": {"free": GOOD}, "retention": rule}).retention["short"].source == "forecast/free"
    with pytest.raises(ProfileError, match="there is no source"):
        parse({"retention": rule})


def test_both_can_be_said_in_the_office() -> None:
    said = plain_profile({**DATA, "forecasts": {"free": GOOD}, "calendar": {"state": "TH"}}, {})
    assert said.body("forecast", "free")["dataset"] == "parking"
    assert said.body("city", "calendar") == {"state": "TH"}
