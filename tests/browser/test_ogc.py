"""The OGC interface's pages: readable on any screen, usable by keyboard without script, silent towards all others."""

import re

import pytest

from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme", "more"), [(390, "dark", ""), (1280, "light", "/ogc/v1/api")])
def test_pages_are_accessible(visit, axe, width, scheme, more):
    visitor = visit(width=width, scheme=scheme)
    page = visitor.open("/ogc/v1/collections")
    path = page.locator(".catalogue-item h2 a").first.get_attribute("href").partition("?")[0]
    for address in (more or path, f"{path}/items"):
        page = visitor.open(address)
        assert audit(page, axe) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
    assert page.locator("svg.sketch circle").count() > 0
    assert visitor.faults == []


def test_objects_are_found_by_keyboard_without_script(visit):
    page = visit(script=False, width=320).open("/ogc/v1")
    for title in ("Sammlungen", "Objekte"):
        page.locator(".catalogue-page").get_by_role("link", name=re.compile(f"^{title}")).first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/collections**" if title == "Sammlungen" else "**/items?f=html")
    page.get_by_text("Eingrenzen").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Bedingung (CQL2)").fill("name IS NOT NULL AND (")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Das lässt sich nicht beantworten").wait_for()
    page.go_back()
    page.get_by_text("Eingrenzen").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Objekte je Seite").fill("2")
    page.keyboard.press("Enter")
    page.wait_for_url("**limit=2**")
    page.get_by_role("link", name="Nächste Seite").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**after=**")
    page.locator("tbody th a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/*")
    assert page.get_by_role("heading", name="Wo").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
