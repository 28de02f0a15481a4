"""The path of an analyst through all instruments: find a counter, compare two weeks, see how a number was made, keep it
on a dashboard, be told when it is too much."""

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.looking import add_people, audit, enter, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]

NAME = "Zählstelle Analystenbrücke"


def write(served: Site, secret: str, path: str, body: Any) -> None:
    """Create by SensorThings, as a counter's gateway does."""
    request = urllib.request.Request(
        f"{served.url}/sta/v1.1/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {secret}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201


@pytest.fixture(scope="module")
def counter(served: Site) -> str:
    """A counter with three weeks of hours, in which the newest week had twice as many; the token that writes to it."""
    secret = served.token("--write")
    write(served, secret, "Things", {
        "@iot.id": "analyst-bridge", "name": NAME, "description": "Zählt, wer über die Brücke geht.",
        "Datastreams": [{
            "@iot.id": "analyst-bridge~count", "name": f"{NAME}: Personen", "description": "Personen in der Stunde",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "Personen", "symbol": "1/h", "definition": "https://ucum.org/ucum#1/h"},
            "ObservedProperty": {
                "@iot.id": "analyst-count", "name": "Personen je Stunde", "description": "",
                "definition": "https://city.example/count",
            },
            "Sensor": {
                "@iot.id": "analyst-counter", "name": "Zähler", "description": "", "encodingType": "application/pdf",
                "metadata": "https://city.example/counter.pdf",
            },
        }],
    })  # fmt: skip
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=back) for back in range(21 * 24, 0, -1)]
    rows = [
        [f"{hour:%Y-%m-%dT%H:%M:%SZ}", (200 if now - hour <= timedelta(days=7) else 100) + hour.hour] for hour in hours
    ]
    write(served, secret, "CreateObservations", [{
        "Datastream": {"@iot.id": "analyst-bridge~count"}, "components": ["phenomenonTime", "result"],
        "dataArray@iot.count": len(rows), "dataArray": rows,
    }])  # fmt: skip
    return secret


def settled(page: Page) -> None:
    """Wait for the chart and its values."""
    page.wait_for_selector(".uplot", timeout=20_000)
    page.wait_for_load_state("networkidle")


def test_from_the_counter_to_the_message(visit, served, profile, counter, tmp_path, axe):
    add_people(served, tmp_path, analystin="admin")
    visitor = visit(width=1280)

    # find the counter, and compare two weeks
    page = visitor.open("/explorer/")
    page.get_by_label("Suchen nach").fill("Analystenbrücke Personen")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    page.locator("a.explorer__hit").first.click()
    settled(page)
    page.get_by_role("link", name="1 Woche", exact=True).click()
    settled(page)
    page.get_by_text("Andere Zeit oder Vergleich").click()
    page.get_by_label("Vergleichen mit").select_option(index=2)
    page.get_by_role("button", name="Zeigen").click()
    settled(page)
    assert page.locator(".series__line--before").count() == 1
    found = audit(page, axe)

    # see how the newest number was made
    page.get_by_role("link", name="Wie ist diese Zahl entstanden?").click()
    page.wait_for_load_state("networkidle")
    assert NAME in page.locator("main").inner_text()
    found += audit(page, axe)

    # keep it on a dashboard
    page = enter(visitor, "analystin", "/boards/new/")
    page.get_by_label("Titel", exact=True).first.fill("Brücken")
    press(page, "Weiter")
    page.get_by_role("link", name="Verlauf").first.click()
    page.wait_for_load_state("networkidle")
    page.get_by_label("Überschrift").first.fill("Wer geht über die Brücke?")
    page.get_by_label("Wörter").fill("Analystenbrücke")
    press(page, "Suchen")
    page.get_by_label(NAME).first.check()
    press(page, "Übernehmen")
    page.get_by_role("link", name="Veröffentlichen").click()
    page.wait_for_load_state("networkidle")
    press(page, "Veröffentlichen")
    settled(page)
    assert "Wer geht über die Brücke?" in page.locator(".tiles").inner_text()

    # set an alert
    page.goto(f"{served.url}/office/new/alert/?id=analyst-crowd")
    dataset = next(key for key, one in profile.datasets.items() if one.access == "open" and not one.simulated)
    page.locator("#id_title-de").fill("Gedränge auf der Brücke")
    page.locator("#id_title-en").fill("A crowd on the bridge")
    page.locator("#id_dataset").select_option(dataset)
    page.get_by_label("Alle werden gewarnt").check()
    page.locator("#id_inputs").fill('people = {"property": "analyst-count"}')
    page.locator("#id_raise").fill("people > 500")
    page.locator("#id_reason").fill("Ab 500 wird es eng")
    press(page, "Speichern und zur Freigabe vorschlagen")
    press(page, "Freigeben")
    assert "Freigegeben" in page.get_by_role("status").inner_text()
    found += audit(page, axe)

    # receive it
    feed = f"{served.url}/subscriptions/feed.atom?stream=analyst-bridge~count"
    until = time.monotonic() + 60
    told = ""
    while "Gedränge auf der Brücke" not in told:
        assert time.monotonic() < until, told
        write(served, counter, "Observations", {
            "result": 700, "phenomenonTime": datetime.now(UTC).isoformat(),
            "Datastream": {"@iot.id": "analyst-bridge~count"},
        })  # fmt: skip
        time.sleep(1)
        with urllib.request.urlopen(feed, timeout=20) as answer:
            told = answer.read().decode()
    page.goto(f"{served.url}/alerts/")
    page.get_by_role("link", name="Gedränge auf der Brücke").first.click()
    page.wait_for_load_state("networkidle")
    text = page.locator("main").inner_text()
    assert "people > 500" in text
    assert "700" in text
    found += audit(page, axe)
    assert found == []
    assert visitor.faults == []
