"""An administrator's path: a car park set by hand, with an end and a reason, by keyboard alone."""

import json
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from allmende.domain.profile import Profile
from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]
REASON = "Schleife in der Einfahrt defekt"


@pytest.fixture(scope="module")
def people(served: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Somebody who may all of it."""
    add_people(served, tmp_path_factory.mktemp("people"), operating="steward")


def feed(site: str, name: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{site}/parking/board.json", timeout=20) as answer:
        return next(park for park in json.load(answer)["carParks"] if park["name"] == name)


def tab_to(page: Page, words: str) -> None:
    """Go on with the tabulator until what has the focus is called so."""
    for _ in range(150):
        page.keyboard.press("Tab")
        # a button's words, or those of a field's label
        name = page.evaluate(
            "(document.activeElement.labels?.[0] ?? document.activeElement).innerText.replace(/\\s+/g, ' ').trim()"
        )
        if name.startswith(words):
            return
    pytest.fail(f"no way to {words!r} by keyboard")


def enter_key(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")


def test_set_by_hand_and_given_back_by_keyboard(visit, served: Site, people, profile: Profile, axe, tmp_path: Path):
    visitor = visit(width=390)
    page = enter(visitor, "operating", "/parking/operate/?show=all")
    assert look(page, axe) == []
    name = page.locator("#operate-list h3").first.inner_text()
    tab_to(page, name)
    enter_key(page)
    assert page.locator("h1").inner_text() == name
    tab_to(page, "Freie Plätze")
    page.keyboard.type("7")
    tab_to(page, "Von Hand setzen")
    enter_key(page)
    assert "Bitte sagen Sie in wenigen Worten, warum." in page.locator("#error-override-reason").inner_text()
    assert page.get_by_label("Freie Plätze").input_value() == "7"
    assert look(page, axe) == []
    tab_to(page, "Grund")
    page.keyboard.type(REASON)
    enter_key(page)  # a form is sent from any of its fields
    assert "Das ist eingetragen" in page.get_by_role("status").first.inner_text()
    until = (datetime.now(ZoneInfo(profile.time_zone)) + timedelta(hours=2)).replace(minute=0)
    told = feed(served.url, name)
    assert (told["free"], told["reason"]) == (7, "override")
    assert f"bis {until:%H:%M}: {REASON}" in told["decided"] or REASON in told["decided"]  # also over midnight
    board = visit(width=1280).open("/parking/")
    assert REASON in board.locator("#parks").inner_text()
    board.close()
    tab_to(page, "Beenden")
    enter_key(page)
    assert feed(served.url, name)["reason"] != "override"
    assert REASON in page.get_by_role("group", name="Was früher galt").inner_text()
    page.goto(f"{served.url}/office/audit/")
    assert "parking.end-override" in page.locator("main").inner_text()
    # What was lacking is answered with 422, which Chromium notes.
    assert [fault for fault in visitor.faults if "422" not in fault] == []
