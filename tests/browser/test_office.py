"""Two persons in the back office: one drafts and proposes, the other releases and undoes; read at every width."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PASSWORD = "a long enough password 17"


@pytest.fixture
def people(served: Site, tmp_path: Path) -> None:
    """An editor and a steward."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    for name, role in (("anna", "editor"), ("bert", "steward")):
        add = [COMMAND, "user", "add", name, "--role", role, "--password-file", str(secret)]
        subprocess.run(add, env=served.environment, capture_output=True, cwd=ROOT, check=True)


def enter(visitor, name: str, path: str) -> Page:
    page = visitor.open(path)
    page.locator("input[name=login], input[name=username]").first.fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_load_state("networkidle")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state("networkidle")


def look(page: Page, axe: str) -> list[str]:
    """What is wrong with the page at two widths, light and dark, and at 320 pixels."""
    found = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found += [f"{page.url} {width} {scheme}: {fault}" for fault in audit(page, axe)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append(f"{page.url} sticks out at 320")
    page.set_viewport_size({"width": 390, "height": 844})
    return found


def test_a_dataset_is_changed_by_two_persons_and_undone(visit, people, profile, axe):
    key = next(iter(profile.datasets))
    title = profile.datasets[key].title["de"]
    anna, bert = visit(), visit()
    page = enter(anna, "anna", f"/office/dataset/{key}/edit/")
    found = look(page, axe)
    page.locator("#id_title-de").fill("")
    press(page, "Als Entwurf speichern")
    assert page.locator("#id_title-de-error").inner_text() == "Das muss ausgefüllt sein."
    found += look(page, axe)
    page.locator("#id_title-de").fill("Neuer Titel")
    page.locator("#id_reason").fill("Der alte war zu lang")
    press(page, "Speichern und zur Freigabe vorschlagen")
    assert page.get_by_role("status").inner_text() == "Zur Freigabe vorgeschlagen."
    assert page.get_by_role("button", name="Freigeben").count() == 0
    found += look(page, axe)

    page = enter(bert, "bert", "/office/")
    found += look(page, axe)
    page.get_by_role("link", name="Datensatz: Neuer Titel").first.click()
    page.wait_for_load_state("networkidle")
    assert "Der alte war zu lang" in page.locator("main").inner_text()
    found += look(page, axe)
    press(page, "Freigeben")
    assert "Freigegeben" in page.get_by_role("status").inner_text()
    assert page.locator("h1").inner_text() == "Datensatz: Neuer Titel"
    press(page, "Rückgängig: wie es vorher war")
    assert page.locator("h1").inner_text() == f"Datensatz: {title}"
    found += look(page, axe)
    for path in ("/office/dataset/", "/office/new/retention/", "/office/source/"):
        page.goto(bert.site + path)
        found += look(page, axe)
    source = next(iter(profile.sources))
    page.goto(f"{bert.site}/office/source/{source}/edit/")
    found += look(page, axe)
    assert found == []
    assert [fault for fault in anna.faults if "422 (Unprocessable" not in fault] == []
    assert bert.faults == []
