"""A driver's path: say where to and what matters, see what suits, look at one car park; and the frame for others."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

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
    if width > 1000:  # on a phone the map is drawn when somebody comes near it
        assert page.locator(".map-to").get_attribute("aria-label") == "Ihr Ziel: Holzmarkt"
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
    assert visitor.faults == []


def test_the_path_in_english_and_in_plain_german(visit, axe):
    page = visit(locale="en-GB").open("/parking/?in=30&need=disabled")
    assert "May suit you: not everything is known" in page.locator(".parks__title").first.inner_text()
    assert audit(page, axe) == []
    page = visit(width=320).open("/parking/?in=30&need=disabled")
    page.get_by_role("link", name="Einfach").click()
    page.wait_for_load_state("networkidle")
    assert "Vielleicht gut für Sie" in page.content()
    page.locator("#ask-what").select_option(label="Platz für ein Fahr-Rad")
    with page.expect_navigation():
        page.get_by_role("button", name="Park-Plätze zeigen").press("Enter")
    page.wait_for_load_state("networkidle")
    assert "what=bike" in page.url
    assert "Dafür kennen wir keinen Ort in der Stadt." in page.locator("#board").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
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


@pytest.fixture
def elsewhere(served) -> Iterator[str]:
    """A page of somebody else's."""
    if not served.foreign:
        pytest.skip("a house that is given names sites of its own")
    code = served.url + "/parking/widget/?site=parking-holzmarkt&site=parking-krautgasse&lang=en&theme=dark"

    class Theatre(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f'<!doctype html><html lang="en"><title>Theatre</title><iframe src="{code}" title="Free" '
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((body + 'width="100%" height="320"></iframe>').encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", served.foreign), Theatre)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.foreign}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("script", [True, False])
def test_a_frame_on_another_site_shows_what_was_chosen_with_and_without_script(visit, elsewhere, axe, script):
    visitor = visit(width=320, height=640, script=script, locale="de-DE")
    visitor.site = ""
    page = visitor.context.new_page()
    page.on("console", lambda message: visitor._heard(message.type, message.text))
    page.goto(elsewhere)
    frame = page.frame_locator("iframe")
    assert frame.locator("h1").inner_text() == "Free parking spaces"
    assert frame.locator("[data-park]").count() == 2
    assert frame.locator("[data-park] time, [data-park] .glance__free").first.is_visible()
    inner = page.frames[1]
    if script:
        inner.evaluate(axe)
        found = inner.evaluate("axe.run(document).then(found => found.violations.map(one => one.id))")
        assert found == []
        assert inner.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert frame.get_by_role("button", name="Pause live updates").is_visible()
        assert inner.locator("html").get_attribute("data-kern-theme") == "dark"
    link = frame.get_by_role("link", name="Find a space for me")
    assert link.get_attribute("target") == "_top" or inner.locator("base[target]").count() == 1
    assert visitor.faults == []
