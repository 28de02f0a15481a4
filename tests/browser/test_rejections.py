"""What could not be read, as those who look after the house see it and take it again."""

import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.test_pages import audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]


@pytest.fixture
def source(served: Site, profile, tmp_path: Path) -> str:
    """A source of which two messages were refused; there is somebody who looks after the house."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    name = next(each.id for each in profile.sources.values() if each.connector == "chirpstack")
    secret = tmp_path / "password"
    secret.write_text("a long enough password 17")
    add = [COMMAND, "user", "add", "keeper", "--email", "keeper@example.org", "--admin", "--password-file", str(secret)]
    subprocess.run(add, env=served.environment, capture_output=True, cwd=ROOT)
    broken = b'{"deviceInfo": 5}\n{"deviceInfo": {"devEui": "<script>alert(1)</script>"}}\n'
    command = [COMMAND, "import", name, "-"]
    subprocess.run(command, env=served.environment, input=broken, capture_output=True, cwd=ROOT)
    return name


def test_rejections_are_seen_and_taken_again(visit, source, axe):
    visitor = visit(width=390)
    page = visitor.open(f"/sources/{source}/rejections/")
    page.locator("#id_username").fill("keeper")
    page.locator("#id_password").fill("a long enough password 17")
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").inner_text() == "Was nicht lesbar war"
    assert page.locator(".source").count() == 2
    found = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found += [f"{width} {scheme}: {fault}" for fault in audit(page, axe)]
    assert found == []
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Alle diese noch einmal lesen").click()
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("status").inner_text() == "0 von 2 waren jetzt lesbar."
    assert page.locator(".source").count() == 2
    assert visitor.faults == []
