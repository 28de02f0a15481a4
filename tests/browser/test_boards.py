"""A dashboard from the empty form to the wall, by the keyboard alone; and the one that the city brings."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("instruments")]

_NAMED = """() => {
  const at = document.activeElement;
  const label = at.labels?.length ? at.labels[0].innerText : '';
  return [at.tagName, (label || at.getAttribute('aria-label') || at.textContent || '').trim()];
}"""


@pytest.fixture(scope="module")
def people(served: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Somebody who may open boards to all."""
    add_people(served, tmp_path_factory.mktemp("people"), weberin="editor")


def reach(page: Page, name: str, tag: str = "") -> None:
    """Go on with the tabulator until what is called so has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        found_tag, found = page.evaluate(_NAMED)
        if re.match(name, found) and tag in ("", found_tag):
            return
    pytest.fail(f"{name} is not reached by keyboard on {page.url}")


def choose(page: Page, name: str, tag: str = "") -> None:
    """Reach it, press Enter, and wait for what comes."""
    reach(page, name, tag)
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")


def write(page: Page, name: str, text: str) -> None:
    reach(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_board_is_composed_by_keyboard_published_and_restored(visit, people, served, axe):
    visitor = visit(width=1280)
    page = enter(visitor, "weberin", "/boards/new/")
    write(page, "Titel", "Meine Wege")
    choose(page, "Weiter", "BUTTON")

    choose(page, "Chart over time|Verlauf", "A")
    write(page, "Überschrift", "Holzmarkt")
    write(page, "Wörter", "holzmarkt")
    choose(page, "Suchen$", "BUTTON")
    reach(page, "Holzmarkt", "INPUT")
    page.keyboard.press("Space")
    found = look(page, axe)
    choose(page, "Übernehmen", "BUTTON")

    choose(page, "Text$", "A")
    write(page, "Überschrift", "Gruß")
    write(page, "Text", "Guten **Morgen**")
    choose(page, "Übernehmen", "BUTTON")

    # the newer one before the other, and wider
    choose(page, "Nach oben: Gruß", "BUTTON")
    choose(page, "zwei Spalten|2", "BUTTON")
    found += look(page, axe)
    headings = page.locator(".compose__tile h3")
    assert headings.all_inner_texts() == ["Gruß", "Holzmarkt"]
    choose(page, "Für wen es ist", "A")
    reach(page, "Nur für mich", "INPUT")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    choose(page, "Übernehmen", "BUTTON")
    choose(page, "Veröffentlichen", "A")
    choose(page, "Veröffentlichen", "BUTTON")
    board = page.url
    page.wait_for_selector(".uplot", timeout=20_000)
    found += look(page, axe)

    nobody = visit(width=390)
    seen = nobody.open(board.removeprefix(served.url))
    assert seen.locator(".tile--text strong").inner_text() == "Morgen"
    assert "Holzmarkt" in seen.locator(".tiles").inner_text()
    assert seen.locator(".series table").count() == 1

    # a second version, and the first one again
    choose(page, "Zusammenstellen", "A")
    choose(page, "Herausnehmen: Gruß", "BUTTON")
    choose(page, "Veröffentlichen", "A")
    choose(page, "Veröffentlichen", "BUTTON")
    seen.reload()
    assert seen.locator(".tile--text strong").count() == 0
    choose(page, "Fassungen", "A")
    choose(page, "Fassung 1", "A")
    found += look(page, axe)
    choose(page, "Wieder zum Entwurf machen", "BUTTON")
    choose(page, "Veröffentlichen", "A")
    choose(page, "Veröffentlichen", "BUTTON")
    seen.reload()
    assert seen.locator(".tile--text strong").inner_text() == "Morgen"
    assert found == []
    assert visitor.faults + nobody.faults == []


def test_the_citys_board_and_its_wall(visit, profile, axe):
    visitor = visit(width=1280)
    page = visitor.open("/boards/")
    page.get_by_role("link", name=re.compile("heute$")).first.click()
    page.wait_for_load_state("networkidle")
    found = look(page, axe)
    name = page.url.rstrip("/").split("/")[-1]
    # paused, it asks for nothing more
    page.get_by_role("button", name="Live-Aktualisierung anhalten").click()
    assert page.locator("[data-board-status]").inner_text() == "Aktualisierung angehalten"

    visitor.context.clock.install()
    wall = visitor.open(f"/boards/{name}/wall/?then=none&seconds=3600")
    found += look(wall, axe)
    assert wall.locator("nav").count() == 0
    # another value came for the second tile: it alone is replaced, and no page is loaded
    wall.locator("[data-tile]").nth(1).evaluate("tile => { tile.dataset.sign = 'old'; }")
    wall.evaluate("document.querySelectorAll('[data-tile]').forEach(tile => tile.setAttribute('data-kept', ''))")
    visitor.context.clock.run_for(70_000)
    wall.locator("[data-tile]:not([data-kept])").first.wait_for()
    assert wall.locator("[data-tile]").nth(1).get_attribute("data-kept") is None
    assert wall.locator("[data-tile]").nth(0).get_attribute("data-kept") == ""
    # it hangs there for weeks: in the night after it was opened it begins anew, once, where the house answers
    now = datetime.now(ZoneInfo(profile.time_zone))
    night = (now + timedelta(hours=37)).replace(hour=3, minute=10)
    with wall.expect_navigation():
        visitor.context.clock.fast_forward(int((night - now).total_seconds() * 1000))
        visitor.context.clock.run_for(2000)
    assert wall.locator("[data-tile][data-kept]").count() == 0
    assert wall.locator("[data-tile]").count() > 3
    assert found == []
    assert visitor.faults == []
