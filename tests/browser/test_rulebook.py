"""The book of rules: read by anybody, changed by those who may."""

import subprocess
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from allmende.connectors.testing import sample
from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def soil(served: Site, profile) -> None:
    """Probes have spoken, and the worker has derived."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    if "soil-pf" not in profile.rules:
        pytest.skip("this house is another city's")
    uplinks = sample("allmende.connectors.chirpstack", "uplinks-constructed.ndjson")
    command = [COMMAND, "import", "chirpstack", "-"]
    later = uplinks.replace(b"T12:52", b"T13:52").replace(b"-875.9", b"-475.9")
    for body in (uplinks, later):
        subprocess.run(command, env=served.environment, input=body, capture_output=True, check=True, cwd=ROOT)
    until = time.monotonic() + 60
    while b'id="made"' not in urllib.request.urlopen(f"{served.url}/rules/soil-pf/", timeout=20).read():
        assert time.monotonic() < until, "the worker derived nothing"
        time.sleep(0.5)


def test_anybody_reads_what_a_number_was_made_of(visit, soil, axe):
    visitor = visit(width=390)
    page = visitor.open("/rules/")
    found = look(page, axe)
    page.get_by_role("link", name="pF-Wert aus dem Wasserpotential").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").inner_text() == "pF-Wert aus dem Wasserpotential"
    found += look(page, axe)
    page.get_by_role("link", name="Wie gebildet?").first.click()
    page.wait_for_load_state("networkidle")
    assert "chirpstack" in page.locator("main").inner_text()
    found += look(page, axe)
    assert found == []
    assert visitor.faults == []


def test_who_may_changes_a_rule(visit, soil, served, tmp_path, axe):
    add_people(served, tmp_path, ruler="admin")
    visitor = visit(width=1280)
    page = enter(visitor, "ruler", "/rules/soil-pf/edit/")
    count = page.locator("#count-0")
    assert count.inner_text() == "Zurzeit passen 2 Reihen."
    page.locator("#id_input-0-selector").fill("air-temperature")
    page.locator("#id_input-0-selector").blur()
    expect(count).not_to_contain_text("passen 2")
    page.locator("#id_input-0-selector").fill("soil-water-potential soil-water-tension")
    page.locator("#id_output-0-expression").fill("log10(abs(potential) + + 1")
    press(page, "Prüfen")
    assert page.locator("#error-output-0-expression mark").count() == 1
    found = look(page, axe)
    page.locator("#id_output-0-expression").fill("log10(abs(potential) + 100)")
    press(page, "Speichern und vorschlagen")
    assert page.get_by_role("status").inner_text() == "Die Änderung ist vorgeschlagen."
    found += look(page, axe)
    page.get_by_role("link", name="An der Vergangenheit ansehen").click()
    page.wait_for_load_state("networkidle")
    page.locator("#id_from").fill("2025-07-13")
    page.locator("#id_to").fill("2025-07-15")
    press(page, "Ansehen")
    assert page.locator("#counts").count() == 1
    assert page.get_by_text("ändert sich", exact=True).count() >= 1
    found += look(page, axe)
    page.goto(page.url.split("/history/")[0])
    press(page, "Zurückziehen")
    assert page.get_by_role("status").inner_text() == "Der Entwurf ist zurückgezogen."
    assert found == []
    assert [fault for fault in visitor.faults if "422" not in fault] == [], "a form with a mistake is answered so"
