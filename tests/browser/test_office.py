"""Two persons in the back office: one drafts and proposes, the other releases and undoes; read at every width."""

import pytest

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def people(served: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An editor and a steward."""
    add_people(served, tmp_path_factory.mktemp("people"), anna="editor", bert="steward")


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
    page.locator("#id_undo").fill("Der kurze sagt zu wenig")
    press(page, "Rückgängig: wie es vorher war")
    assert page.locator("h1").inner_text() == f"Datensatz: {title}"
    found += look(page, axe)
    for path in ("/office/dataset/", "/office/new/retention/", "/office/source/", "/office/property/"):
        page.goto(bert.site + path)
        found += look(page, axe)
    source = next(iter(profile.sources))
    page.goto(f"{bert.site}/office/source/{source}/edit/")
    found += look(page, axe)
    assert found == []
    assert [fault for fault in anna.faults if "422 (Unprocessable" not in fault] == []
    assert bert.faults == []


def test_what_opens_says_who_reads_it_then_and_is_confirmed_by_another(visit, people, profile, axe):
    key = list(profile.datasets)[1]
    anna, bert = visit(), visit()
    page, other = enter(anna, "anna", f"/office/dataset/{key}/edit/"), enter(bert, "bert", "/office/")
    found: list[str] = []
    for access, seen in (("restricted", "die Administration dieses Hauses"), ("open", "alle, ohne Konto")):
        page.goto(f"{anna.site}/office/dataset/{key}/edit/")
        page.locator("#id_access").select_option(access)
        press(page, "Speichern und zur Freigabe vorschlagen")
        other.goto(f"{bert.site}/office/dataset/{key}/")
        told = other.locator("main").inner_text()
        assert "Nach der Freigabe" in told
        assert seen in told
        if access == "open":
            found += look(other, axe)
            press(other, "Freigeben")
            assert "muss bestätigen" in other.get_by_role("alert").inner_text()
            other.get_by_label("Ich habe gelesen, was dadurch offener wird").press("Space")
        press(other, "Freigeben")
        assert "Freigegeben" in other.get_by_role("status").inner_text()
    for path in ("/office/new/property/?id=x", f"/office/groups/{next(iter(profile.groups), '')}/edit/"):
        other.goto(bert.site + path)
        found += look(other, axe)
    assert found == []
    assert bert.faults == []
