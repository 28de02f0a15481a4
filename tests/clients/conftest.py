"""A running house on each engine: `allmende serve --anonymous-writes`, with a token that may write."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.houses import House, environment
from tests.homes import migrated_database

COMMAND = Path(sys.executable).with_name("allmende")
CITY = "example"


@dataclass(frozen=True)
class Served:
    """Where the house is, and the secret of its token."""

    url: str
    """Of SensorThings."""
    site: str
    secret: str
    environ: dict[str, str]


@pytest.fixture(scope="package", params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house that everybody may write to from here; its city is the example with simulated sources."""
    home = tmp_path_factory.mktemp(f"served-{request.param}")
    more = {"ALLMENDE_DATABASE_URL": migrated_database()} if request.param == "postgres" else {}
    environ = environment(
        home,
        ALLMENDE_ANONYMOUS_WRITES="1",
        ALLMENDE_CITY=CITY,
        ALLMENDE_RATE_LIMIT="0",
        ALLMENDE_TOKEN_RATE_LIMIT="0",
        **more,
    )
    subprocess.run([COMMAND, "init", "--city", CITY], env=environ, check=True, capture_output=True)
    made = subprocess.run(
        [COMMAND, "token", "create", "tests", "--write"], env=environ, check=True, capture_output=True, text=True
    )
    secret = next(word for word in made.stdout.split() if word.startswith("allmende_"))
    house = House(home, environ).start()
    try:
        house.wait_for("Allmende is ready", 200)
        yield Served(url=f"{house.url}/sta/v1.1", site=house.url, secret=secret, environ=environ)
    finally:
        house.stop()


def require_set(served: Served, name: str) -> None:
    """Skip the test, by name, where the house's landing page does not list a set."""
    with urllib.request.urlopen(served.url, timeout=30) as answer:
        listed = {one["name"] for one in json.load(answer)["value"]}
    if name not in listed:
        pytest.skip(f"this house has no {name}")
