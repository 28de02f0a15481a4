"""Analyses: readable on any screen, in light and dark, asked by keyboard without script."""

import json
import urllib.request

import pytest

from tests.browser.looking import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]


@pytest.fixture(scope="module")
def streams(site: str) -> list[str]:
    """Two of the house's simulated streams, as they stand in an address."""
    with urllib.request.urlopen(f"{site}/sta/v1.1/Datastreams?$top=2&$orderby=id", timeout=30) as answer:
        return [str(each["@iot.id"]) for each in json.load(answer)["value"]]


def test_answers_are_accessible(visit, axe, streams):
    first, second = streams
    for width, scheme, path in (
        (390, "dark", f"typical-week/?stream={first}&from2=2026-01-01&to2=2026-02-01"),
        (1280, "light", f"calendar/?stream={first}&days=5"),
        (1280, "dark", f"correlation/?stream={first}&stream={second}&width=quarter"),
        (390, "light", f"before-after/?stream={first}&date=2026-11-01&control={second}&hour_from=9&hour_to=8"),
        (390, "light", f"before-after/?stream={first}&date=now&control={second}"),
    ):
        visitor = visit(width=width, scheme=scheme)
        page = visitor.open(f"/explorer/{path}&simulated=1")
        if "typical-week" not in path:  # its table of 168 rows is built like the others
            page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert audit(page, axe) == [], path
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        assert [each for each in visitor.faults if "400 (Bad Request)" not in each] == []


def test_a_question_is_asked_by_keyboard_without_script(visit, streams):
    page = visit(script=False, width=390).open("/explorer/analyses/")
    page.get_by_role("link", name="Kalender in Farben").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Auch simulierte Datenströme").focus()
    page.keyboard.press("Space")
    page.get_by_label("Datenstrom").fill(streams[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/calendar/?stream=**")
    assert page.get_by_role("img").count() == 1
    page.get_by_text("Als Tabelle").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Tage und ihre Stunden"
    assert page.get_by_role("rowheader").count() >= 1
    address = page.url
    assert page.goto(address).status == 200
    assert page.get_by_label("Datenstrom").input_value() == streams[0]
