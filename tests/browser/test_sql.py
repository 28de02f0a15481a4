"""One asks in SQL with a keyboard, sees table and chart, and is told what was wrong: readable, and without script."""

import pytest

from tests.browser.test_pages import audit

pytest.importorskip("duckdb", reason="duckdb is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]

QUESTION = "SELECT range AS stunde, range * (24 - range) AS frei FROM range(24)"


@pytest.mark.parametrize(("width", "scheme", "script"), [(390, "dark", True), (1280, "light", False)])
def test_a_question_is_asked_drawn_and_mended(visit, axe, width, scheme, script):
    visitor = visit(width=width, scheme=scheme, script=script, locale="de-DE")
    page = visitor.open("/sql/")
    if script:
        assert audit(page, axe) == []
    page.get_by_label("Ihre Frage").focus()
    page.keyboard.type(QUESTION)
    if script:
        page.keyboard.press("Control+Enter")
    else:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    page.get_by_role("heading", name="Antwort: 24 Zeilen").wait_for()
    page.get_by_text("Als Diagramm").click()
    page.get_by_label("Art").select_option("line")
    page.get_by_label("Senkrecht").select_option("frei")
    page.get_by_role("button", name="Zeichnen").click()
    page.get_by_role("img", name="Diagramm von frei nach stunde").wait_for()
    assert page.get_by_role("cell", name="144", exact=True).count() == 1
    if script:
        assert audit(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="nur CSV").click()
    assert waiting.value.path().read_bytes().startswith(b"stunde,frei\r\n0,0\r\n")
    page.get_by_label("Ihre Frage").fill("SELEC 1")
    page.get_by_role("button", name="Fragen", exact=True).click()
    page.get_by_role("alert").get_by_text("Parser Error").wait_for()
    if script:
        assert audit(page, axe) == []
    assert [fault for fault in visitor.faults if "400" not in fault] == []
