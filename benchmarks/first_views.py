"""How soon a page can be read on a phone with a slow line, and how many bytes its first view takes.

``python -m benchmarks first_views [--runs 3] [PATH …]``. A house with simulated values is served, and headless
Chromium opens each page with an empty cache under Lighthouse's "slow 4G" for phones (its core/config/constants.js,
applied by the browser: 562.5 ms to each request, 1,474.56 kbit/s down, 675 up, a processor a quarter as fast). "Read"
is when the largest content stands (LCP), "begins" when the first does (FCP). Bytes are those that went over the line,
compressed; what belongs to the map is counted apart, since it is loaded once the first view stands. The limits are the
plan's.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

from benchmarks.start_up import free_ports

SLOW_4G = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1474.56 * 1000 / 8,
    "uploadThroughput": 675 * 1000 / 8,
}
SLOWDOWN = 4
READ_SECONDS, BYTES = 2.0, 150_000
CHART = "/explorer/?simulated=1&from=-P1D&stream=demo-parking-goethe-galerie~free"
"""The explorer with a chart of what is simulated while the house is served."""
PATHS = ["/", "/datasets/", "/dataset/trees", "/instruments/", "/explorer/", CHART, "/boards/jena-heute/", "/map/"]
MAP = re.compile(r"/assets/(map|cityMap|maplibre|canvas|preview|places|extent|choose)[-.]|/geo/|/tiles/")
"""Files of the map, by what Vite calls them, and what it draws."""
WATCH = """
window.seen = {lcp: 0, fcp: 0};
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.seen.lcp = e.startTime; })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver((list) => { for (const e of list.getEntries())
  if (e.name === 'first-contentful-paint') window.seen.fcp = e.startTime; }).observe({type: 'paint', buffered: true});
"""


def serve() -> tuple[subprocess.Popen[bytes], str]:
    """A house with Jena's profile; its process and address."""
    web, mqtt, websocket = free_ports(3)
    environ = {
        **os.environ,
        "ALLMENDE_HOME": tempfile.mkdtemp(prefix="allmende-bench-"),
        "ALLMENDE_CITY": os.environ.get("ALLMENDE_CITY", "jena"),
        "PORT": str(web),
        "ALLMENDE_MQTT_PORT": str(mqtt),
        "ALLMENDE_MQTT_WEBSOCKET_PORT": str(websocket),
        "ALLMENDE_RATE_LIMIT": "0",
    }
    house = subprocess.Popen([sys.executable, "-m", "allmende", "serve"], env=environ, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{web}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return house, address
        except OSError:
            time.sleep(0.1)
    house.terminate()
    raise SystemExit("the house did not come up")


def view(browser: Any, url: str) -> dict[str, float]:
    """One visit with an empty cache: seconds and bytes."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="de-DE", device_scale_factor=2)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    line.send("Network.emulateNetworkConditions", SLOW_4G)
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    urls: dict[str, str] = {}
    sizes: dict[str, float] = {}
    line.on("Network.requestWillBeSent", lambda event: urls.__setitem__(event["requestId"], event["request"]["url"]))
    line.on("Network.loadingFinished", lambda event: sizes.__setitem__(event["requestId"], event["encodedDataLength"]))
    page.add_init_script(WATCH)
    status = page.goto(url, wait_until="load", timeout=60_000).status
    page.wait_for_timeout(4000)
    seen = page.evaluate("window.seen")
    context.close()
    drawn = sum(size for key, size in sizes.items() if MAP.search(urls.get(key, "")))
    return {
        "status": status,
        "begins": seen["fcp"] / 1000,
        "read": seen["lcp"] / 1000,
        "bytes": sum(sizes.values()) - drawn,
        "map": drawn,
    }


def main() -> int:
    """1 where a page is over the plan's limits."""
    parser = argparse.ArgumentParser(description="First views under slow 4G.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("paths", nargs="*", default=PATHS)
    asked = parser.parse_args()
    chromium = os.environ.get("ALLMENDE_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("first views: there is no Chromium, left out")
        return 0
    from playwright.sync_api import sync_playwright

    house, address = serve()
    over = 0
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for path in asked.paths:
                runs = [view(browser, address + path) for _ in range(asked.runs)]
                found = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                good = found["status"] == 200 and found["read"] < READ_SECONDS and found["bytes"] < BYTES
                over += not good
                print(
                    f"{path}: begins after {found['begins']:.2f} s, read after {found['read']:.2f} s,"
                    f" {found['bytes'] / 1000:.0f} kB, and {found['map'] / 1000:.0f} kB for the map"
                    f"{'' if good else '  OVER THE LIMIT'}"
                )
                print(json.dumps({"name": f"first view {path}", **found}))
            browser.close()
    finally:
        house.send_signal(2)
        house.wait(30)
    return over > 0


if __name__ == "__main__":
    sys.exit(main())
