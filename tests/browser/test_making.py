"""A source made without code by one person, released by another; what comes in is seen."""

import gzip
import json
import os
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
TREES = """treeid;baumhoehe;gattung;datlr;rechtswert;hochwert
27077;12;Fraxinus;2022-09-27;679542.668613;5646041.5832
27078;14;Fraxinus;2022-09-27;679542.073301;5646044.6259
27080;15;Acer;2022-09-27;679538.824;5646047.307
27081;kaputt;Acer;2022-09-27;;5646047.307
"""
LEVELS = """Zeit;Messstelle;Pegel (cm);Bemerkung
01.03.2026 10:00;Burgau;121,5;
01.03.2026 11:00;Burgau;122,25;
01.03.2026 10:00;Zwätzen;98;
01.03.2026 11:00;Zwätzen;99,5;Eis
"""


@pytest.fixture(scope="module")
def people(served: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An editor and a steward."""
    add_people(served, tmp_path_factory.mktemp("people"), mia="editor", nils="steward")


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """The register of trees as it was captured, else a few of them: packed, as it is."""
    folder = Path(os.environ.get("ALLMENDE_SHARED_DATA", Path.cwd().parent / "shared" / "data"))
    captured = folder / "geo" / "jena_trees_2022.csv.gz"
    if captured.is_file():
        return captured
    made = tmp_path / "jena_trees_2022.csv.gz"
    made.write_bytes(gzip.compress(TREES.encode()))
    return made


def bring(page: Page, file: Path) -> None:
    page.locator("#id_file").set_input_files(file)
    press(page, "Erkennen")


def name_it(page: Page, key: str, title: str) -> None:
    page.locator("#id_title_de").fill(title)
    if page.locator("#id_title_en").count():
        page.locator("#id_title_en").fill(title)
    page.locator("#id_id").fill(key)
    page.locator("#id_new_id").fill(key)
    page.locator("#id_new_publisher").fill("Stadt Jena")
    page.locator("#id_new_licence").fill("dl-de/by-2-0")


def release(visitor, key: str) -> None:
    page = enter(visitor, "nils", f"/office/source/{key}/")
    press(page, "Freigeben")
    assert "Freigegeben" in page.get_by_role("status").inner_text()


def test_a_table_of_levels_becomes_streams(visit, people, axe, tmp_path, site):
    file = tmp_path / "Pegel Saale.csv"
    file.write_text(LEVELS, "utf-8")
    mia, nils = visit(width=1280), visit(width=390)
    page = enter(mia, "mia", "/office/sources/new/")
    found = look(page, axe)
    page.set_viewport_size({"width": 1280, "height": 900})
    bring(page, file)
    assert page.locator("#meaning-2").input_value() == "value"
    assert page.locator("#unit-2").input_value() == "cm"
    found += look(page, axe)
    page.locator("#title-2").fill("Wasserstand der Saale")
    name_it(page, "pegel-saale", "Pegel der Saale")
    press(page, "Vorschau")
    assert "Wasserstand der Saale (cm): 2 Messwerte" in page.locator("main").inner_text()
    found += look(page, axe)
    page.get_by_role("link", name="So ist es richtig").click()
    page.wait_for_load_state("networkidle")
    found += look(page, axe)
    page.locator("#id_reason").fill("aus dem Archiv")
    press(page, "Vorschlagen")
    assert "wartet darauf" in page.get_by_role("status").inner_text()
    found += look(page, axe)
    release(nils, "pegel-saale")
    # the page asks by itself until all is taken in
    page.wait_for_selector("text=Alles ist übernommen.", timeout=30_000)
    assert "Neu" in page.locator("#making-state").inner_text()
    address = f"{site}/sta/v1.1/Datastreams('pegel-saale-Burgau~water-level')/Observations?$orderby=phenomenonTime"
    with urllib.request.urlopen(address.replace("$", "%24"), timeout=10) as answer:
        assert [each["result"] for each in json.load(answer)["value"]] == [121.5, 122.25]
    assert found == []
    assert mia.faults == []
    assert nils.faults == []


def test_trees_are_seen_on_the_map_before_anything_is_stored(visit, people, axe, trees):
    mia = visit(width=1280)
    page = enter(mia, "mia", "/office/sources/new/")
    bring(page, trees)
    text = page.locator("main").inner_text()
    assert "jede Zeile ist ein Objekt" in text
    found = look(page, axe)
    height = page.locator("input[name^=title-][value=baumhoehe]")
    height.fill("height")
    name_it(page, "baeume", "Bäume")
    press(page, "Vorschau")
    page.locator("[data-preview-map]").scroll_into_view_if_needed()
    page.wait_for_selector("[data-drawn]", timeout=30_000)
    assert int(page.locator("[data-preview-map]").get_attribute("data-drawn") or "0") >= 3
    page.locator(".seen summary").first.click()
    assert "height" in page.locator(".seen").first.inner_text()
    found += look(page, axe)
    # what was begun is there when one comes back, and can be given up
    page.goto(f"{mia.site}/office/sources/new/")
    assert page.get_by_role("link", name=trees.name).count() == 1
    press(page, f"Löschen {trees.name}")
    assert page.get_by_role("link", name=trees.name).count() == 0
    assert found == []
    assert mia.faults == []


def test_it_goes_without_script_and_a_file_can_be_dropped_with_it(visit, people, tmp_path):
    file = tmp_path / "ohne.csv"
    file.write_text(LEVELS, "utf-8")
    page = enter(visit(script=False), "mia", "/office/sources/new/")
    bring(page, file)
    assert page.locator("#meaning-0").input_value() == "time"
    press(page, "Löschen")
    page = enter(visit(), "mia", "/office/sources/new/")
    page.wait_for_function(
        """() => {  // the part of the script that takes drops is loaded by itself
        const zone = document.querySelector('[data-drop-zone]');
        zone.dispatchEvent(new DragEvent('dragenter', {cancelable: true}));
        return zone.classList.contains('drop--over');
        }"""
    )
    page.evaluate(
        """text => {
        const files = new DataTransfer();
        files.items.add(new File([text], 'gezogen.csv'));
        const zone = document.querySelector('[data-drop-zone]');
        zone.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}));
        }""",
        LEVELS,
    )
    press(page, "Erkennen")
    assert "gezogen.csv" in page.locator("main").inner_text()
    press(page, "Löschen")
