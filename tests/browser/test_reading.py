"""What a citizen does: read without script, go by keyboard, watch values move, stop them."""

import json
import re
from collections.abc import Callable

import pytest
import requests

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


def count_car_parks(profile) -> int:
    return sum(thing.kind == "car-park" for thing in profile.things)


def test_list_is_readable_without_script(visit, profile):
    page = visit(script=False).open("/parking/")
    cards = page.locator(".park")
    assert cards.count() == count_car_parks(profile)
    assert "frei von" in page.locator(".parks").inner_text()
    assert not page.locator(".board__map").is_visible()
    assert not page.locator("[data-live]").is_visible()
    assert "Simulierte Werte." in page.locator(".notice").inner_text()


def test_values_are_readable_without_script(visit, car_park):
    page = visit(script=False).open(car_park)
    assert page.locator("[data-span=day] table").is_visible()
    assert page.locator("[data-span=week] table tbody tr").count() == 168
    assert not page.locator(".chart").first.is_visible()
    assert not page.locator(".choice").first.is_visible()


def test_keyboard_reaches_the_content_first_and_all_of_it(visit, profile):
    page = visit(width=1280, height=900).open("/parking/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached, seen = [], []
    for _ in range(count_car_parks(profile) + 20):  # the driver's question stands between them
        page.keyboard.press("Tab")
        if page.evaluate("'liveToggle' in document.activeElement.dataset"):
            reached.append("live")
        if page.evaluate("document.activeElement.id === 'ask-to'"):
            reached.append("ask")
        park = page.evaluate("document.activeElement.closest('[data-park]')?.dataset.park ?? ''")
        if not park:
            continue
        seen.append(park)
        assert page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle + "
            "getComputedStyle(document.activeElement, '::after').outlineStyle"
        ).replace("none", "")
    assert reached == ["live", "ask"]
    assert len(set(filter(None, seen))) == count_car_parks(profile)


def test_updates_can_be_stopped_and_go_on(visit):
    visitor = visit()
    page = visitor.open("/parking/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    button = page.locator("[data-live-toggle]")
    button.click()
    assert button.inner_text() == "Live-Aktualisierung fortsetzen"
    assert page.locator("[data-live-status]").inner_text() == "Live-Aktualisierung ist angehalten"
    with page.expect_response("**/parking/board"):
        button.click()
    page.wait_for_function("document.querySelector('[data-live-status]').textContent.startsWith('Aktualisiert um')")
    assert button.inner_text() == "Live-Aktualisierung anhalten"
    assert page.locator(".park").count() > 0
    assert visitor.faults == []


def test_list_is_fetched_again_without_losing_the_focus(visit):
    page = visit().open("/parking/")
    page.locator(".park a").nth(1).focus()
    before = page.evaluate("document.activeElement.href")
    with page.expect_response("**/parking/board"):
        page.evaluate("htmx.trigger('#board', 'refresh')")
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.href") == before


def test_page_that_the_browser_kept_for_hours_is_renewed_at_once(visit):
    """Its moment is old: taken for now, it would make old values look new."""
    visitor = visit()
    old = {"count": 0}

    def age(route) -> None:
        answer = route.fetch()
        body = re.sub(r'data-now="[^"]+"', 'data-now="2020-01-01T12:00:00+01:00"', answer.text())
        old["count"] += 1
        route.fulfill(response=answer, body=body)

    visitor.context.route("**/parking/", age)
    page = visitor.context.new_page()
    with page.expect_response("**/parking/board"):
        page.goto(f"{visitor.site}/parking/")
    assert old["count"] == 1
    page.wait_for_function("!document.querySelector('[data-now]').dataset.now.startsWith('2020')")


def test_reading_over_mqtt_changes_the_card(visit):
    """The broker is real where the house has one; here its place is taken to send one known reading."""
    visitor = visit()
    packets = Broker()
    visitor.context.route_web_socket("**/*", packets.serve)
    page = visitor.open("/parking/")
    if not page.evaluate("document.body.dataset.liveUrl"):
        pytest.skip("this house has no broker for browsers")
    card = page.locator(".park:has([data-free])").first
    topic = card.get_attribute("data-topic") or ""
    packets.await_subscription(page)
    packets.publish(topic, {"phenomenonTime": "2100-01-01T00:00:00Z", "result": 7})
    page.wait_for_function("words => document.querySelector('[data-free]').textContent === words", arg="7")
    assert card.locator("[data-free]").inner_text() == "7"


def test_readings_arrive_from_the_real_broker(visit, served, profile):
    """Simulated values change too seldom to be waited for: somebody who may writes one."""
    page = visit().context.new_page()
    frames: list[bytes] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    page.goto(f"{served.url}/parking/")
    if not page.evaluate("document.body.dataset.liveUrl"):
        pytest.skip("this house has no broker for browsers")
    accepted = wait_for(page, frames, lambda frame: frame[0] & 0xF0 == 0x90)
    assert 0x80 not in accepted[4:], "the broker refused a topic"
    card = page.locator("[data-topic]:has([data-free])").first
    topic = card.get_attribute("data-topic") or ""
    shown = card.locator("[data-free]").inner_text()
    result = 6 if shown == "7" else 7
    granted = [f"--dataset={dataset.id}" for dataset in profile.datasets.values() if dataset.simulated]
    token = {"Authorization": f"Bearer {served.token('--write', *granted)}"}
    answer = requests.post(f"{served.url}/sta/{topic}", json={"result": result}, headers=token, timeout=30)
    assert answer.status_code == 201, answer.text
    message = wait_for(page, frames, lambda frame: frame[0] & 0xF0 == 0x30 and topic.encode() in frame)
    assert b'"result":%d' % result in message
    page.wait_for_function(
        "([topic, words]) => [...document.querySelectorAll('[data-topic]')]"
        ".find(card => card.dataset.topic === topic).querySelector('[data-free]').textContent === words",
        arg=[topic, str(result)],
    )


def wait_for(page, frames: list[bytes], wanted: Callable[[bytes], bool]) -> bytes:
    """The first MQTT packet that is wanted; fails if none comes in time."""
    for _ in range(200):
        for frame in frames:
            if frame and isinstance(frame, bytes) and wanted(frame):
                return frame
        page.wait_for_timeout(100)
    raise AssertionError(f"not within 20 seconds; there came {[frame[:80] for frame in frames]}")


class Broker:
    """Speaks as much MQTT 3.1.1 as one subscriber needs: CONNACK, SUBACK, PUBLISH with QoS 0."""

    def __init__(self) -> None:
        self.socket = None
        self.subscribed = False

    def serve(self, socket) -> None:
        self.socket = socket
        socket.on_message(self.take)

    def take(self, message: bytes) -> None:
        kind = message[0] >> 4
        if kind == 1:
            self.socket.send(bytes([0x20, 2, 0, 0]))
        elif kind == 8:
            start = 1
            while message[start] & 0x80:
                start += 1
            identifier = message[start + 1 : start + 3]
            count = message.count(b"/Observations")
            self.socket.send(bytes([0x90, 2 + count]) + identifier + bytes(count))
            self.subscribed = True

    def await_subscription(self, page) -> None:
        for _ in range(100):
            if self.subscribed:
                return
            page.wait_for_timeout(100)
        raise AssertionError("the page did not subscribe")

    def publish(self, topic: str, reading: dict[str, object]) -> None:
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + json.dumps(reading).encode()
        length = len(body)
        size = bytes([length]) if length < 128 else bytes([length % 128 | 0x80, length // 128])
        self.socket.send(bytes([0x30]) + size + body)
