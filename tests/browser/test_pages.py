"""Every page in a real browser: nothing foreign, no error, nothing that axe finds, readable at 320 pixels."""

import pytest
from playwright.sync_api import Page

from tests.browser.looking import audit, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]

PAGES = [
    "/",
    "/parking/",
    "/parking/tariffs/",
    "car park",
    "/sources/",
    "/about/",
    "/api/",
    "/accessibility/",
    "/privacy/",
    "/feedback/",
    "/security/",
    "/imprint/",
    "/licences/",
    "/transparency/",
    "/accounts/login/",
    "/there-is-no-such-page/",
]


def show_all(page: Page) -> None:
    """Scroll through, so that everything is drawn that waits for being seen."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    if page.locator("[data-map]").count():
        page.wait_for_selector(".pin, .map__failed", timeout=20_000)
    if page.locator("[data-series]").count():
        page.wait_for_selector(".uplot", timeout=20_000)
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("path", PAGES)
def test_page_is_sound(visit, car_park, axe, path):
    """Narrow and wide, light and dark; and nothing sticks out at 320 pixels, which is 400 percent."""
    visitor = visit(width=390)
    page = visitor.open(car_park if path == "car park" else path)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "de"
    assert look(page, axe, show_all) == []
    assert visitor.faults == []


def test_chart_can_be_read_as_table(visit, car_park, axe):
    visitor = visit()
    page = visitor.open(car_park)
    show_all(page)
    table = page.locator("[data-span=day] table")
    assert not table.is_visible()
    page.get_by_role("button", name="Tabelle").first.click()
    assert table.is_visible()
    assert table.locator("tbody tr").count() == 96
    assert audit(page, axe) == []
    assert visitor.faults == []


def test_english_is_complete_on_the_board(visit, profile):
    page = visit(locale="en-GB").open("/parking/")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("h1").inner_text() == f"Parking in {profile.name}"
    assert "Simulated values." in page.locator(".notice").inner_text()


def test_language_is_chosen_by_a_link_without_script(visit, profile):
    page = visit(script=False).open("/parking/")
    page.get_by_role("link", name="EN", exact=True).click()
    assert page.url.endswith("/parking/")
    assert page.locator("h1").inner_text() == f"Parking in {profile.name}"


def test_appearance_is_remembered(visit):
    visitor = visit()
    page = visitor.open("/")
    page.get_by_label("Dunkel").check()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.kernTheme") == "dark"
    assert page.get_by_label("Dunkel").is_checked()
