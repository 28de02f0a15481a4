"""The map of the city in a real browser: drawn without asking a foreign host, usable by keyboard alone, readable on
paper and without script."""

import json
import re
import subprocess
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.looking import audit, look

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("instruments")]
HOUSES = "street,number,postcode,place,lon,lat\nMarktstraße,1,07743,Mitte,{0},{1}\nMarktstraße,12,07743,Mitte,{0},{1}\n"


def drawn(page: Page) -> None:
    """Wait until the map stands still."""
    page.wait_for_selector("[data-drawn], .map__failed", timeout=30_000)
    page.wait_for_load_state("networkidle")


@pytest.fixture(scope="module")
def addresses(served: Site, tmp_path_factory) -> None:
    """A small register: all houses stand where a car park is."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    path = tmp_path_factory.mktemp("register") / "constructed_addresses.csv"
    with urllib.request.urlopen(f"{served.url}/map/things.json?layer=things:demo-parking", timeout=30) as answer:
        place = json.load(answer)["features"][0]["geometry"]["coordinates"]
    path.write_text(HOUSES.format(*place), "utf-8")
    command = [COMMAND, "addresses", "import", str(path), "--source", "Vermessung", "--licence", "CC0"]
    subprocess.run(command, env=served.environment, check=True, capture_output=True, cwd=ROOT)


def test_the_map_is_sound_on_all_screens(visit, addresses, axe):
    visitor = visit(width=390)
    page = visitor.open("/map/")
    drawn(page)
    page.locator(".atlas__about summary").first.click()
    page.locator("#district").select_option(index=1)
    expect(page.locator("[data-atlas-district] dl")).to_be_visible()
    assert look(page, axe, drawn) == []
    page.emulate_media(media="print")
    for hidden in (".site-header", ".atlas__search", "[data-atlas-print]", ".atlas__clock"):
        assert not page.locator(hidden).first.is_visible(), hidden
    layer = page.locator("[data-atlas-layer]:has(:checked)").first
    for shown in (".maplibregl-ctrl-scale", "[data-atlas-map] canvas"):
        assert page.locator(shown).is_visible(), shown
    assert layer.locator(".swatches li").first.is_visible()
    assert "Quelle" in layer.locator(".atlas__credit").inner_text()
    assert visitor.faults == []


def test_all_of_it_is_reached_by_keyboard(visit, addresses):
    visitor = visit(width=1280, height=1000)
    page = visitor.open("/map/?layer=things:demo-parking")
    drawn(page)
    keys = page.keyboard
    # an address, with a slip
    page.get_by_role("combobox", name="Adresse, Ort oder Ortsteil suchen").focus()
    keys.type("Markstr 1")
    option = page.get_by_role("option", name=re.compile("Marktstraße 1 "))
    option.wait_for()
    keys.press("ArrowDown")
    assert option.get_attribute("aria-selected") == "true"
    keys.press("Enter")
    page.wait_for_url("**near=**")
    assert page.locator("#q").input_value() == "Marktstraße 1, 07743 Mitte"
    # a thing of the view, its details, and back
    thing = page.locator("[data-atlas-things] button").first
    thing.wait_for()
    thing.focus()
    expect(page.locator(".maplibregl-popup")).to_be_visible()
    keys.press("Enter")
    expect(page.locator("#thing-title")).to_be_focused()
    assert "selected=" in page.url
    assert "simuliert" in page.locator("[data-atlas-thing]").inner_text()
    keys.press("Escape")
    expect(thing).to_be_focused()
    assert "selected=" not in page.url
    # back in time, and what the address says
    slide = page.get_by_role("slider", name="Durch die Zeit gehen")
    slide.focus()
    keys.press("ArrowLeft")
    page.wait_for_url("**&at=**")
    said = slide.get_attribute("aria-valuetext")
    page.get_by_role("button", name="Einen Schritt weiter").focus()
    keys.press("Enter")
    expect(page.locator("[data-atlas-moment]")).to_have_text("Jetzt")
    slide.focus()
    keys.press("ArrowLeft")
    page.wait_for_url("**&at=**")
    page.reload()
    drawn(page)
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == said
    # layers: off, and their order
    names = page.locator("[data-atlas-layers] [data-atlas-layer]")
    if names.count() > 1:
        first = names.first.get_attribute("data-title")
        page.get_by_role("button", name=f"{first} nach unten").focus()
        keys.press("Enter")
        assert names.nth(1).get_attribute("data-title") == first
    box = page.locator("input[name=layer]:checked").first
    name = box.input_value()
    box.focus()
    keys.press("Space")
    gone = "name => !new URLSearchParams(location.search).getAll('layer').includes(name)"
    page.wait_for_function(gone, arg=name)
    assert visitor.faults == []


def test_the_list_says_the_same_without_script(visit, addresses, axe):
    visitor = visit(width=390, script=False)
    page = visitor.open("/map/?layer=things:demo-parking")
    page.get_by_label("Adresse, Ort oder Ortsteil suchen").fill("marktstr. 1")
    page.get_by_label("Im Umkreis").select_option("5000")
    page.get_by_role("button", name="Als Liste zeigen").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/map/list/?**")
    assert "Im Umkreis von 5.000 m um Marktstraße 1, 07743 Mitte" in page.locator("main").inner_text()
    rows = page.locator("tbody tr")
    assert rows.count() > 2
    for layer in page.locator("table").all():
        distances = layer.locator("tbody td:last-child").all_inner_texts()
        far = [int(re.sub(r"\D", "", text)) for text in distances]
        assert far == sorted(far)
    rows.first.get_by_role("link").click()
    page.wait_for_url("**/map/thing/?**")
    assert page.locator("#thing-title").is_visible()
    assert visitor.faults == []
    seen = visit(width=390, scheme="dark")
    listed = seen.open("/map/list/?q=Marktstr+1&radius=5000&layer=things:demo-parking")
    assert audit(listed, axe) == []
    listed.set_viewport_size({"width": 320, "height": 640})
    assert listed.evaluate("document.documentElement.scrollWidth <= 320")
    assert seen.faults == []
