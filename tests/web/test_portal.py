"""The portal's pages as a client sees them: languages, sources in words, the map's ground, errors."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from allmende.domain.profile import SourceProfile
from allmende.domain.store import SourceState
from allmende.web.house import open_profile
from allmende.web.instruments.listing import instruments
from allmende.web.portal import views
from allmende.web.portal.sources import judge

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAGES = [
    "/",
    "/instruments/",
    "/parking/",
    "/parking/signs/",
    "/sources/",
    "/about/",
    "/api/",
    "/accessibility/",
    "/privacy/",
    "/imprint/",
    "/licences/",
    "/transparency/",
    "/security/",
]


def before(**ago: float) -> int:
    return int((NOW - timedelta(**ago)).timestamp() * 1_000_000)


def source(**changed: object) -> SourceProfile:
    values = {"id": "feed", "connector": "x", "title": {"de": "x"}, "enabled": True, "dataset": "d", "interval": "PT5M"}
    return SourceProfile(**{**values, **changed})  # type: ignore[arg-type]


@pytest.fixture
def client(db) -> Client:
    return Client(headers={"accept-language": "de"})


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_page_is_there_in_both_languages(db, path, language):
    answer = Client(headers={"accept-language": language}).get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert "style=" not in answer.text.replace('rel="stylesheet"', "")
    assert "onclick" not in answer.text


def test_simple_german_says_what_it_can_and_the_rest_in_german(client):
    assert client.get("/language/de-simple/?next=/about/").status_code == 302
    about, sources = client.get("/about/").text, client.get("/sources/").text
    assert '<html lang="de-simple">' in about
    assert "Das versprechen wir" in about
    assert "Daten-Sammlungen" in sources  # of its own words
    assert "Barrierefreiheit" in sources  # has none of its own


def test_an_instrument_leads_to_its_page(client):
    page = client.get("/instruments/").text
    for instrument in instruments():
        assert f'href="{reverse(instrument.address)}"' in page


def test_language_without_a_wish_is_german(db):
    assert '<html lang="de">' in Client().get("/").text


def test_language_is_kept_in_a_cookie_and_leads_back(client):
    answer = client.get("/language/en/?next=/parking/")
    assert (answer.status_code, answer["Location"]) == (302, "/parking/")
    assert '<html lang="en">' in client.get("/").text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_language_never_leads_to_another_host(client, target):
    assert client.get("/language/en/", {"next": target})["Location"] == "/"


def test_language_that_is_not_spoken_is_not_found(client):
    assert client.get("/language/fr/").status_code == 404


@pytest.mark.parametrize("name", ["boundary", "districts", "waters"])
def test_ground_comes_from_the_profile_and_is_cached(client, name):
    answer = client.get(f"/geo/{name}.json")
    assert answer.json()["attribution"] == open_profile().geography.attribution
    assert answer.json()["features"] == getattr(open_profile().geography, name)["features"]
    assert "max-age=3600" in answer["Cache-Control"]
    again = client.get(f"/geo/{name}.json", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_ground_of_another_name_is_not_found(client):
    assert client.get("/geo/secrets.json").status_code == 404


def test_unknown_page_and_car_park_are_said_in_the_design(client):
    for path in ("/there-is-nothing/", "/parking/nobody/", "/parking/nobody/now"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Diese Seite gibt es nicht" in answer.text


def test_unknown_range_says_what_would_be_right(client):
    answer = client.get("/parking/nobody/history.json?range=year")
    assert answer.status_code == 400
    assert "„day“ oder „week“" in answer.json()["error"]


def test_fragment_is_no_page(client):
    answer = client.get("/parking/board")
    assert "<html" not in answer.text
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("profile", "known", "state"),
    [
        (source(enabled=False), SourceState(id="feed"), "off"),
        (source(), SourceState(id="feed"), "waiting"),
        (source(), SourceState(id="feed", last_success=before(minutes=4)), "working"),
        (source(), SourceState(id="feed", last_success=before(minutes=16)), "late"),
        (source(), SourceState(id="feed", last_error="gone", last_error_at=before(minutes=1)), "failing"),
        (
            source(),
            SourceState(id="feed", last_success=before(minutes=3), last_error="gone", last_error_at=before(minutes=1)),
            "failing",
        ),
        (
            source(),
            SourceState(id="feed", last_success=before(minutes=1), last_error="gone", last_error_at=before(minutes=3)),
            "working",
        ),
        (
            source(),
            SourceState(id="feed", last_received=before(minutes=1), last_error="gone", last_error_at=before(minutes=3)),
            "failing",
        ),
        (source(interval=""), SourceState(id="feed", last_received=before(hours=23)), "working"),
        (source(interval=""), SourceState(id="feed", last_received=before(hours=25)), "late"),
    ],
)
def test_state_of_a_source(profile, known, state):
    assert judge(profile, known, NOW) == state


def test_sources_that_never_spoke_are_listed_in_words(client):
    text = client.get("/sources/").text
    for listed in open_profile().sources.values():
        assert listed.title["de"] in text
    with translation.override("de"):
        assert "Noch keine Daten" in text


def test_sources_that_are_switched_off_come_last_and_without_counts(client):
    text = client.get("/sources/").text
    sources = open_profile().sources.values()
    places = {listed.id: text.index(f'id="source-{listed.id}"') for listed in sources}
    used = [places[listed.id] for listed in sources if listed.enabled]
    unused = [places[listed.id] for listed in sources if not listed.enabled]
    assert max(used) < min(unused, default=len(text))
    assert text.count('class="source__counts"') == len(used)


def test_error_page_needs_no_house():
    answer = views.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Bei uns ist ein Fehler passiert" in answer.text
    assert "Zur Startseite" in answer.text


def test_error_page_needs_not_even_its_design(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no templates today")

    monkeypatch.setattr(views, "render", fail)
    answer = views.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Bei uns ist ein Fehler passiert" in answer.text
