"""From a reading to the message of an alert, at 200 readings a second: the served house, a webhook on loopback.

``python -m benchmarks alerts [--rate 200] [--seconds 60] [--streams 200] [--engine sqlite|postgresql]``. Every
hundredth reading passes its alert's limit, the next of its stream is below. What is told is the time from the moment
when the reading's POST is begun until the webhook has the message; the raw limit is a bare POST to the webhook.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.served.database import installed, private_database
from benchmarks.setting import ROOT
from benchmarks.start_up import free_ports

_ALERT = """
[channels.duty]
kind = "webhook"
address = "http://127.0.0.1:{port}/"
secret = "ALERT_KEY"
[alerts.high]
title = {{ de = "Hoch", en = "High" }}
dataset = "sensors"
public = true
raise = "level > 100"
tell = ["duty"]
inputs.level.property = "bench-level"
"""
_SERVE = "import sys; from allmende.web.cli import main; sys.exit(main(['serve']))"
_INIT = "import sys; from allmende.web.cli import main; sys.exit(main(['init', '--city', sys.argv[1]]))"


class Hook:
    """Notes when which stream's alert was told as raised."""

    def __init__(self) -> None:
        self.told: dict[str, list[float]] = {}
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                now = time.monotonic()
                said = json.loads(body)
                if said.get("type") == "alert.raised":
                    hook.told.setdefault(said["key"], []).append(now)
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class Client:
    """Posts on a connection for each thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept = threading.local()

    def post(self, path: str, body: Any) -> None:
        connection = getattr(self._kept, "connection", None)
        if connection is None:
            connection = self._kept.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201, 204):
            raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")


def make_streams(client: Client, count: int) -> None:
    """One thing with so many streams of a property."""
    client.post("/sta/v1.1/Things", {"@iot.id": "bench", "name": "Bench", "description": "-"})
    client.post("/sta/v1.1/Sensors", {
        "@iot.id": "bench", "name": "Probe", "description": "-", "encodingType": "text/plain", "metadata": "-",
    })  # fmt: skip
    client.post("/sta/v1.1/ObservedProperties", {
        "@iot.id": "bench-level", "name": "Level", "definition": "https://example.org/level", "description": "-",
    })  # fmt: skip
    for number in range(count):
        client.post("/sta/v1.1/Datastreams", {
            "@iot.id": f"bench~{number}", "name": str(number), "description": "-",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "centimetre", "symbol": "cm", "definition": "https://ucum.org/ucum"},
            "Thing": {"@iot.id": "bench"}, "Sensor": {"@iot.id": "bench"},
            "ObservedProperty": {"@iot.id": "bench-level"},
        })  # fmt: skip


def load(client: Client, streams: int, rate: int, seconds: int) -> tuple[dict[str, list[float]], float]:
    """Post at an even pace; gives when which stream's reading was above the limit, and how late the pace became."""
    above: dict[str, list[float]] = {}
    lock = threading.Lock()
    begun = time.monotonic()
    late = 0.0

    def one(number: int) -> None:
        nonlocal late
        due = begun + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        turn, stream = divmod(number, streams)
        high = stream % 100 == turn % 100
        sent = time.monotonic()
        result = 150.0 if high else 50.0 + turn % 40
        client.post(f"/sta/v1.1/Datastreams('bench~{stream}')/Observations", {"result": result})
        with lock:
            late = max(late, sent - due)
            if high:
                above.setdefault(f"bench~{stream}", []).append(sent)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(rate * seconds)))
    return above, late


def wait_for(condition: Any, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return False


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def measure(home: Path, database: str, options: argparse.Namespace) -> None:
    """One run of the house."""
    hook = Hook()
    town = home / "town"
    shutil.copytree(ROOT / "cities" / "example", town)
    with (town / "city.toml").open("a", encoding="utf-8") as profile:
        profile.write(_ALERT.format(port=hook.port))
    port, mqtt, websocket = free_ports(3)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ALLMENDE_")},
        "ALLMENDE_HOME": str(home / "home"), "PORT": str(port), "ALLMENDE_MQTT_PORT": str(mqtt),
        "ALLMENDE_MQTT_WEBSOCKET_PORT": str(websocket), "ALLMENDE_ANONYMOUS_WRITES": "yes", "ALLMENDE_RATE_LIMIT": "0",
        "ALERT_KEY": "a key of the benchmark", "ALLMENDE_ALERT_PRIVATE_HOSTS": "127.0.0.1",
        **({"ALLMENDE_DATABASE_URL": database} if database else {}),
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", _INIT, str(town)], env=environ, check=True, stdout=subprocess.DEVNULL)
    log = home / "house.log"
    with log.open("wb") as file:
        house = subprocess.Popen([sys.executable, "-c", _SERVE], env=environ, stdout=file, stderr=file)
    try:
        # another house may answer at the same port, and would be measured: its alerts go to another webhook
        if not wait_for(lambda: answers(port) or house.poll() is not None, 90) or house.poll() is not None:
            raise RuntimeError(f"the house does not answer: {log.read_text('utf-8', 'replace')[-3000:]}")
        client = Client(port)
        make_streams(client, options.streams)
        for stream in range(options.streams):  # each is known to the one who watches before it is measured
            client.post(f"/sta/v1.1/Datastreams('bench~{stream}')/Observations", {"result": 1.0})
        time.sleep(20)  # what a house does after its start is not what is measured
        above, late = load(client, options.streams, options.rate, options.seconds)
        wait_for(lambda: all(len(hook.told.get(key, ())) >= len(times) for key, times in above.items()), 30)
        delays = [told - sent for key, times in above.items()
                  for sent, told in zip(times, hook.told.get(key, ()), strict=False)]  # fmt: skip
        if not delays:
            raise RuntimeError(f"no alert was told: {log.read_text('utf-8', 'replace')[-3000:]}")
        lost = sum(len(times) for times in above.values()) - len(delays)
        raw = _raw(hook.port)
        slow = statistics.quantiles(delays, n=20)[-1] if len(delays) > 1 else delays[0]
        print(
            f"alerts ({'postgresql' if database else 'sqlite'}): {options.rate} readings/s for {options.seconds} s,"
            f" {len(delays)} alerts: from reading to message {statistics.median(delays):.2f} s"
            f" (95 of 100 within {slow:.2f} s, the slowest {max(delays):.2f} s); {lost} not told;"
            f" the sender was {late:.2f} s late at most; a bare POST to the webhook {raw * 1e3:.1f} ms"
        )
        print(json.dumps({"name": "alerts", "delays": delays, "lost": lost, "rate": options.rate, "raw": raw}))
    finally:
        house.terminate()
        house.wait(30)


def _raw(port: int) -> float:
    client = Client(port)
    times = []
    for _ in range(200):
        begun = time.monotonic()
        client.post("/", {"type": "none", "key": "-"})
        times.append(time.monotonic() - begun)
    return statistics.median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--streams", type=int, default=200)
    options = parser.parse_args()
    tools = installed() if options.engine == "postgresql" else None
    if options.engine == "postgresql" and tools is None:
        print("alerts: PostgreSQL is not here")
        return 0
    home = Path(tempfile.mkdtemp(prefix="allmende-bench-"))
    try:
        with private_database(tools) if tools else nullcontext() as database:
            measure(home, database.url if database else "", options)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
