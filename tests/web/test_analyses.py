"""Analyses as pages and files: what they say, what they rest on, and nothing of what is hidden."""

import csv
import io
import json
import math
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from tests.knowledge.analyses.data import ZONE, at, keep
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

from allmende.domain.boards import Tile
from allmende.domain.policy import ANONYMOUS
from allmende.domain.times import HOUR
from allmende.knowledge.analyses.calendar import starts_between
from allmende.web.analyses import tiles
from allmende.web.boards import kinds
from allmende.web.explorer.choosing import forget
from allmende.web.house import House, open_profile, open_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]
PATH = "/explorer/"


def get(path: str, status: int = 200, language: str = "en") -> str:
    answer = Client(headers={"accept-language": language}).get(PATH + path)
    assert answer.status_code == status, answer.content
    return str(answer.content.decode())


def rows(path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(get(f"{path}&format=csv"))))


def body(path: str, status: int = 200) -> Any:
    return json.loads(get(f"{path}&format=json", status))


@pytest.fixture
def bridge() -> str:
    """Hours of ten weeks of spring with a rhythm of the day; an hour later another stream says the same."""
    starts = starts_between(date(2025, 3, 3), date(2025, 5, 11), HOUR, ZONE)
    values = [100 + 50 * math.sin(start / HOUR / 24 * math.tau) + (start // HOUR) % 7 for start in starts]
    keep(open_store(), "bridge~count", zip(starts, values, strict=True))
    keep(open_store(), "=road~count", zip(starts[1:], values, strict=False))
    return "typical-week/?stream=bridge~count&from=2025-03-03&to=2025-05-11"


@pytest.fixture(autouse=True)
def berlin(request: pytest.FixtureRequest) -> None:
    forget()
    tiles.forget()
    if open_profile().time_zone != ZONE:
        pytest.skip("a city whose clock is not Berlin's")


def test_a_typical_week_is_said_drawn_listed_and_taken_along(bridge: str) -> None:
    page = get(bridge)
    assert "It is usually highest on" in page
    assert "1,679 readings in 1,679 of 1,679 buckets (hours)" in page, "one hour less than ten weeks"
    assert "Too few values" not in page
    assert page.count("<path") >= 3
    table = rows(bridge)
    assert table[0][:4] == ["from", "to", "weekday", "time"]
    assert len(table) == 169
    assert table[1][-1] == "10"
    found = body(bridge + "&holidays=out")["weeks"][0]
    assert found["left_out"] == (["2025-04-18", "2025-04-21", "2025-05-01"])
    assert next(slot for slot in found["slots"] if (slot["weekday"], slot["time"]) == (5, "8:00"))["weeks"] == 9
    two = get(bridge.replace("05-11", "04-06") + "&from2=2025-04-07&to2=2025-04-20")
    assert "In the second span the mean over the week is" in two
    assert "Too few values: no hour has 4 weeks" in two


def test_days_of_clock_change_stand_in_the_calendar_as_they_were(bridge: str) -> None:
    page = get("calendar/?stream=bridge~count&from=2025-03-29&to=2025-03-31")
    assert "the clock was put forward" in page
    assert page.count("<title>") - 1 == 71, "a title of the page, and one of each hour that there was"
    table = rows("calendar/?stream=bridge~count&from=2025-03-29&to=2025-03-31")
    assert [row[1] for row in table if row[0] == "2025-03-30"] == [str(hour) for hour in range(24) if hour != 2]
    keep(open_store(), "night~count", {at("2025-10-26 02:00"): 4, at("2025-10-26 02:00") + HOUR: 9})
    autumn = "calendar/?stream=night~count&from=2025-10-26&to=2025-10-26"
    assert "the hour came twice" in get(autumn)
    assert '<td class="kern-table__cell kern-table__cell--numeric nowrap">4 / 9</td>' in get(autumn)
    assert [cell["values"] for cell in body(autumn)["cells"] if cell["hour"] == 2] == [[4.0, 9.0]]
    months = get("calendar/?stream=bridge~count&by=day")
    assert "Days of the months" in months
    assert len(body("calendar/?stream=bridge~count&by=day")["cells"]) == 70
    assert "no more than 100 days" in get("calendar/?stream=bridge~count&from=2024-01-01&to=2025-03-31", 400)


def test_correlation_warns_and_finds_the_shift(bridge: str) -> None:
    path = f"correlation/?stream=bridge~count&stream={quote('=road~count')}&from=2025-03-03&to=2025-05-11"
    page = get(path)
    assert "does not say that one is the cause of the other" in page
    assert "second 1 hour later: 1" in page
    assert page.count('class="plot__dot"') == 1_678
    found = body(path)["pairs"][0]
    assert found["best"] == {"shift": 1, "value": pytest.approx(1), "pairs": 1_678}
    table = rows(path)
    assert table[0] == ["time", "bridge~count", "'=road~count"], "no spreadsheet runs the name of a stream"
    assert len(table) == 1_680
    assert body("correlation/?stream=bridge~count", 400)["error"]["stream"] == "Two streams are needed."
    assert "Too few values" in get(path.replace("2025-03-03", "2025-05-11") + "&width=day")


def test_before_and_after_an_event(bridge: str) -> None:
    path = "before-after/?stream=bridge~count&date=2025-04-07"
    page = get(path)
    assert "Since then" in page
    assert "It may be chance" in page
    again = get(path)
    assert page == again, "the drawing is seeded, so that an address always says the same"
    days = "&until=2025-04-08&weekday=1&weekday=2&hour_from=8&hour_to=18"
    both = body(f"{path}{days}&control={quote('=road~count')}&years=1")
    assert [each["window"] for each in both["changes"]] == ["during", "after"]
    assert both["changes"][0]["days"] == 2
    assert [each["shift_days"] for each in both["changes"][0]["compared"]] == [0, -364]
    assert both["changes"][0]["net"] is None, "a year ago there is nothing"
    wrong = get("before-after/?stream=bridge~count&date=2025-04-07&hour_from=9&hour_to=8&weeks=99&date2=x", 400, "de")
    assert "Schreiben Sie eine ganze Zahl von 2 bis 26." in wrong
    assert "von einer früheren zu einer späteren" in wrong
    assert "This is no day" in get("before-after/?stream=bridge~count&date=someday", 400)
    assert rows(path)[1][1] == "before"


def test_streams_are_found_by_words_and_hidden_ones_are_like_absent_ones(bridge: str) -> None:
    page = get("typical-week/?stream=count")
    assert "Which stream do you mean by “count”?" in page
    assert "stream=bridge~count" in page
    assert "It is usually highest" in get("typical-week/?stream=bridg+count"), "only one has these words"
    hidden, absent = (get(f"typical-week/?stream={name}") for name in ("bus~free", "tram~free"))
    assert hidden.replace("bus~free", "tram~free") == absent
    assert body("typical-week/?stream=bus~free", 400) == body("typical-week/?stream=bus~free", 400)
    assert "No stream has “demo~free”" in get("typical-week/?stream=demo~free")
    asked = get("typical-week/?stream=demo~free&simulated=1")
    assert "These are not measured values." in asked
    assert "1 implausible readings were left out." in asked


def test_addresses_of_the_explorer_are_understood(bridge: str) -> None:
    week = body("typical-week/?stream=bridge~count&from=-P28D&to=2025-05-04T22:00:00Z")["weeks"][0]
    assert (week["basis"]["from"], week["basis"]["to"]) == ("2025-04-08", "2025-05-05")
    usual = body("typical-week/?stream=bridge~count")["weeks"][0]["basis"]
    assert (usual["from"], usual["to"]) == ("2025-03-17", "2025-05-11")
    assert "ends before it begins" in get("typical-week/?stream=bridge~count&from=2025-05-05&to=2025-05-01", 400)
    days = get("typical-week/?stream=bridge~count&from=someday&to=0001-01-01", 400)
    assert '<a class="kern-link" href="#from">From</a>: This is no day.' in days
    assert '<a class="kern-link" href="#to">To</a>: This is no day.' in days
    assert "Two streams are needed" in get("correlation/?stream=bridge~count&stream=&width=hour", 400)
    assert 'href="?stream=bridge~count&amp;from=2025-03-17&amp;to=2025-05-11"' in get("typical-week/?stream=bridg")
    event = get("before-after/?stream=bridge~count&date=now")
    assert f'href="?stream=bridge~count&amp;date={timezone.localdate()}"' in event


@pytest.mark.parametrize(
    "path",
    [
        "typical-week/?stream=bridge~count&from=0001-01-01&to=9999-12-31",
        "typical-week/?stream=bridge~count&from=-P99999D",
        "typical-week/?stream=bridge~count&from=1801-01-01&to=2199-12-31",
        "calendar/?stream=bridge~count&by=week",
        "correlation/?stream=a&stream=b&stream=c&stream=d&stream=e",
        "before-after/?stream=bridge~count&date=0001-01-01",
        "before-after/?stream=bridge~count&date=2025-04-07&until=2199-01-01",
        "before-after/?stream=bridge~count&date=2025-04-07&weekday=8",
        "before-after/?stream=bridge~count&date=2025-04-07&scale=miles",
    ],
)
def test_what_makes_no_sense_is_told(bridge: str, path: str) -> None:
    assert "This cannot be answered so" in get(path, 400)
    assert body(path, 400)["error"]


def test_no_text_is_too_strange_to_be_looked_for(bridge: str) -> None:
    for text in ("%00", "%ED%A0%80", "'%22%3Cb%3E", "%25%27--", "x" * 2_000):
        page = get(f"typical-week/?stream={text}")
        assert "No stream has" in page or "Which stream do you mean" in page
        assert "<b>" not in page


def test_tiles_show_what_the_pages_show(bridge: str, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.house = House(store=open_store(), profile=open_profile(), reader=ANONYMOUS)  # type: ignore[attr-defined]
    for kind, words in (("typical-week", "It is usually highest on"), ("calendar", "The highest value is")):
        tile = Tile(id="t1", kind=kind, settings={"streams": ["bridge~count"], "days": 28, "holidays": True})
        assert kinds.find(kind).check(tile.settings) == ""
        html = kinds.find(kind).render(request, tile)
        assert words in html
        assert 'id="tile-t1-chart-words"' in html
        assert "/explorer/" in html
        again = kinds.find(kind).render(request, tile)
        assert again is html, "a board that asks every minute is not answered anew each time"
        hidden = kinds.find(kind).render(request, Tile(id="t1", kind=kind, settings={"streams": ["bus~free"]}))
        assert "There are no values yet." in hidden
        assert kinds.find(kind).check({}) == "names one stream"


def test_the_explorer_leads_here(bridge: str) -> None:
    page = get("?stream=bridge~count&from=2025-05-01&to=2025-05-05")
    assert 'href="/explorer/typical-week/?stream=bridge~count"' in page
