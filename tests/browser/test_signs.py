"""A sign operator's path, by keyboard: finds a sign, reads why it shows what it shows, puts a text on it, ends it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]
SIGN = "Konstruierter Mast 01 a"


def follow(page: Page, role: Any, name: str) -> None:
    """Go to a link or button by the keyboard and open it."""
    found = page.get_by_role(role, name=name).first
    found.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")


def write(page: Page, label: str, text: str) -> None:
    """Type into a field as somebody without a mouse does."""
    page.get_by_label(label, exact=True).focus()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_an_operator_puts_a_text_on_a_sign_and_takes_it_back_by_keyboard(
    visit: Any, served: Site, profile: Any, tmp_path: Any, axe: str
) -> None:
    if profile.id != "jena":
        pytest.skip("this house is another city's")
    add_people(served, tmp_path, signwoman="editor")
    visitor = visit(width=1280)
    page = enter(visitor, "signwoman", "/parking/signs/operate/")
    assert "Alle Anzeigen laufen von selbst." in page.locator("main").inner_text()
    follow(page, "link", "Alle Anzeigen")
    assert "94 von 94 Anzeigen an 48 Masten" in page.locator("main").inner_text()
    page.get_by_label("Straße", exact=True).focus()
    page.keyboard.type("Fürs")
    follow(page, "button", "Zeigen")
    assert "12 von 94 Anzeigen" in page.locator("main").inner_text()
    found = look(page, axe)
    follow(page, "link", SIGN)
    assert "Simulierte Ansicht" in page.locator("main").inner_text()
    follow(page, "link", "Einen Text auf diese Anzeige setzen")
    write(page, "Text auf Deutsch", "Weihnachtsmarkt: bitte P+R nutzen")
    write(page, "Grund", "Weihnachtsmarkt")
    follow(page, "button", "Auf die Anzeigen setzen")
    assert "passen 16" in page.locator(".kern-error").inner_text()
    found += look(page, axe)
    write(page, "Text auf Deutsch", "P+R nutzen")
    follow(page, "button", "Auf die Anzeigen setzen")
    assert "Die Änderung ist auf 1 Anzeigen." in page.locator("main").inner_text()
    page.goto(f"{visitor.site}/parking/signs/constructed-01-a/")
    assert page.get_by_role("img", name="Simulierte Ansicht: P+R nutzen").count() == 1
    assert "Text der Betreiberin bis" in page.locator("main").inner_text()
    found += look(page, axe)
    follow(page, "link", "Einen Text auf diese Anzeige setzen")
    follow(page, "button", "Zurück zur Automatik")
    assert "Die Anzeigen laufen wieder von selbst." in page.locator("main").inner_text()
    # one for tomorrow is looked at, written down, and not shown before
    page.goto(f"{visitor.site}/parking/signs/operate/?sign=constructed-01-a")
    write(page, "Text auf Deutsch", "Umleitung")
    write(page, "Grund", "Bauarbeiten")
    tomorrow = datetime.now(ZoneInfo(profile.time_zone)) + timedelta(days=1)
    page.locator("#start").fill(f"{tomorrow:%Y-%m-%dT%H:%M}")
    page.locator("#until").fill(f"{tomorrow + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    follow(page, "button", "Vorschau")
    assert page.get_by_role("img", name="Simulierte Ansicht: Umleitung").count() == 1
    found += look(page, axe)
    follow(page, "button", "Auf die Anzeigen setzen")
    assert "ab seinem Beginn" in page.locator("main").inner_text()
    assert "noch nicht" in page.get_by_role("row", name="Umleitung").inner_text()
    page.goto(f"{visitor.site}/parking/signs/constructed-01-a/")
    assert page.get_by_role("img", name="Simulierte Ansicht: Umleitung").count() == 0
    follow(page, "link", "Einen Text auf diese Anzeige setzen")
    follow(page, "button", "Zurück zur Automatik")
    page.goto(f"{visitor.site}/parking/signs/constructed-01-a/")
    follow(page, "link", "Einfach")
    assert "Warum zeigt das Schild das?" in page.locator("main").inner_text()
    assert found == []
    assert [fault for fault in visitor.faults if "400 (Bad Request)" not in fault] == []  # the text that did not fit
