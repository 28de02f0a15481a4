"""What the tests of pages do again and again: people of their own, logging in, and looking at a page from all sides."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, Site, Visitor

PASSWORD = "a long enough password 17"
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that ask for colours."""
# One process for all: to start one takes longer than to do what is asked.
_COMMANDS = """
import json, sys
from allmende.web.cli import main
sys.exit(max(main(command) for command in json.loads(sys.argv[1])))
"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def add_people(served: Site, folder: Path, **roles: str) -> None:
    """Accounts by name and role (``admin`` for all of them), each with PASSWORD. Skips where the house is given."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")
    secret = folder / "password"
    secret.write_text(PASSWORD)
    commands = []
    for name, role in roles.items():
        may = ["--admin"] if role == "admin" else ["--role", role]
        commands.append(["user", "add", name, "--email", f"{name}@city.example", *may, "--password-file", str(secret)])
    asked = [sys.executable, "-c", _COMMANDS, json.dumps(commands)]
    subprocess.run(asked, env=served.environment, capture_output=True, cwd=ROOT, check=True)


def log_in(page: Page, name: str) -> None:
    """On a page that asks for it."""
    page.locator("input[name=login], input[name=username]").first.fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    press(page, "Anmelden")


def enter(visitor: Visitor, name: str, path: str) -> Page:
    """Open a page that only somebody who is logged in sees."""
    page = visitor.open(path)
    log_in(page, name)
    return page


def press(page: Page, name: str) -> None:
    """Press a button and wait for what comes."""
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state("networkidle")


def audit(page: Page, axe: str, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """What axe finds, one line each, by all rules, ``only`` some, or all ``without`` some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(
        "([only, rules]) => axe.run(document, {runOnly: only, rules}).then(found => found.violations.map(one => "
        "({id: one.id, help: one.help, nodes: one.nodes.map(node => node.html.slice(0, 200) + ' ' + "
        "node.any.map(check => check.message).join('; ')).slice(0, 4)})))",
        [list(only or TAGS), {name: {"enabled": False} for name in without}],
    )
    return [json.dumps(one, ensure_ascii=False) for one in found]


def look(page: Page, axe: str, settle: Callable[[Page], object] = lambda page: None) -> list[str]:
    """What axe finds at two widths, light and dark, and what sticks out at 320 pixels, which is 400 percent.

    Each width and each scheme is held against all rules, and all four against those of colours: nothing else depends
    on both. ``settle`` is called at each width. The page is left as wide as it was, and light. Pictures are taken where
    ``BROWSER_PICTURES`` names a folder.
    """
    found = []
    before = page.viewport_size
    assert before is not None
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a Literal
            page.wait_for_timeout(100)
            only = () if (width, scheme) in ((390, "light"), (1280, "dark")) else COLOURS
            found += [f"{page.url} {width} {scheme}: {fault}" for fault in audit(page, axe, only)]
            if folder := os.environ.get("BROWSER_PICTURES"):
                name = page.url.partition("://")[2].partition("/")[2].replace("/", "-")[:80]
                page.screenshot(path=f"{folder}/{name}{width}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    settle(page)
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append(f"{page.url} sticks out at 320")
    page.set_viewport_size(before)
    return found
