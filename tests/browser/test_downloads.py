"""A file is ordered on a dataset's page, looked after and fetched: readable, and without script."""

import zipfile

import pytest

from tests.browser.test_catalogue import simulated
from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_file_is_ordered_and_fetched(visit, axe, width, scheme):
    visitor = visit(width=width, scheme=scheme, locale="de-DE")
    page = visitor.open("/datasets/?simulated=1")
    page = visitor.open(simulated(page))
    page.get_by_text("Welches Format?").click()
    page.get_by_text("Nur ein Teil der Messwerte").click()
    assert audit(page, axe) == []
    page.get_by_label("Format", exact=True).select_option("csv-de")
    page.get_by_role("button", name="Datei erstellen").click()
    page.wait_for_url("**/downloads/*/")
    assert audit(page, axe) == []
    fetch = page.get_by_role("link", name="Datei abrufen")
    for _ in range(60):
        if fetch.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert audit(page, axe) == []
    with page.expect_download() as waiting:
        fetch.click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.namelist() == ["data.csv", "datapackage.json", "LIESMICH-README.txt"]
        assert archive.read("data.csv").count(b"\r\n") > 1
    page.get_by_role("button", name="Auftrag und Datei jetzt löschen").click()
    page.wait_for_url("**/downloads/")
    assert audit(page, axe) == []
    page = visitor.open("/dumps/")
    assert audit(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert visitor.faults == []
