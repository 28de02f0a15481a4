"""How a harvest fares: kept, shown on a page, told to whoever is responsible, and said by the command."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from rdflib import Graph
from tests.homes import migrated_database
from tests.web.harvest.conftest import Harvest
from tests.web.harvest.origin import CATALOGUE, Origin
from tests.web.harvest.test_passes import PAGE, given, live

from allmende.domain.harvest import HarvestProfile
from allmende.domain.profile import Profile
from allmende.web.harvest.models import State
from allmende.web.harvest.passing import pass_over
from allmende.web.house import open_profile
from allmende.web.troubles import say_trouble
from allmende.web.worker.harvests import HarvestThread
from allmende.web.worker.models import Trouble

HOUR = 3_600_000_000
NOW = 1_760_000_000_000_000


@pytest.fixture
def asking(db: Any, other: Origin) -> tuple[HarvestProfile, Profile]:
    harvest = HarvestProfile(
        id="muster", title={"de": "Musterstadt"}, address=f"{other.root}{PAGE}", kind="dcat", interval="PT1H"
    )
    return harvest, msgspec.structs.replace(open_profile(), harvests={"muster": harvest})


def ask(asking: tuple[HarvestProfile, Profile], hours: int) -> str:
    return pass_over(*asking, settings.ALLMENDE, NOW + hours * HOUR)[1]


def test_who_is_responsible_is_told_once_it_lasts(other: Origin, asking: tuple[HarvestProfile, Profile]) -> None:
    other.put(PAGE, b"<html>closed</html>")
    for hour in range(2):
        assert "not RDF" in ask(asking, hour)
    assert not Trouble.objects.exists()
    ask(asking, 2)
    ask(asking, 3)
    trouble = Trouble.objects.get(source="harvest:muster", over=None)
    assert (trouble.kind, State.objects.get().failures) == ("harvest", 4)
    other.put(PAGE, given())
    assert ask(asking, 4) == ""
    assert not Trouble.objects.filter(over=None).exists()
    assert (State.objects.get().failures, State.objects.get().succeeded) == (0, NOW + 4 * HOUR)


def test_what_is_held_is_told_at_once_and_waits(other: Origin, asking: tuple[HarvestProfile, Profile]) -> None:
    other.put(PAGE, given())
    ask(asking, 0)
    other.put(PAGE, Graph())
    assert "5 datasets vanished" in ask(asking, 1)
    trouble = Trouble.objects.get(over=None)
    assert (trouble.kind, State.objects.get().failures) == ("held", 0)
    with translation.override("de"):
        assert say_trouble("held", trouble.finding).startswith("5 Datensätze sind auf einmal")
    pass_over(*asking, settings.ALLMENDE, NOW + 2 * HOUR, accept=True)
    assert (live(), Trouble.objects.filter(over=None).count()) == (set(), 0)


def test_a_thread_asks_when_it_is_due(other: Origin, asking: tuple[HarvestProfile, Profile]) -> None:
    harvest, profile = asking
    clock = [NOW]
    thread = HarvestThread(harvest, lambda: profile, settings.ALLMENDE, threading.Event(), clock=lambda: clock[0])
    other.put(PAGE, given())
    assert thread._first_wait() == 0
    assert thread.round() == 3600
    clock[0] += HOUR // 2
    assert thread._first_wait() == 1800
    other.put(PAGE, b"<html>")
    assert 20 < thread.round() < 40
    assert thread.round() > 45


def test_the_page_says_how_it_goes(client: Client, other: Origin, harvest: Harvest) -> None:
    other.put(PAGE, given())
    harvest()
    State.objects.update(succeeded=NOW, tried=NOW, error="The host answered with 500.", faults=["<b>x</b> is odd"])
    body = client.get("/catalogues/", headers={"Accept-Language": "de"}).content.decode()
    for words in ("Daten Musterstadt", "nicht erreicht", "5 neu, 0 geändert", "answered with 500", "&lt;b&gt;x"):
        assert words in body
    assert "/catalogues/" in client.get("/datasets/").content.decode()


def test_the_command_on_postgres(other: Origin, tmp_path: Path) -> None:
    city = tmp_path / "city"
    city.mkdir()
    for file in Path(__file__).parents[3].joinpath("cities", "example").rglob("*"):
        if file.is_file():
            copy = city / file.relative_to(Path(__file__).parents[3] / "cities" / "example")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    said = f'\n[harvests.muster]\ntitle = {{ de = "Muster", en = "Muster" }}\naddress = "{other.root}{PAGE}"\n'
    with (city / "city.toml").open("a") as written:
        written.write(said)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ALLMENDE_")}
    environ |= {
        "ALLMENDE_HOME": str(tmp_path / "home"), "ALLMENDE_CITY": str(city), "ALLMENDE_DISK_FLOOR": "0",
        "ALLMENDE_DATABASE_URL": migrated_database(),
    }  # fmt: skip

    def run(*arguments: str, code: int = 0) -> Any:
        command = [sys.executable, "-m", "allmende", *arguments, "--json"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    other.put(PAGE, CATALOGUE.read_bytes())
    run("init", "--city", str(city))
    assert run("harvest")[0]["new"] == 5
    other.put(PAGE, given("budget"))
    done = run("harvest", "muster")[0]
    # rdflib wrote the bare 0042 as 42, which is another one
    assert (done["unchanged"] + done["changed"], done["withdrawn"], done["error"]) == (4, 1, "")
