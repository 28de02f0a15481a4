"""The catalogue's pages: readable, usable by keyboard, silent towards everybody else; and code that works as shown."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest

from tests.browser.looking import audit, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


def simulated(page) -> str:
    """The path of a dataset that has readings in this house."""
    return page.locator(".catalogue-item:has(.mark--simulated) h2 a").first.get_attribute("href")


def test_list_and_page_are_accessible(visit, axe):
    visitor = visit()
    page = visitor.open("/datasets/?simulated=1")
    found = look(page, axe)
    page = visitor.open(simulated(page))
    assert page.locator("svg.sketch circle").count() > 0
    assert found + look(page, axe) == []
    assert visitor.faults == []


def test_a_dataset_is_found_by_keyboard_without_script(visit):
    page = visit(script=False, locale="de-DE").open("/datasets/?simulated=1")
    page.get_by_label("Suchen nach").fill("simulirte")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=simulirte*")
    told = page.get_by_role("status").inner_text()
    assert re.fullmatch(r"1 Datensatz|\d+ Datensätze", told)
    assert page.title().startswith(f"{told} gefunden: simulirte"), "heard first on the new page"
    assert page.get_by_text("Nichts heißt „simulirte“.").is_visible()
    title = page.locator(".catalogue-item h2 a").first
    marks = page.locator(".catalogue-item mark")
    assert marks.count() > 0
    assert all(" " not in mark for mark in marks.all_inner_texts()), "a mark holds a whole word"
    # what is marked is read as a part of its sentence: the link's name has no gaps
    assert page.get_by_role("link", name=title.inner_text(), exact=True).count() == 1
    title.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dataset/*")
    assert page.get_by_text("Das sind keine Messwerte.").is_visible()


def test_what_is_found_is_narrowed_down_by_keyboard(visit, axe):
    visitor = visit(width=1280, locale="de-DE")
    page = visitor.open("/datasets/?simulated=1")
    before = page.get_by_role("status").first.inner_text()
    page.locator(".catalogue-facets summary", has_text="Herausgeber").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    number = int(page.evaluate("document.activeElement.textContent").rsplit("(", 1)[1].rstrip(")"))
    page.keyboard.press("Enter")
    page.wait_for_url("**publisher=*")
    assert page.locator(".catalogue-count").inner_text().split()[0] == str(number) != before.split()[0]
    chosen = page.locator(".catalogue-facets [aria-current=true]")
    assert chosen.is_visible(), "the facet that holds is open"
    assert audit(page, axe) == []
    chosen.focus()
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert page.locator(".catalogue-count").inner_text() == before


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_section_of_the_map_is_taken_into_the_fields(visit, axe, width, scheme):
    visitor = visit(width=width, scheme=scheme, locale="de-DE")
    page = visitor.open("/datasets/?simulated=1")
    page.get_by_text("Nur was einen Kartenausschnitt berührt").click()
    page.locator("[data-extent-map] canvas").wait_for()
    for _ in range(3):
        page.locator("[data-extent-map] canvas").focus()
        page.keyboard.press("Equal")
    page.get_by_role("button", name="Gezeigten Ausschnitt übernehmen").click()
    west, south, east, north = (
        float(page.locator(f"#{side}").input_value()) for side in ("west", "south", "east", "north")
    )
    assert 11 < west < east < 12
    assert 50 < south < north < 52
    assert "Jetzt suchen." in page.locator("[data-extent-told]").inner_text()
    assert audit(page, axe) == []
    page.get_by_role("button", name="Suchen", exact=True).click()
    page.wait_for_url("**west=*")
    assert page.locator("#west").input_value() == f"{west:g}"
    page.locator("#west").fill("")
    page.get_by_label("Ortsteil").select_option("Ilmnitz")
    for side in ("south", "east", "north"):
        page.locator(f"#{side}").fill("")
    page.get_by_role("button", name="Suchen", exact=True).click()
    page.wait_for_url("**district=Ilmnitz*")
    assert page.get_by_label("Ortsteil").input_value() == "Ilmnitz"
    assert visitor.faults == []


@pytest.mark.parametrize("language", ["python", "curl"])
def test_the_code_that_is_shown_works(visit, tmp_path: Path, language):
    page = visit().open("/datasets/?simulated=1")
    page = visit().open(simulated(page))
    code = page.locator(f"[data-snippet={language}]").text_content()
    if language == "curl" and not shutil.which("curl"):
        pytest.skip("no curl")
    file = tmp_path / "snippet"
    file.write_text(code, "utf-8")
    command = [sys.executable, str(file)] if language == "python" else ["sh", "-e", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "free" in done.stdout or "Plätze" in done.stdout
    assert "T" in done.stdout.splitlines()[-1], "a reading has a time"


def test_the_address_for_qgis_is_read_by_gdal(visit):
    """QGIS opens it with GDAL, which is here too."""
    page = visit().open("/datasets/?simulated=1")
    page = visit().open(simulated(page))
    code = page.locator("[data-snippet=qgis]").text_content()
    address = re.search(r'QgsVectorLayer\("([^"]+)"', code)[1]
    found = pyogrio.read_info(address)
    assert (found["geometry_type"], found["features"] > 0) == ("Point", True)
    assert {"thing", "result", "unit"} <= set(found["fields"])
