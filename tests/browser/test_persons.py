"""The office's pages on the audit log and on requests of persons, as a steward sees them."""

import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]
PASSWORD = "a long enough password 17"


@pytest.fixture
def people(served: Site, tmp_path: Path) -> None:
    """A steward, and somebody who asks."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    for name, role in (("answering", "steward"), ("asking", "contributor")):
        add = [COMMAND, "user", "add", name, "--email", f"{name}@city.example", "--role", role]
        subprocess.run([*add, "--password-file", str(secret)], env=served.environment, capture_output=True, cwd=ROOT)


@pytest.mark.usefixtures("people")
def test_a_steward_writes_a_request_down_and_finds_it_in_the_log(visit, axe) -> None:
    visitor = visit(width=390)
    page = visitor.open("/office/persons/")
    page.locator("#id_username").fill("answering")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_load_state("networkidle")
    page.get_by_label("Worum es geht").select_option(label="Löschung")
    page.get_by_label("Um wen es geht").fill("asking@city.example")
    page.get_by_role("button", name="Aufnehmen").click()
    assert page.locator("#id_note_error").is_visible()
    found = look(page, axe, "form")
    page.get_by_label("Wie er kam und woran Sie die Person erkannt haben").fill(
        "Brief vom 3. November, Ausweis lag bei"
    )
    page.get_by_role("button", name="Aufnehmen").click()
    page.wait_for_load_state("networkidle")
    assert "asking" in page.get_by_role("heading", level=1).inner_text()
    table = page.get_by_role("table", name="Was von dieser Person gespeichert ist")
    assert "Konto" in table.inner_text()
    found += look(page, axe, "request")
    page = visitor.open("/office/")
    page.get_by_role("link", name="Audit-Log").click()
    page.wait_for_load_state("networkidle")
    assert "person.ask" in page.get_by_role("table").inner_text()
    found += look(page, axe, "log")
    assert found == []


def look(page, axe, name: str) -> list[str]:
    """What axe finds on both widths in both colours, and whether it fits a narrow screen."""
    found = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found += [f"{name} {width} {scheme}: {fault}" for fault in audit(page, axe)]
    page.set_viewport_size({"width": 320, "height": 640})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append(f"{name}: wider than 320")
    return found
