"""The explorer in a real browser: found, zoomed and compared by keyboard, read as a table, and without a script."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import audit, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]


def drawn(page: Page) -> None:
    """Wait for the chart and its values."""
    page.wait_for_selector(".uplot", timeout=20_000)
    page.wait_for_load_state("networkidle")


def test_values_are_found_and_read_by_keyboard(visit, axe):
    visitor = visit(width=1280)
    page = visitor.open("/explorer/?simulated=1")
    page.get_by_label("Suchen nach").fill("freie plaetze")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    page.locator("a.explorer__hit").first.focus()
    page.keyboard.press("Enter")
    drawn(page)
    plot = page.get_by_role("slider")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    newest = plot.get_attribute("aria-valuetext")
    assert newest
    page.keyboard.press("Home")
    assert plot.get_attribute("aria-valuetext") not in (newest, "")
    page.keyboard.press("+")
    page.wait_for_url("**from=20**")  # the address says what is seen
    expect(page.locator("[data-series-said]")).not_to_be_empty()
    first = page.url
    page.get_by_role("button", name="Früher").press("Enter")
    page.wait_for_url(lambda url: url != first)
    assert "points=" in str(page.get_by_role("link", name="JSON").get_attribute("href"))
    plot.focus()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "from=20" not in url)
    assert look(page, axe, drawn) == []
    assert visitor.faults == []


def test_a_place_is_chosen_on_the_map_and_from_the_list_beside_it(visit, axe):
    visitor = visit(width=1280)
    page = visitor.open("/explorer/?simulated=1&q=Goethe")
    page.get_by_role("link", name="Auf der Karte wählen").press("Enter")

    def mapped(page: Page) -> None:
        page.locator("[data-choose-map]").scroll_into_view_if_needed()
        page.wait_for_selector("[data-choose-map][data-drawn]", timeout=20_000)

    mapped(page)
    assert look(page, axe, mapped) == []
    page.reload()
    mapped(page)
    place = page.locator("[data-choose-map] canvas")
    place.hover()  # the only one that was found is in the middle
    expect(page.locator("[data-choose-name]")).to_contain_text("Goethe")
    place.click()
    page.wait_for_url("**thing=*")
    assert "Goethe" in page.locator("a.explorer__hit").first.inner_text()
    page.get_by_role("link", name="Zurück zu allen Orten").press("Enter")
    page.locator("a.explorer__hit").first.press("Enter")
    page.locator("a.explorer__hit").first.press("Enter")
    drawn(page)
    assert visitor.faults == []


def test_a_week_is_compared_and_read_as_a_table(visit, axe):
    visitor = visit(locale="en-GB")
    page = visitor.open("/explorer/?simulated=1&q=Goethe")
    page.locator("a.explorer__hit").first.click()
    drawn(page)
    page.get_by_text("Another time, or compare").click()
    page.get_by_label("Compare with").select_option(label="The day before")
    page.get_by_role("button", name="Show").click()
    drawn(page)
    assert page.locator(".series__line--before").count() == 1
    page.get_by_role("button", name="Table", exact=True).click()
    table = page.locator(".series table")
    assert table.is_visible()
    assert table.locator("thead th").count() == 3
    assert "view=table" in page.url
    assert audit(page, axe) == []
    page.get_by_role("link", name="How was this number made?").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").inner_text() == "How was this number made?"
    assert audit(page, axe) == []
    assert visitor.faults == []


def test_all_of_it_is_there_without_a_script(visit):
    page = visit(script=False).open("/explorer/?simulated=1&q=Goethe")
    page.locator("a.explorer__hit").first.click()
    assert page.locator(".series table tbody tr").count() > 5
    assert not page.locator(".series__plot").is_visible()
    page.get_by_role("link", name="1 Tag", exact=True).click()
    assert page.locator("a[aria-current=true]", has_text="1 Tag").count() == 1
