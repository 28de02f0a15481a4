"""A planner's path, by keyboard: how a car park is used, what an event, a closure, a tariff and a new car park changed
here and around, each chart as a table, files, and the monthly report."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from allmende.domain.profile import Profile
from tests.browser.conftest import Site
from tests.browser.looking import add_people, audit, enter, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]
EVENT = "Konstruiertes Stadtfest"


def choose(page: Page, label: str, words: str) -> None:
    """Choose by typing, as somebody without a mouse does."""
    page.get_by_label(label, exact=True).focus()
    page.keyboard.type(words)


def press_key(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")


def file_of(page: Page, name: str) -> list[list[str]]:
    with page.expect_download() as found:
        page.get_by_role("link", name=name).click()
    return [line.split(",") for line in Path(found.value.path()).read_text().splitlines()]


def written_down(page: Page, site: str, start: datetime, until: datetime) -> None:
    """An event of the operators that has ended: the planner finds it."""
    page.get_by_label("Name", exact=True).fill(EVENT)
    page.get_by_label(site, exact=True).check()
    page.locator("#id_event-start").fill(f"{start:%Y-%m-%dT%H:%M}")
    page.locator("#id_event-until").fill(f"{until:%Y-%m-%dT%H:%M}")
    press_key(page, "Eintragen")
    press_key(page, f"Beenden : {EVENT}")


def test_a_planner_asks_what_changed_here_and_around_by_keyboard(
    visit: Any, served: Site, profile: Profile, tmp_path: Path, axe: str
) -> None:
    add_people(served, tmp_path, planning="editor")
    zone = ZoneInfo(profile.time_zone)
    now = datetime.now(zone)
    visitor = visit(width=390)
    page = enter(visitor, "planning", "/parking/operate/events/")
    name = page.locator("fieldset label").first.inner_text()
    written_down(page, name, now - timedelta(days=10), now + timedelta(hours=1))
    # how it is used
    page.goto(f"{served.url}/parking/plan/")
    choose(page, "Parkplatz", name)
    press_key(page, "Zeigen")
    assert "Am Tag kamen mindestens" in page.locator("#turnover-words").inner_text()
    assert "sind üblicherweise" in page.locator("#week-words").inner_text()
    assert len(file_of(page, "Der Umschlag als Datei (CSV)")) == 29
    assert len(file_of(page, "Die Woche als Datei (CSV)")) == 1 + 7 * 24
    # the event, from the list
    page.locator("#known").focus()
    page.locator("#known").select_option(label=next(
        words for words in page.locator("#known option").all_inner_texts() if EVENT in words
    ))  # fmt: skip
    press_key(page, "Ausfüllen")
    first = (now - timedelta(days=10)).date()
    assert page.locator("#date").input_value() == first.isoformat()
    page.locator("#weeks").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    press_key(page, "Zeigen")
    assert "Plätze" in page.locator("#effect-words").inner_text()
    assert "ist noch nicht vorbei" in page.locator("main").inner_text()
    around = page.locator("#effect-words p").count()
    page.get_by_text("Die Tage als Tabelle").focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open] tbody tr").count() >= 20
    assert look(page, axe) == []
    assert len(file_of(page, "Diese Antwort als Datei (CSV)")) == 1 + 2 * around  # the weeks after are still to come
    # one neighbour alone, and what else may have changed it
    while page.locator("input[name=around]:checked").count() > 1:
        page.locator("input[name=around]:checked").last.focus()
        page.keyboard.press("Space")
    for what, code in (("eine Sperrung", "closure"), ("ein neues", "garage"), ("ein Tarif", "tariff")):
        page.locator("#what").focus()
        page.keyboard.type(what)
        press_key(page, "Zeigen")
        assert f"what={code}" in page.url
        assert EVENT in page.locator("#beside").inner_text()
    assert page.locator("#effect-words p").count() == 2 < around
    address = page.url
    page.get_by_role("link", name="Einfach").first.click()
    page.wait_for_load_state("networkidle")
    assert audit(page, axe) == []
    english = visit(locale="en-GB", width=1280).open(address.removeprefix(served.url))
    assert "What else was in these weeks" in english.content()
    assert audit(english, axe) == []
    # the monthly report
    page = visitor.open("/parking/reports/")
    page.locator("main a[href*='reports/20']").first.focus()
    assert audit(page, axe) == []
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert name in page.locator("table").inner_text()
    assert audit(page, axe) == []
    assert visitor.faults == []
