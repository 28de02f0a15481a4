"""The page of what will be free, over a house of Jena."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from allmende.city.parking.arrival import views
from allmende.city.parking.arrival.expect import Expectation
from allmende.web.house import open_profile
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture(autouse=True)
def jena() -> None:
    if open_profile().id != "jena":
        pytest.skip("asks for Jena's car parks")


def page(language: str = "de") -> str:
    answer = Client(headers={"accept-language": language}).get("/parking/arrival/")
    assert answer.status_code == 200
    return str(answer.content.decode()).replace("\u202f", " ")


def test_without_a_forecast_the_page_says_so_and_shows_the_judgement() -> None:
    said = page()
    assert "Zurzeit keine Vorhersage" in said
    assert "Mittel der Parkhäuser" in said
    assert said.count('<polyline class="forecast__middle"') == 2
    assert said.count("Tabelle: mindestens") == 4  # each chart's values, named twice
    assert "Voll: übersehen und falsch gesagt" in said
    assert "mobilitaet-jena" not in said  # places have the names that people call them by, not those of a recording
    assert said.count(">Häckelplatz</th>") == 3  # expected, off by, full
    assert "Recorded from" in page("en")


def test_what_is_expected_is_told_with_its_range_its_chances_and_a_warning(monkeypatch) -> None:
    def told(store, reader, sites, moments, now):
        assert "parking-eichplatz" in [site.id for site in sites]
        return {"parking-eichplatz": [
            Expectation(site="parking-eichplatz", at=at, free=free, low=free - 2, high=free + 30, chance_of_one=chance,
                        chance_of_five=0.42, issued=now - timedelta(minutes=5), model="boosted", learned="", error=4.25,
                        skill=0.3, held=0.8, judged=900, changed_since="2025-02-03", fallback="stale")
            for at, free, chance in zip(moments[:3], (120, 20, 4), (0.999, 0.7, 0.001), strict=True)
        ]}  # fmt: skip

    monkeypatch.setattr(views, "expect_many", told)
    said = page()
    assert "118 bis 150" in said
    assert "1 frei: fast sicher" in said
    assert "1 frei: 70 %" in said
    assert "1 frei: kaum" in said
    assert "5 frei: 42 %" in said
    assert "Seit dem 03.02.2025 irrt die Vorhersage mehr" in said
    assert "zuletzt im Mittel um 4,2 Plätze daneben" in said
    assert "einfacheres Verfahren" in said
    sites = Client().get("/parking/arrival/arrival.json").json()["sites"]
    (one,) = [site for site in sites if site["id"] == "parking-eichplatz"]
    assert [each["free"] for each in one["expectations"]] == [120, 20, 4]
    assert one["expectations"][0]["changedSince"] == "2025-02-03"


def test_the_judgement_of_the_docs_is_that_of_the_page() -> None:
    docs = Path(__file__).parents[4] / "docs" / "reference" / "parking-forecasts.md"
    profile = Path(__file__).parents[4] / "cities" / "jena" / "parking" / "arrival.toml"
    from allmende.city.parking.arrival.kept import kept_of

    kept = kept_of(open_profile())
    assert kept is not None
    assert kept.recording in profile.read_text("utf-8")
    for share in kept.report.below:
        assert f"**{100 * share:.1f} %**" in docs.read_text("utf-8")
