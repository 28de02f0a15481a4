"""The examples of docs/how-to/use-the-api.md do what the page says, in its order, on both engines."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-the-api.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
pytestmark = [pytest.mark.xdist_group("served"), pytest.mark.timeout(300)]


def examples() -> list[tuple[str, str, str]]:
    """Each command with what it gives, and in which form; a command without an answer is not run."""
    found = []
    for (language, text), (form, claim) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "sh" and form in ("json", "text"):
            found.append((text, form, claim))
    return found


def holds(claim: Any, given: Any) -> bool:
    """Whether an answer is what the page shows: ``…`` stands for anything, also for more in a list or an object."""
    if isinstance(claim, str):
        pattern = claim.replace("[", "[[]").replace("…", "*")
        return claim == "…" or (isinstance(given, str) and fnmatchcase(given, pattern))
    if isinstance(claim, dict):
        return isinstance(given, dict) and all(name in given and holds(claim[name], given[name]) for name in claim)
    if isinstance(claim, list):
        more = bool(claim) and claim[-1] == "…"
        wanted = claim[:-1] if more else claim
        enough = isinstance(given, list) and (len(given) >= len(wanted) if more else len(given) == len(wanted))
        return enough and all(holds(one, other) for one, other in zip(wanted, given, strict=False))
    return bool(claim == given)


@pytest.fixture(scope="package")
def lively(served: Served) -> Served:
    """The house once its simulated sources have sent something."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{served.url}/Datastreams?$expand=Observations($top=1)", timeout=30) as answer:
            streams = json.load(answer)["value"]
        if sum(bool(one["Observations"]) for one in streams if str(one["@iot.id"]).startswith("demo-")) >= 2:
            return served
        time.sleep(0.5)
    raise AssertionError("the simulated sources are silent")


def test_every_example(lively: Served) -> None:
    environ = {**lively.environ, "HOUSE": lively.url, "TOKEN": lively.secret, "LC_ALL": "C.UTF-8"}
    assert len(examples()) >= 15
    for command, form, claim in examples():
        done = subprocess.run(["bash", "-euc", command], env=environ, capture_output=True, text=True, timeout=60)
        told = f"{command}\n→ {done.stdout[:2000]}{done.stderr}"
        assert done.returncode == 0, told
        if form == "json":
            assert holds(json.loads(claim), json.loads(done.stdout)), told
        else:
            assert holds(claim.strip(), done.stdout.strip()), told


def test_live_readings_come_as_the_page_says(lively: Served, tmp_path: Path) -> None:
    """The page's program, with the name of a stream of our own."""
    program = next(text for language, text in BLOCKS if language == "python")
    stream = {
        "@iot.id": "live", "name": "l", "description": "l", "observationType": "https://example.org/m",
        "unitOfMeasurement": {}, "Thing": {"name": "t", "description": "t"},
        "Sensor": {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": "m"},
        "ObservedProperty": {"name": "p", "description": "p", "definition": "https://example.org/p"},
    }  # fmt: skip
    post(f"{lively.url}/Datastreams", stream)
    program = program.replace("demo-parking-altmarkt~free", "live").replace("localhost", "127.0.0.1")
    program = program.replace("18830", lively.environ["ALLMENDE_MQTT_PORT"])
    heard = tmp_path / "heard"
    with heard.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-u", "-c", program], stdout=file, stderr=file)
    try:
        end = time.monotonic() + 60
        while not heard.read_text() and time.monotonic() < end:
            post(f"{lively.url}/Datastreams('live')/Observations", {"result": 42})
            time.sleep(0.3)
    finally:
        process.kill()
        process.wait()
    topic, _, reading = heard.read_text().splitlines()[0].partition(" ")
    assert topic == "v1.1/Datastreams('live')/Observations"
    assert json.loads(reading)["result"] == 42


def post(address: str, body: Any) -> None:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
