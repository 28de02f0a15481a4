"""Pictures of the running house for the docs.

    python tools/screenshots.py [--url http://127.0.0.1:8000] [--to docs/images]

Needs Chromium (``ALLMENDE_CHROMIUM`` or ``chromium`` in the path) and Playwright for Python.
"""

import argparse
import json
import os
import shutil
import sys
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 150_000
"""Bytes that a picture may have; pictures stay in the repository's history for ever."""
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PICTURES = [
    ("home", "desktop", "light"),
    ("home", "phone", "dark"),
    ("parking", "desktop", "light"),
    ("parking", "desktop", "dark"),
    ("parking", "phone", "light"),
    ("parking", "phone", "dark"),
    ("car-park", "desktop", "dark"),
    ("car-park", "phone", "light"),
]
SIZES = {"phone": (390, 844), "desktop": (1280, 860)}


def main() -> int:
    """Exit code 0; 1 if a picture is too large or there is no browser."""
    parser = argparse.ArgumentParser(description="Take pictures of the running house.")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args()
    chromium = os.environ.get("ALLMENDE_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("no Chromium: apt-get install chromium, or set ALLMENDE_CHROMIUM", file=sys.stderr)
        return 1
    chosen.to.mkdir(parents=True, exist_ok=True)
    url = chosen.url.rstrip("/")
    pages = {"home": "/", "parking": "/parking/", "car-park": car_park(url)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        taken = [
            take(browser, url + pages[name], chosen.to / f"{name}-{size}-{scheme}.png", size, scheme)
            for name, size, scheme in PICTURES
        ]
        browser.close()
    large = [path for path in taken if path.stat().st_size > LARGEST]
    for path in taken:
        print(f"{path.stat().st_size:>8} {path}{'  too large' if path in large else ''}")
    return 1 if large else 0


def car_park(url: str) -> str:
    """Path of the car park with the most spaces that has a value."""
    with urllib.request.urlopen(f"{url}/parking/board.json", timeout=30) as answer:
        parks = json.load(answer)["carParks"]
    return str(max(parks, key=lambda park: (park["free"] is not None, park["capacity"] or 0))["url"])


def take(browser: Browser, address: str, path: Path, size: str, scheme: str) -> Path:
    """One picture of what is seen first."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="de-DE",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2500)  # the map and the charts draw in steps
    page.screenshot(path=path)
    context.close()
    return path


if __name__ == "__main__":
    sys.exit(main())
