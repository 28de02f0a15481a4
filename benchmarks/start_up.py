"""How long a house takes from `allmende serve` to its address: the first start, and later ones.

There is no raw limit below it but the interpreter's own start with Django, which is measured in the same run.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

RUNS = 3


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def start(environ: dict[str, str]) -> tuple[float, float]:
    """Seconds until /ready answers, and until all processes have ended after SIGINT."""
    begun = time.perf_counter()
    house = subprocess.Popen([sys.executable, "-m", "allmende", "serve"], env=environ, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{environ['PORT']}/ready"
    while True:
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:
                if answer.status == 200:
                    break
        except OSError:
            time.sleep(0.02)
    up = time.perf_counter() - begun
    begun = time.perf_counter()
    house.send_signal(2)
    house.wait()
    return up, time.perf_counter() - begun


def main() -> None:
    web, mqtt, websocket = free_ports(3)
    environ = {
        **os.environ,
        "ALLMENDE_HOME": tempfile.mkdtemp(prefix="allmende-bench-"),
        "ALLMENDE_CITY": "jena",
        "PORT": str(web),
        "ALLMENDE_MQTT_PORT": str(mqtt),
        "ALLMENDE_MQTT_WEBSOCKET_PORT": str(websocket),
    }
    first, _ = start(environ)
    later = [start(environ) for _ in range(RUNS)]
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import django.contrib.auth.models"], env=environ, stderr=subprocess.DEVNULL)
    bare = time.perf_counter() - begun
    up, down = (statistics.median(times) for times in zip(*later, strict=True))
    print(f"start: first {first:.1f} s, later {up:.1f} s; end: {down:.1f} s; interpreter and Django alone {bare:.1f} s")
    print(json.dumps({"name": "start", "first": first, "later": up, "end": down, "bare": bare, "unit": "s"}))


if __name__ == "__main__":
    main()
