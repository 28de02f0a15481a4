"""Access to what is not open, granted and taken back in the browser."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]
PASSWORD = "a long enough password 17"


@pytest.fixture
def people(served: Site, profile, tmp_path: Path) -> str:
    """A steward and somebody else; gives the title of a dataset that is restricted."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    closed = [each for each in profile.datasets.values() if each.access == "restricted"]
    if not closed:
        pytest.skip("all datasets of this city are open")
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    for name, role in (("granting", "steward"), ("granted", "contributor")):
        add = [COMMAND, "user", "add", name, "--email", f"{name}@city.example", "--role", role]
        subprocess.run([*add, "--password-file", str(secret)], env=served.environment, capture_output=True, cwd=ROOT)
    return closed[0].title["de"]


def test_a_steward_grants_access_and_takes_it_back(visit, people, axe):
    visitor = visit(width=390)
    page = visitor.open("/office/access/")
    page.locator("#id_username").fill("granting")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name=people).click()
    page.get_by_label("Person (Benutzername)").fill("granted")
    page.get_by_label("Wofür").fill("Planung der Linien 2027")
    page.get_by_role("button", name="Freigeben").click()
    assert "Bitte sagen Sie, bis wann." in page.locator("#error-until").inner_text()
    assert page.get_by_label("Person (Benutzername)").input_value() == "granted"
    page.get_by_label("Bis", exact=True).fill((datetime.now(UTC).date() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Freigeben").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("status").inner_text() == "Der Zugang ist freigegeben."
    assert "granted" in page.get_by_role("table", name="Geltende Freigaben").inner_text()
    found = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found += [f"{width} {scheme}: {fault}" for fault in audit(page, axe)]
    assert found == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Entziehen").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("status").inner_text() == "Der Zugang ist entzogen."
    assert page.get_by_role("table", name="Beendete Freigaben").is_visible()
    # What was typed wrongly is answered with 422, which Chromium notes.
    assert [fault for fault in visitor.faults if "422" not in fault] == []
