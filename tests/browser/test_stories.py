"""A story: written with a live block, published by somebody else, read by all; and one that the city brings."""

import re

import pytest

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("instruments")]
TEXT = """## Am Markt

Hier ist es **ruhig**.

```tile kind=series
title = "Holzmarkt, gestern und heute"
streams = ["demo-parking-holzmarkt~free"]
span = "P1D"
```
"""


@pytest.fixture(scope="module")
def people(served: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Somebody who writes, and somebody who publishes."""
    add_people(served, tmp_path_factory.mktemp("people"), schreiberin="editor", leserin="steward")


def test_a_story_is_written_published_and_read(visit, people, served, axe):
    visitor = visit(width=1280)
    page = enter(visitor, "schreiberin", "/stories/new/")
    page.get_by_label("Titel").fill("Ein Tag am Holzmarkt")
    page.get_by_label("Text", exact=True).fill(TEXT)
    press(page, "Vorschau")
    page.wait_for_selector(".story .uplot", timeout=20_000)
    found = look(page, axe)
    press(page, "Als Entwurf behalten")
    page.get_by_role("link", name="Veröffentlichen").click()
    page.wait_for_load_state("networkidle")
    found += look(page, axe)
    press(page, "Um Veröffentlichung bitten")

    other = visit(width=1280)
    desk = enter(other, "leserin", "/stories/desk/")
    desk.get_by_role("link", name=re.compile("Veröffentlichen.*Holzmarkt")).click()
    desk.wait_for_load_state("networkidle")
    press(desk, "Veröffentlichen")

    nobody = visit(width=390)
    seen = nobody.open("/stories/")
    seen.get_by_role("link", name="Ein Tag am Holzmarkt").click()
    seen.wait_for_selector(".story .uplot", timeout=20_000)
    assert seen.locator(".story strong").first.inner_text() == "ruhig"
    found += look(seen, axe)
    # without script there is the table in its place
    plain = visit(width=390, script=False).open(seen.url.removeprefix(served.url))
    assert plain.locator(".story table tbody tr").count() > 3
    assert found == []
    assert visitor.faults + other.faults + nobody.faults == []
