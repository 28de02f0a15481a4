"""Subscribing in the browser: by name, by place, as a message of the browser."""

import json

import pytest
from playwright.sync_api import Page

from tests.browser.looking import look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]


def test_somebody_finds_a_dataset_and_subscribes_without_a_mouse(visit, axe, profile):
    visitor = visit(width=390)
    page = visitor.open("/subscriptions/")
    assert look(page, axe) == []
    page.get_by_role("searchbox").first.focus()
    dataset = next(each for each in profile.datasets.values() if each.access == "open" and not each.simulated)
    page.get_by_label("Pegel, Sensor, Parkhaus").fill(dataset.title["de"])
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    found = page.locator(".found__list a").first
    name = found.inner_text()
    found.focus()
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert name in page.locator(".page-head__lead").inner_text()
    assert page.get_by_role("link", name="iCal").get_attribute("href").startswith("/subscriptions/feed.ics?dataset=")
    assert look(page, axe) == []
    assert visitor.faults == []


def test_a_place_is_chosen_on_the_map_or_by_its_numbers(visit):
    visitor = visit(width=1280)
    page = visitor.open("/subscriptions/")
    page.get_by_label("Breite (Nord)").fill("50,927")
    page.get_by_label("Länge (Ost)").fill("11,586")
    page.get_by_label("Baustellen, Sperrungen, Veranstaltungen").check()
    press(page, "Weiter")
    assert "500 Meter um 50,92700° Nord, 11,58600° Ost" in page.locator(".page-head__lead").inner_text()
    page.get_by_role("link", name="Etwas anderes wählen").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_label("Baustellen, Sperrungen, Veranstaltungen").is_checked()
    assert visitor.faults == []


def test_the_service_worker_shows_what_the_house_sends(visit, axe):
    """Without a push service: what one would deliver is handed over by the debugger."""
    visitor = visit(width=390)
    visitor.context.grant_permissions(["notifications"])
    page = visitor.open("/subscriptions/new/?kind=features")
    button = page.get_by_role("button", name="Meldungen auf diesem Gerät zeigen")
    assert button.is_visible()
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0, "before a press"
    button.click()
    # headless Chromium has no push service; a person is told, and the worker is there by now
    page.get_by_role("status").filter(has_text="Es hat nicht geklappt").wait_for(timeout=30_000)
    debugger = visitor.context.new_cdp_session(page)
    numbers = []
    debugger.on("ServiceWorker.workerRegistrationUpdated", lambda said: numbers.extend(said["registrations"]))
    debugger.send("ServiceWorker.enable")
    for _ in range(100):
        if numbers:
            break
        page.wait_for_timeout(100)
    assert [each["scopeURL"].partition("/subscriptions")[1:] for each in numbers] == [("/subscriptions", "/")]
    said = {"title": "Sperrung: Gasse", "body": "ab morgen", "tag": "t", "lang": "de", "page": "/datasets/"}
    origin = page.evaluate("location.origin")
    for _ in range(2):  # what goes again takes the place of the first
        debugger.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": origin, "registrationId": numbers[0]["registrationId"], "data": json.dumps(said)},
        )
    shown = (
        "navigator.serviceWorker.getRegistration('/subscriptions/').then(one => one.getNotifications())"
        ".then(all => all.map(one => [one.title, one.body, one.tag, one.data.page]))"
    )
    for _ in range(100):
        if page.evaluate(shown):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)  # the second would stand beside the first by now
    assert page.evaluate(shown) == [["Sperrung: Gasse", "ab morgen", "t", "/datasets/"]]

    # the push service gives the browser another endpoint, which the worker tells the house
    _subscribe(page, "https://fcm.googleapis.com/fcm/send/before")
    keys = page.evaluate(_KEYS)
    (worker,) = visitor.context.service_workers
    worker.evaluate(
        """p256dh => self.dispatchEvent(Object.assign(new ExtendableEvent('pushsubscriptionchange'), {
          oldSubscription: {endpoint: 'https://fcm.googleapis.com/fcm/send/before'},
          newSubscription: {toJSON: () => ({endpoint: 'https://fcm.googleapis.com/fcm/send/after',
                                            keys: {p256dh, auth: 'MDEyMzQ1Njc4OWFiY2RlZg'}})},
        }))""",
        keys,
    )
    page.wait_for_function(_IS_KNOWN, arg="https://fcm.googleapis.com/fcm/send/after")
    gone = f"async endpoint => !await ({_IS_KNOWN})(endpoint)"
    page.wait_for_function(gone, arg="https://fcm.googleapis.com/fcm/send/before")


_KEYS = """() => crypto.subtle.generateKey({name: 'ECDH', namedCurve: 'P-256'}, true, ['deriveBits'])
  .then(pair => crypto.subtle.exportKey('raw', pair.publicKey))
  .then(raw => btoa(String.fromCharCode(...new Uint8Array(raw)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))"""
_IS_KNOWN = """async endpoint => {
  const body = new FormData(document.querySelector('[data-push] form'));
  body.set('endpoint', endpoint);
  const answer = await fetch('/subscriptions/push/mine/', {method: 'POST', body});
  return (await answer.json()).mine !== '';
}"""


def _subscribe(page: Page, endpoint: str) -> str:
    """As a browser with a push service does; gives the address of its list."""
    made = page.evaluate(
        """async ([endpoint, keys]) => {
          const body = new FormData(document.querySelector('[data-push] form'));
          body.set('endpoint', endpoint);
          body.set('p256dh', keys);
          body.set('auth', 'MDEyMzQ1Njc4OWFiY2RlZg');
          const answer = await fetch('/subscriptions/push/?kind=features', {method: 'POST', body});
          return await answer.json();
        }""",
        [endpoint, page.evaluate(_KEYS)],
    )
    return str(made["mine"])


def test_ones_own_list_is_for_everybody_to_use(visit, axe):
    visitor = visit(width=390)
    page = visitor.open("/subscriptions/new/?kind=features")
    page.goto(visitor.site + _subscribe(page, "https://fcm.googleapis.com/fcm/send/browser-test"))
    assert look(page, axe) == []
    page.get_by_label("Ruhe von").fill("22:00")
    press(page, "Speichern")
    assert "Bitte geben Sie beide Uhrzeiten an" in page.locator("#error-quiet_to").inner_text()
    page.get_by_label("Ruhe bis").fill("06:00")
    press(page, "Speichern")
    assert page.get_by_role("status").inner_text() == "Es ist geändert."
    press(page, "Dieses beenden")
    assert page.get_by_role("heading", level=1).inner_text() == "Es ist beendet"
    assert [fault for fault in visitor.faults if "422" not in fault] == []
