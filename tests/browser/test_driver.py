"""A driver's path: say where to and what matters, see what suits, look at one car park."""

import pytest

from tests.browser.looking import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_driver_asks_by_keyboard_and_is_told_what_suits_and_why(visit, axe, width):
    visitor = visit(width=width, height=900)
    page = visitor.open("/parking/")
    page.locator("#ask-to").focus()
    page.keyboard.type("Holzmarkt")
    page.locator("form[data-ask] summary").focus()
    page.keyboard.press("Enter")
    page.locator("#ask-height").focus()
    page.keyboard.type("1,95")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert "to=Holzmarkt" in page.url
    groups = page.locator(".parks__title").all_inner_texts()
    assert [words.rstrip(" (0123456789)") for words in groups] == ["Passt vielleicht: nicht alles ist bekannt"]
    first = page.locator(".park").first
    assert "Holzmarkt" in first.inner_text()
    assert "Nicht bekannt: wie hoch ein Fahrzeug sein darf" in first.inner_text()
    assert "Luftlinie" in first.inner_text()
    assert page.locator("#ask-height").input_value() == "1,95"
    assert audit(page, axe) == []
    with page.expect_response("**/parking/board?to=Holzmarkt*"):
        page.evaluate("htmx.trigger('#board', 'refresh')")
    first.locator("a").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert "Wenn Sie unterwegs sind" in page.locator("#ahead-title").inner_text()
    assert (page.get_by_role("link", name="Im Kartenprogramm").get_attribute("href") or "").startswith("geo:50.9")
    page = visitor.open("/parking/arrival/")
    assert "Andere Monate" in page.locator("section[aria-labelledby=test-title]").inner_text()
    assert audit(page, axe) == []
    assert visitor.faults == []


def test_the_path_in_english_and_in_plain_german(visit, axe):
    english = visit(locale="en-GB")
    page = english.open("/parking/?in=30&need=disabled")
    assert "May suit you: not everything is known" in page.locator(".parks__title").first.inner_text()
    assert audit(page, axe) == []
    page = english.open("/parking/arrival/")
    assert "It learned once, before these days." in page.content()
    assert audit(page, axe) == []
    page = visit().open("/parking/?in=30&need=disabled")
    page.get_by_role("link", name="Einfach").click()
    page.wait_for_load_state("networkidle")
    assert "Vielleicht gut für Sie" in page.content()
    assert audit(page, axe) == []
    page.goto(page.url.partition("/parking/")[0] + "/parking/arrival/")
    assert "Die Vorhersage hat einmal gelernt." in page.content()
    assert audit(page, axe) == []


def test_a_position_is_asked_for_when_pressed_alone_and_leaves_the_device_rounded(visit):
    visitor = visit()
    visitor.context.grant_permissions(["geolocation"])
    visitor.context.set_geolocation({"latitude": 50.9265474, "longitude": 11.5855163})
    page = visitor.open("/parking/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_navigation():
        page.get_by_role("button", name="In meiner Nähe").click()
    page.wait_for_load_state("networkidle")
    assert "near=11.586%2C50.927" in page.url
    assert not any("9265" in url for url in asked)
    assert "Rund um Ihre Position." in page.content()
