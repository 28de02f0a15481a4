"""A forecast as citizens see it: what comes, how sure that is, how often it was right."""

import math
import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import COMMAND, ROOT, Site, serve
from tests.browser.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]
PLACES = ("mobilitaet-jena-Krautgasse", "mobilitaet-jena-Holzmarkt")


def constructed() -> bytes:
    """Three weeks and some days of two car parks: the course of a day, on a level of each day's own."""
    chance = random.Random(3)
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    lines, level = ["timestamp,place_id,free"], 0
    for step in range(26 * 48, -1, -1):
        at = end - timedelta(minutes=30 * step)
        if step % 48 == 0:
            level = chance.randrange(-15, 16)
        wave = 40 * math.cos((at.hour + at.minute / 60) / 24 * 2 * math.pi)
        lines += [f"{at.isoformat()},{place},{round(70 + wave + level + chance.random())}" for place in PLACES]
    return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Of its own: others look at the same car parks."""
    yield from serve(tmp_path_factory)


@pytest.fixture(scope="module")
def site(served: Site) -> str:
    return served.url


@pytest.fixture(scope="module")
def forecast(served: Site, profile) -> None:
    """The house has learned from a constructed recording and issued a run."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    if "parking" not in profile.forecasts:
        pytest.skip("this house is another city's")
    for words, body in ((["import", "jena-parking", "-"], constructed()), (["forecast", "parking", "--learn"], b"")):
        subprocess.run([COMMAND, *words], env=served.environment, input=body, capture_output=True, check=True, cwd=ROOT)


@pytest.mark.parametrize("width", [390, 1280])
def test_anybody_sees_what_comes_and_how_good_that_was(visit, forecast, axe, width):
    visitor = visit(width=width)
    page = visitor.open("/forecasts/")
    found = look(page, axe)
    page.get_by_role("link", name="Freie Plätze bei der Ankunft").click()
    page.wait_for_load_state("networkidle")
    text = page.locator("main").inner_text()
    assert "Am Ende der Vorhersage wahrscheinlich" in text
    assert "In der Prüfung an der Vergangenheit lag sie im Mittel um" in text
    assert "Es sind weniger als vier Wochen bekannt" in text
    assert page.locator("svg.forecast__chart polygon").count() == 1
    page.get_by_text("Tabelle", exact=True).click()
    assert page.locator("main tbody tr").count() >= 20
    found += look(page, axe)
    assert found == []
    assert visitor.faults == []
