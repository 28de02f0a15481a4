"""What could not be read, as those who look after the house see it and take it again."""

import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.fixture
def source(served: Site, profile, tmp_path: Path) -> str:
    """A source of which two messages were refused; there is somebody who looks after the house."""
    add_people(served, tmp_path, keeper="admin")
    name = next(each.id for each in profile.sources.values() if each.connector == "chirpstack")
    broken = b'{"deviceInfo": 5}\n{"deviceInfo": {"devEui": "<script>alert(1)</script>"}}\n'
    command = [COMMAND, "import", name, "-"]
    subprocess.run(command, env=served.environment, input=broken, capture_output=True, cwd=ROOT)
    return name


def test_rejections_are_seen_and_taken_again(visit, source, axe):
    visitor = visit(width=390)
    page = enter(visitor, "keeper", f"/sources/{source}/rejections/")
    assert page.locator("h1").inner_text() == "Was nicht lesbar war"
    assert page.locator(".source").count() == 2
    assert look(page, axe) == []
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    press(page, "Alle diese noch einmal lesen")
    assert page.get_by_role("status").inner_text() == "0 von 2 waren jetzt lesbar."
    assert page.locator(".source").count() == 2
    assert visitor.faults == []
