"""Access to what is not open, granted and taken back in the browser."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def people(served: Site, profile, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A steward and somebody else; gives the title of a dataset that is restricted."""
    closed = [each for each in profile.datasets.values() if each.access == "restricted"]
    if not closed:
        pytest.skip("all datasets of this city are open")
    add_people(served, tmp_path_factory.mktemp("people"), granting="steward", granted="contributor")
    return closed[0].title["de"]


def test_a_steward_grants_access_and_takes_it_back(visit, people, axe):
    visitor = visit(width=390)
    page = enter(visitor, "granting", "/office/access/")
    page.get_by_role("link", name=people).click()
    page.get_by_label("Person (Benutzername)").fill("granted")
    page.get_by_label("Wofür").fill("Planung der Linien 2027")
    press(page, "Freigeben")
    assert "Bitte sagen Sie, bis wann." in page.locator("#error-until").inner_text()
    assert page.get_by_label("Person (Benutzername)").input_value() == "granted"
    page.get_by_label("Bis", exact=True).fill((datetime.now(UTC).date() + timedelta(days=30)).isoformat())
    press(page, "Freigeben")
    assert page.get_by_role("status").inner_text() == "Der Zugang ist freigegeben."
    assert "granted" in page.get_by_role("table", name="Geltende Freigaben").inner_text()
    assert look(page, axe) == []
    page.get_by_role("button", name="Entziehen").click()  # whose access it is, is a part of its name
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("status").inner_text() == "Der Zugang ist entzogen."
    assert page.get_by_role("table", name="Beendete Freigaben").is_visible()
    # What was typed wrongly is answered with 422, which Chromium notes.
    assert [fault for fault in visitor.faults if "422" not in fault] == []
