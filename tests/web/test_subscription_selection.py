"""What somebody selects, and when they are told."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.test import Client

from allmende.domain.errors import InvalidQuery
from allmende.web.house import open_profile
from allmende.web.subscriptions.happening import Happening
from allmende.web.subscriptions.models import Subscriber
from allmende.web.subscriptions.rhythm import due_at
from allmende.web.subscriptions.selection import Selection, area_of, matches, read_selection

pytestmark = pytest.mark.django_db
HERE = (11.5864, 50.9272)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", True), ("kind=features", True), ("kind=alerts&kind=datasets&kind=stories", False), ("dataset=roads", True),
        ("dataset=other", False), ("near=11.5864,50.9272,50", True), ("near=11.6000,50.9272,900", False),
        ("near=11.6000,50.9272,1000", True), ("lat=50,9272&lon=11,5864&radius=100", True), ("stream=a~b", True),
        ("stream=a~c", False), ("thing=a", True), ("thing=b", False), ("street=Wagnergasse", True),
        ("street=wagnergasse 5", False), ("street=Hauptstr.", True), ("street=HAUPTSTRASSE", True),
        ("street=Haupt", False),
        ("severity=moderate", True), ("severity=severe", False), ("street=.", False),
    ],
)  # fmt: skip
def test_conditions_hold_all_at_once(query: str, told: bool) -> None:
    happening = Happening(
        id="features:a:b", title={"de": "Baustelle"}, changed=1, dataset="roads", streams=("a~b",), thing="a",
        place={"type": "Point", "coordinates": HERE}, address="Wagnergasse, Hauptstraße 3", severity="moderate",
    )  # fmt: skip
    selection = read_selection(QueryDict(query))
    assert matches(selection, happening, open_profile().geography) is told
    assert read_selection(QueryDict(selection.query())) == selection


@pytest.mark.parametrize(
    "query", ["kind=rumours", "near=1,2", "near=a,b,c", "near=1,99,100", "near=1,2,49", "near=nan,2,100", "lat=1",
              "severity=bad", "street=" + "x" * 201],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_place(query: str) -> None:
    with pytest.raises(InvalidQuery) as error:
        read_selection(QueryDict(query))
    assert error.value.where
    assert Client().get(f"/subscriptions/feed.atom?{query}").status_code == 400
    assert Client().get(f"/subscriptions/new/?{query}").status_code == 422


def test_a_district_is_told_of_what_touches_it() -> None:
    geography = open_profile().geography
    if not geography.districts.get("features"):
        pytest.skip("this city has no districts")
    names = [feature["properties"]["name"] for feature in geography.districts["features"]]
    inside = area_of(geography, names[0]).representative_point()
    happening = Happening(id="features:a:b", title={}, changed=1,
                          place={"type": "Point", "coordinates": [inside.x, inside.y]})  # fmt: skip
    assert [name for name in names if matches(Selection(district=name), happening, geography)] == [names[0]]
    assert Client().get("/subscriptions/new/", {"district": names[0]}).status_code == 200
    assert Client().get("/subscriptions/new/", {"district": "Nirgends"}).status_code == 404


@pytest.mark.parametrize(
    ("rhythm", "quiet", "urgent", "at", "due"),
    [
        ("once", None, False, "12:00", "12:00"), ("once", ("22:00", "06:00"), False, "23:30", "30 06:00"),
        ("once", ("22:00", "06:00"), False, "05:00", "06:00"), ("once", ("22:00", "06:00"), True, "23:30", "23:30"),
        ("once", ("12:00", "14:00"), False, "13:00", "14:00"), ("once", ("12:00", "14:00"), False, "14:00", "14:00"),
        ("daily", None, False, "12:00", "30 07:00"), ("daily", None, False, "06:00", "07:00"),
        ("daily", ("22:00", "08:00"), False, "12:00", "30 08:00"),
    ],
)  # fmt: skip
def test_quiet_hours_and_the_mail_of_the_day(rhythm, quiet, urgent, at, due) -> None:
    """On the day before the clocks go forward, in the city's time."""
    begin, end = (time.fromisoformat(each) for each in quiet) if quiet else (None, None)
    who = Subscriber(rhythm=rhythm, quiet_from=begin, quiet_to=end)
    zone = ZoneInfo("Europe/Berlin")
    eve = date(2025, 3, 29)
    now = datetime.combine(eve, time.fromisoformat(at), zone).astimezone(UTC)
    day, _, clock = due.rpartition(" ")
    wanted = datetime.combine(eve.replace(day=int(day or 29)), time.fromisoformat(clock), zone)
    assert due_at(who, now, "Europe/Berlin", urgent=urgent) == wanted
