"""The catalogue's pages: readable, usable by keyboard, silent towards everybody else; and code that works as shown."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.looking import look

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
    page.get_by_label("Suchen nach").fill("simulation")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=simulation*")
    assert page.get_by_role("status").inner_text() == "1 Datensatz"
    page.locator(".catalogue-item h2 a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dataset/*")
    assert page.get_by_text("Das sind keine Messwerte.").is_visible()


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
