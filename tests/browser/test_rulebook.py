"""The book of rules: read by anybody, changed by those who may."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from allmende.connectors.testing import sample
from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]
WORD = "a long enough password 17"


@pytest.fixture
def soil(served: Site, profile, tmp_path: Path, visit) -> None:
    """Probes have spoken, and the worker has derived; there is somebody who may change rules."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    if "soil-pf" not in profile.rules:
        pytest.skip("this house is another city's")
    secret = tmp_path / "password"
    secret.write_text(WORD)
    add = [COMMAND, "user", "add", "ruler", "--email", "ruler@example.org", "--admin", "--password-file", str(secret)]
    subprocess.run(add, env=served.environment, capture_output=True, cwd=ROOT)
    uplinks = sample("allmende.connectors.chirpstack", "uplinks-constructed.ndjson")
    command = [COMMAND, "import", "chirpstack", "-"]
    later = uplinks.replace(b"T12:52", b"T13:52").replace(b"-875.9", b"-475.9")
    for body in (uplinks, later):
        subprocess.run(command, env=served.environment, input=body, capture_output=True, check=True, cwd=ROOT)
    page = visit(width=390).open("/rules/soil-pf/")
    until = time.monotonic() + 60
    while page.locator("#made").count() == 0:
        assert time.monotonic() < until, "the worker derived nothing"
        time.sleep(0.5)
        page.reload()


def seen(page, axe, name: str) -> list[str]:
    """What axe finds at both widths, light and dark; a picture of each where ``BROWSER_PICTURES`` names a folder."""
    found = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found += [f"{name} {width} {scheme}: {fault}" for fault in audit(page, axe)]
            if folder := os.environ.get("BROWSER_PICTURES"):
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append(f"{name}: wider than 320 px")
    return found


def test_anybody_reads_what_a_number_was_made_of(visit, soil, axe):
    visitor = visit(width=390)
    page = visitor.open("/rules/")
    found = seen(page, axe, "rules")
    page.get_by_role("link", name="pF-Wert aus dem Wasserpotential").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").inner_text() == "pF-Wert aus dem Wasserpotential"
    found += seen(page, axe, "rule")
    page.get_by_role("link", name="Wie gebildet?").first.click()
    page.wait_for_load_state("networkidle")
    assert "chirpstack" in page.locator("main").inner_text()
    found += seen(page, axe, "value")
    assert found == []
    assert visitor.faults == []


def test_who_may_changes_a_rule(visit, soil, axe):
    visitor = visit(width=1280)
    page = visitor.open("/rules/soil-pf/edit/")
    page.locator("#id_username").fill("ruler")
    page.locator("#id_password").fill(WORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_load_state("networkidle")
    count = page.locator("#count-0")
    assert count.inner_text() == "Zurzeit passen 2 Reihen."
    page.locator("#id_input-0-selector").fill("air-temperature")
    page.locator("#id_input-0-selector").blur()
    expect(count).not_to_contain_text("passen 2")
    page.locator("#id_input-0-selector").fill("soil-water-potential soil-water-tension")
    page.locator("#id_output-0-expression").fill("log10(abs(potential) + + 1")
    page.get_by_role("button", name="Prüfen").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("#error-output-0-expression mark").count() == 1
    found = seen(page, axe, "edit-wrong")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("#id_output-0-expression").fill("log10(abs(potential) + 100)")
    page.get_by_role("button", name="Speichern und vorschlagen").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("status").inner_text() == "Die Änderung ist vorgeschlagen."
    found += seen(page, axe, "proposed")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("link", name="An der Vergangenheit ansehen").click()
    page.wait_for_load_state("networkidle")
    page.locator("#id_from").fill("2025-07-13")
    page.locator("#id_to").fill("2025-07-15")
    page.get_by_role("button", name="Ansehen").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("#counts").count() == 1
    assert page.get_by_text("ändert sich", exact=True).count() >= 1
    found += seen(page, axe, "past")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(page.url.split("/history/")[0])
    page.get_by_role("button", name="Zurückziehen").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("status").inner_text() == "Der Entwurf ist zurückgezogen."
    assert found == []
    assert [fault for fault in visitor.faults if "422" not in fault] == [], "a form with a mistake is answered so"
