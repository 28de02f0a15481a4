"""Alerts: what everybody sees and why, and the desk of those who see to them."""

import subprocess
import time
import urllib.request
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]


@pytest.fixture(scope="module")
def high_water(served: Site, profile: Any) -> None:
    """The Saale rises at Rudolstadt (constructed), and the worker has raised the alert."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    if "high-water-1" not in profile.alerts:
        pytest.skip("this house is another city's")
    now = datetime.now(ZoneInfo(profile.time_zone))
    rows = [
        f"570300;Rudolstadt;Saale;{now - timedelta(minutes=15 * back + 1):%d.%m.%Y %H:%M};{190 - 10 * back};"
        for back in range(8)
    ]
    body = "\n".join(("Pegelnummer;Name;Gewässer;Zeit;Wasserstand;Abfluss", *reversed(rows), "")).encode()
    subprocess.run([COMMAND, "import", "hnz", "-"], env=served.environment, input=body, check=True, cwd=ROOT)
    until = time.monotonic() + 60
    while b"high-water-1~" not in urllib.request.urlopen(f"{served.url}/alerts/", timeout=20).read():
        assert time.monotonic() < until, "nothing was raised"
        time.sleep(0.5)


def test_everybody_sees_what_lasts_and_why(visit: Any, high_water: None, axe: str) -> None:
    visitor = visit(width=390)
    page = visitor.open("/alerts/")
    found = look(page, axe)
    page.get_by_role("link", name="Hochwasser: Meldestufe 1: Rudolstadt (Saale)").click()
    page.wait_for_load_state("networkidle")
    text = page.locator("main").inner_text()
    for words in ("180 cm", "max(level) >= 180", "Meiden Sie das Ufer", "Warnung"):
        assert words in text
    assert page.locator("figure.series").count() == 1
    found += look(page, axe)
    page.get_by_role("link", name="Einfach").click()
    page.wait_for_load_state("networkidle")
    assert "Gehen Sie nicht an das Ufer." in page.locator("main").inner_text()
    assert found == []
    assert visitor.faults == []


def test_who_may_sees_to_it(visit: Any, high_water: None, served: Site, tmp_path: Any, axe: str) -> None:
    add_people(served, tmp_path, warden="admin")
    visitor = visit(width=1280)
    page = enter(visitor, "warden", "/office/alerts/")
    found = look(page, axe)
    page.locator("li", has_text="Hochwasser: Meldestufe 1").get_by_role("button", name="Bestätigen").click()
    page.wait_for_load_state("networkidle")
    assert "warden" in page.locator("main").inner_text()
    page.get_by_label("Welche Warnung").select_option("high-water-start")
    page.get_by_label("Warum").fill("Der Pegel wird gewartet")
    press(page, "Stummschalten")
    assert "Der Pegel wird gewartet" in page.locator("main").inner_text()
    page.get_by_role("link", name="„Hochwasser: Meldestufe 1“ an der Vergangenheit erproben").click()
    page.wait_for_load_state("networkidle")
    assert "Sie wäre in 30 Tagen einmal ausgelöst worden." in page.locator("main").inner_text()
    found += look(page, axe)
    page.goto(f"{served.url}/office/alerts/deliveries/")
    found += look(page, axe)
    page.goto(f"{served.url}/office/alert/high-water-1/edit/")
    assert page.locator("[name='raise']").input_value() == "max(level) >= level1"
    found += look(page, axe)
    assert found == []
    assert visitor.faults == []
