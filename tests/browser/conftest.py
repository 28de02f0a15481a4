"""A running house and a headless Chromium. Skipped visibly where there is no Chromium.

``ALLMENDE_BROWSER_URL`` points the tests at a house that runs already.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from allmende.domain.profile import Profile
from allmende.web.profiles import load_profile
from tests.homes import put_database

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = os.environ.get("ALLMENDE_CHROMIUM") or shutil.which("chromium") or ""
COMMAND = Path(sys.executable).with_name("allmende")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # without a graphics card only maps should be drawn as if there were one
]
START_SECONDS = 100


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """A house that is served. ``url`` is without a slash at the end."""

    url: str
    environment: dict[str, str] | None = None
    """Of its commands; None for one that somebody else looks after."""
    foreign: int = 0
    """The port of another site, which may show this one's frames; 0 where none is known."""

    def token(self, *options: str) -> str:
        """A token; skips where this house gives none."""
        if self.environment is None:
            pytest.skip("tokens of a house that is given are somebody else's")
        made = subprocess.run(
            [COMMAND, "token", "create", "browser", "--json", *options],
            env=self.environment, check=True, capture_output=True, cwd=ROOT,
        )  # fmt: skip
        return str(json.loads(made.stdout)["token"])


@pytest.fixture(scope="package")
def site(served: Site) -> str:
    """Address of a house with simulated values, without a slash at the end."""
    return served.url


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A house with simulated values. What tests take in is there for those behind them: whoever takes in readings of
    what others look at has a house of their own, by :func:`serve`."""
    yield from serve(tmp_path_factory)


def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A house that has begun, until it is no longer needed."""
    given = os.environ.get("ALLMENDE_BROWSER_URL")
    if given:
        yield Site(given.rstrip("/"))
        return
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or set ALLMENDE_CHROMIUM")
    home = tmp_path_factory.mktemp("house")
    port, foreign = free_port(), free_port()
    city = os.environ["ALLMENDE_CITY"]
    settings = {
        "ALLMENDE_HOME": str(home),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "ALLMENDE_MQTT_PORT": "0",
        "ALLMENDE_REGISTRATION": "open",
        "ALLMENDE_EMBED_HOSTS": f"http://127.0.0.1:{foreign}",
        "ALLMENDE_MQTT_WEBSOCKET_PORT": str(free_port()),
    }
    environment = {**os.environ, **settings}
    put_database(home)
    subprocess.run([COMMAND, "init", "--city", city], env=environment, check=True, capture_output=True, cwd=ROOT)
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen([COMMAND, "serve"], env=environment, stdout=log, stderr=log, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        await_values(url, process, home / "serve.log")
        yield Site(url, environment, foreign)
    finally:
        process.terminate()
        process.wait(20)


def await_values(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the board shows a value; fails with the house's words if it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/parking/board.json", timeout=10) as answer:
                if any(park["free"] is not None for park in json.load(answer)["carParks"]):
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    pytest.fail(f"the house did not come up:\n{log.read_text(errors='replace')[-4000:]}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or set ALLMENDE_CHROMIUM")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Visitor:
    """A browser window that writes down what should not happen."""

    context: BrowserContext
    site: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page and wait until it has come to rest."""
        page = self.context.new_page()
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.goto(self.site + path)
        page.wait_for_load_state("networkidle")
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and "404 (Not Found)" not in text:
            self.faults.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != urlsplit(self.site).hostname:
            self.faults.append(f"foreign host: {url}")


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[type]:
    """``visit(width=…, scheme=…, script=…)`` gives a Visitor; windows are closed at the end."""
    contexts: list[BrowserContext] = []

    def make(width: int = 390, height: int = 844, scheme: str = "light", script: bool = True, **more: str) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            locale=more.get("locale", "de-DE"),
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        return Visitor(context, site)

    yield make  # type: ignore[misc]
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def profile() -> Profile:
    """What the pages should show."""
    return load_profile(os.environ["ALLMENDE_CITY"])


@pytest.fixture(scope="package")
def car_park(site: str) -> str:
    """Path of the page of one car park that has a value."""
    with urllib.request.urlopen(f"{site}/parking/board.json", timeout=30) as answer:
        parks = json.load(answer)["carParks"]
    return str(next(park["url"] for park in parks if park["free"] is not None))


@pytest.fixture(scope="package")
def axe() -> str:
    """Source of axe-core; injected by the debugger, since our policy lets no foreign script in."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: python tools/build_assets.py")
    return AXE.read_text("utf-8")
