"""The path of an analyst through all instruments: find a gauge, compare two weeks, see how a number was made, keep it
on a dashboard, be told when it is too much."""

import subprocess
import time
import urllib.request
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.looking import add_people, audit, enter, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("instruments")]

NAME, STREAM = "Analystenbrücke", "hnz-999001~water-level"


class Gauge:
    """A gauge at the Saale whose newest week was higher (constructed); its readings come as those of the state do."""

    def __init__(self, served: Site, zone: ZoneInfo) -> None:
        if served.environment is None:
            pytest.skip("a house that is given is looked after by somebody else")
        self._environment, self._zone = served.environment, zone
        now = datetime.now(zone).replace(minute=0)
        hours = [now - timedelta(hours=back) for back in range(21 * 24, 0, -1)]
        self.measure(*((hour, (120 if now - hour <= timedelta(days=7) else 80) + hour.hour) for hour in hours))

    def measure(self, *rows: tuple[datetime, int]) -> None:
        """Take readings in; without any, a flood that is there now."""
        found = rows or ((datetime.now(self._zone), 700),)
        lines = [f"999001;{NAME};Saale;{when:%d.%m.%Y %H:%M};{level};" for when, level in found]
        body = "\n".join(("Pegelnummer;Name;Gewässer;Zeit;Wasserstand;Abfluss", *lines, "")).encode()
        subprocess.run([COMMAND, "import", "hnz", "-"], env=self._environment, input=body, check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def gauge(served: Site, profile: Any) -> Gauge:
    if "hnz" not in profile.sources:
        pytest.skip("this house is another city's")
    return Gauge(served, ZoneInfo(profile.time_zone))


def settled(page: Page) -> None:
    """Wait for the chart and its values."""
    page.wait_for_selector(".uplot", timeout=20_000)
    page.wait_for_load_state("networkidle")


def test_from_the_gauge_to_the_message(visit, served, gauge, tmp_path, axe):
    add_people(served, tmp_path, analystin="admin", kollegin="admin")
    visitor = visit(width=1280)

    # find the gauge, and compare two weeks
    page = visitor.open("/explorer/")
    page.get_by_label("Suchen nach").fill("Analystenbruecke")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=Analystenbruecke*")
    page.wait_for_load_state("networkidle")
    hit, until = page.locator("a.explorer__hit", has_text=NAME).first, time.monotonic() + 90
    while hit.count() == 0 and time.monotonic() < until:  # the list is read anew once in a while
        time.sleep(2)
        page.reload()
    hit.click()
    settled(page)
    page.get_by_role("link", name="1 Woche", exact=True).click()
    settled(page)
    page.get_by_text("Andere Zeit oder Vergleich").click()
    page.get_by_label("Vergleichen mit").select_option(index=2)
    page.get_by_role("button", name="Zeigen").click()
    settled(page)
    assert page.locator(".series__line--before").count() == 1
    found = audit(page, axe)

    # see how the newest number was made
    page.get_by_role("link", name="Wie kam diese Zahl zustande?").click()
    page.wait_for_load_state("networkidle")
    assert NAME in page.locator("main").inner_text()
    found += audit(page, axe)

    # keep it on a dashboard
    page = enter(visitor, "analystin", "/boards/new/")
    page.get_by_label("Titel", exact=True).first.fill("Brücken")
    press(page, "Weiter")
    page.get_by_role("link", name="Verlauf").first.click()
    page.wait_for_load_state("networkidle")
    page.get_by_label("Überschrift").first.fill("Wie hoch steht die Saale?")
    page.get_by_label("Wörter").fill(NAME)
    press(page, "Suchen")
    page.get_by_label(NAME).first.check()
    press(page, "Übernehmen")
    page.get_by_role("link", name="Veröffentlichen").click()
    page.wait_for_load_state("networkidle")
    press(page, "Veröffentlichen")
    settled(page)
    assert "Wie hoch steht die Saale?" in page.locator(".tiles").inner_text()

    # set an alert
    page.goto(f"{served.url}/office/new/alert/?id=analyst-flood")
    page.locator("#id_title-de").fill("Die Brücke wird gesperrt")
    page.locator("#id_title-en").fill("The bridge is closed")
    page.locator("#id_dataset").select_option("water-levels")
    page.get_by_label("Alle werden gewarnt").check()
    page.locator("#id_inputs").fill('level = {"property": "water-level", "unit": "cm"}')
    page.locator("#id_raise").fill("level > 500")
    page.locator("#id_reason").fill("Ab 500 steht sie unter Wasser")
    press(page, "Speichern und zur Freigabe vorschlagen")
    found += audit(page, axe)
    other = enter(visit(), "kollegin", "/office/alert/analyst-flood/")
    press(other, "Freigeben")
    assert "Freigegeben" in other.get_by_role("status").inner_text()

    # receive it
    feed = f"{served.url}/subscriptions/feed.atom?stream={STREAM}"
    until = time.monotonic() + 60
    told = ""
    while "Die Brücke wird gesperrt" not in told:
        assert time.monotonic() < until, told
        gauge.measure()
        time.sleep(1)
        with urllib.request.urlopen(feed, timeout=20) as answer:
            told = answer.read().decode()
    page.goto(f"{served.url}/alerts/")
    page.get_by_role("link", name="Die Brücke wird gesperrt").first.click()
    page.wait_for_load_state("networkidle")
    text = page.locator("main").inner_text()
    assert "level > 500" in text
    assert "700" in text
    found += audit(page, axe)
    assert found == []
    assert visitor.faults == []
