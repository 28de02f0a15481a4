"""The explorer as its readers see it: values, gaps, files, the way of a number, and nothing of what is hidden."""

import csv
import io

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from tests.knowledge.test_follow import CHAIN
from tests.knowledge.town import NOW, Clock, follow, profile, send, settle
from tests.support import HOUSE

from allmende.domain.errors import InvalidInput
from allmende.domain.policy import ANONYMOUS, COMMONS
from allmende.domain.times import DAY, HOUR, MINUTE, parse_instant
from allmende.knowledge.prepare import prepare_rules
from allmende.web.explorer import asking, choosing
from allmende.web.house import House, furnish, open_store

pytestmark = pytest.mark.django_db
SPAN = "from=2026-06-01T00:00:00Z&to=2026-06-01T02:00:00Z"
BERLIN = "Europe/Berlin"


@pytest.fixture
def town(monkeypatch):
    """A level each ten minutes with a gap, what a rule makes of it, and what is closed."""
    made = profile(CHAIN)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made)
    store = open_store()
    furnish(store, made)
    clock = Clock()
    follower = follow(store, prepare_rules(made).rules, clock)
    moments = [NOW + n * 10 * MINUTE for n in range(12) if n not in (5, 6)]
    flags = ["above-maximum" if moment == NOW + 20 * MINUTE else "" for moment in moments]
    send(
        store, "a~level", {moment: n for n, moment in enumerate(moments)}, flags=flags, unit="Cel", place=(11.58, 50.9)
    )
    send(store, "a~level", {NOW: 40}, unit="Cel", place=(11.58, 50.9), at=NOW + MINUTE)
    send(store, "a~humidity", {NOW: 50, NOW + HOUR: 60}, observed="humidity", unit="%")
    send(store, "s~level", {NOW: 987654}, dataset="hidden")
    settle(follower)
    choosing.forget()
    yield store
    choosing.forget()


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "de"})


def test_values_come_with_units_in_words_and_gaps(town, client):
    said = client.get(f"/explorer/series.json?stream=a~level&stream=a~humidity&{SPAN}").json()
    level, humidity = said["streams"]
    assert (said["from"], said["to"], said["zone"]) == (NOW // 10**6, (NOW + 2 * HOUR) // 10**6, BERLIN)
    assert (level["unit"], level["unitText"], humidity["unitText"]) == ("Cel", "°C", "%")
    assert level["mean"] == [40, 1, 2, 3, 4, None, 5, 6, 7, 8, 9]
    assert level["flagged"][2] == 1
    assert level["t"][6] - level["t"][0] == 70 * 60


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("stream=s~level", 404), ("stream=none", 404), ("", 404), ("stream=a~level&from=yesterday", 400),
        ("stream=a~level&points=many", 400), ("stream=a~level&from=2026-06-02&to=2026-06-01", 400),
        ("&".join(f"stream={n}" for n in range(13)), 400), ("stream=a~level&from=-P99999Y", 400),
        ("stream=a~level&from=all", 200), ("stream=a~level&from=-P1M&to=2026-06-10", 200),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_said(town, client, asked, status):
    assert client.get(f"/explorer/series.json?{asked}").status_code == status
    assert client.get(f"/explorer/values.csv?{asked}").status_code == status
    assert client.get(f"/explorer/?{asked}").status_code == (400 if status == 400 and "points" not in asked else 200)


def test_what_is_hidden_is_neither_found_nor_shown(town, client):
    for address in ("/explorer/?q=level", "/explorer/?stream=s~level", f"/explorer/?stream=a~level&{SPAN}"):
        text = client.get(address).text.replace("/explorer/?stream=s~level", "").replace('value="s~level"', "")
        assert "987654" not in text
        assert ">s~level<" not in text
    assert client.get("/explorer/origin/?stream=s~level").status_code == 404
    assert town.replaced(ANONYMOUS, "s~level", NOW, 9) == []


def test_streams_are_found_by_what_is_said_of_them(town, client):
    text = client.get("/explorer/?q=humidity").text
    assert "stream=a~humidity" in text.replace("%7E", "~")
    assert "stream=a~level" not in text.replace("%7E", "~")
    of_thing = client.get("/explorer/?thing=a").text.replace("%7E", "~")
    assert "stream=a~humidity" in of_thing
    assert "stream=town~" not in of_thing
    chosen = client.get("/explorer/?stream=a~level&q=humidity").text.replace("%7E", "~")
    assert "stream=a~level&amp;stream=a~humidity" in chosen, "what is found is added to what is there"


def test_streams_are_chosen_by_place_and_nothing_hidden_is_among_them(town, client):
    said = client.get("/explorer/places.json?choose=map&stream=a~humidity").json()
    (place,) = [each for each in said["features"] if each["properties"]["name"].startswith("a ")]
    assert place["geometry"]["coordinates"] == [11.58, 50.9]
    text = client.get("/explorer/?choose=map&stream=a~humidity").text
    assert ">s<" not in text, "the thing of a closed dataset"
    assert not [each for each in said["features"] if each["properties"]["name"].startswith("s ")]
    assert place["properties"]["url"].replace("&", "&amp;") in text, "the list leads where the map leads"
    of_thing = client.get(place["properties"]["url"].partition("#")[0]).text.replace("%7E", "~")
    assert "stream=a~humidity&amp;stream=a~level&amp;" in of_thing, "a place's stream is added to what is there"
    assert "Zurück zu allen Orten" in of_thing
    assert client.get("/explorer/places.json?from=never").status_code == 400


def test_streams_of_the_commons_are_offered(town, client):
    send(town, "w~wind", {NOW: 3}, dataset=COMMONS, observed="wind")
    choosing.forget()
    text = client.get("/explorer/?q=wind").text.replace("%7E", "~")
    assert "stream=w~wind" in text
    assert "Gemeingut" in text
    assert "stream=w~wind" in client.get("/explorer/?dataset=commons").text.replace("%7E", "~")


def test_the_page_says_all_without_a_script(town, client):
    text = client.get(f"/explorer/?stream=a~level&stream=a~humidity&{SPAN}").text
    assert "Zwischen 1\u202f°C und 40\u202f°C; zuletzt 9\u202f°C" in text
    assert '<span class="mark mark--few">' in text, "what is implausible says so"
    assert "keine Daten" in text, "the gap is a row of the table"
    assert "Live-Werte" not in text, "a span that is over does not move"


def test_a_span_is_compared_with_an_earlier_one(town, client):
    send(town, "b~level", {NOW - DAY: 7, NOW: 8})
    said = client.get(f"/explorer/values.json?stream=b~level&{SPAN}&compare=P1D").json()
    assert said["streams"][0]["mean"] == [8]
    assert said["before"]["streams"][0]["mean"] == [7]
    assert said["from"] - said["before"]["from"] == 86_400
    text = client.get(f"/explorer/?stream=b~level&{SPAN}&compare=P1D").text
    assert 'data-back="86400"' in text
    assert "davor" in text


def test_a_file_holds_what_is_seen(town, client):
    answer = client.get(f"/explorer/values.csv?stream=a~level&stream=a~humidity&{SPAN}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["value"] for row in rows if row["stream"] == "a~level"][:3] == ["40", "1", "2"]
    assert [row["value"] for row in rows].count("") == 1, "the gap"
    assert rows[2]["implausible"] == "1"
    assert rows[0]["time_local"] == "2026-06-01 02:00:00"
    german = client.get(f"/explorer/values.csv?stream=a~level~twice&{SPAN}&form=de").content.decode()
    assert german.startswith("\ufeffstream;name;")


def test_how_a_number_was_made(town, client):
    text = client.get("/explorer/origin/?stream=a~level&time=2026-06-01T02:05").text
    assert "Was vorher dort stand" in text, "the reading of 2:00 by the city's clock was corrected"
    assert "einmal korrigiert" in text
    doubtful = client.get("/explorer/origin/?stream=a~level&time=2026-06-01T00:20:00Z").text
    assert "höher, als laut Quelle" in doubtful
    derived = client.get("/explorer/origin/?stream=a~level~twice").text
    assert "Regel „Doppelt“" in derived
    assert "/rules/doubled/value/?stream=a~level~twice" in derived.replace("%7E", "~")
    assert 'href="/explorer/origin/?stream=a~level"' in derived.replace("%7E", "~"), "what it was made of"
    span = client.get(f"/explorer/origin/?stream=a~level&{SPAN}").text
    assert span.count("<tr") == 11
    assert client.get("/explorer/origin/?stream=a~level&time=1999-01-01").status_code == 400


def test_any_page_can_hold_a_panel(town, rf: RequestFactory):
    request = rf.get("/")
    request.house = House(store=town, profile=profile(CHAIN), reader=ANONYMOUS)
    page = Template('{% load series %}{% series_panel ids start="2026-06-01" end="2026-06-02" title="Both" level=3 %}'
                    '{% series_panel "s~level" %}{% series_panel "a~level" span="nonsense" %}')  # fmt: skip
    text = page.render(Context({"request": request, "ids": ["a~level", "s~level"]}))
    assert '<h3 class="kern-heading-medium series__title" id="series-1-title">Both</h3>' in text
    assert "987654" not in text
    assert text.count("data-series-plot") == 2, "of what may not be seen there is no chart"
    assert 'id="series-3"' in text


@pytest.mark.parametrize(
    ("asked", "begins", "ends"),
    [
        ({}, "2026-05-25T00:00:00Z", "2026-06-01T00:00:00Z"),
        ({"from": "-P1M"}, "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        ({"from": "-P1M", "to": "2026-03-31T12:00"}, "2026-02-28T11:00:00Z", "2026-03-31T10:00:00Z"),
        # A week by the clock: the hour of 29 March is missing.
        ({"from": "-P7D", "to": "2026-03-30T08:00"}, "2026-03-23T07:00:00Z", "2026-03-30T06:00:00Z"),
        ({"from": "2026-05-01", "to": "P1D"}, "2026-04-30T22:00:00Z", "2026-06-02T00:00:00Z"),
        ({"from": "2026-05-01T00:00:00 02:00"}, "2026-04-30T22:00:00Z", "2026-06-01T00:00:00Z"),
    ],
)
def test_a_span_is_said_by_clock_and_calendar(asked, begins, ends):
    span = asking.read_span(asked, NOW, BERLIN)
    assert (span.start, span.end) == (parse_instant(begins), parse_instant(ends))


def test_the_calendar_ends(monkeypatch):
    for duration in ("-P9000Y", "P9000Y", "-P9999999D"):
        with pytest.raises(InvalidInput):
            asking.shift(NOW, duration, BERLIN)


@pytest.mark.parametrize("end", ["0001-01-01", "9999-12-31T23:59:59Z"])
def test_a_time_that_no_clock_of_the_city_shows_is_none(end):
    with pytest.raises(InvalidInput, match="is no time"):
        asking.read_moment(end, BERLIN)


def test_who_may_finds_what_is_not_open(town, rf: RequestFactory):
    request = rf.get("/")
    request.house = House(store=town, profile=profile(CHAIN), reader=HOUSE)
    assert {one.id for one in choosing.find_streams(request, "").choices} >= {"s~level", "a~level"}
