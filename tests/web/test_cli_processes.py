"""The commands as processes of their own: what only a fresh process can show."""

import json
import os
import socket
import subprocess
import sys

import pytest
from tests.faults.houses import free_ports
from tests.homes import put_database
from tests.web.outside import make_town

CITY = os.environ["ALLMENDE_CITY"]
OTHER = "example" if CITY == "jena" else "jena"


@pytest.fixture
def command(tmp_path):
    """Runs ``allmende`` with a home of its own and nothing of this process's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO"))}
    kept["ALLMENDE_HOME"] = str(tmp_path / "home")
    kept["ALLMENDE_DISK_FLOOR"] = "0"

    def call(*arguments: str, input: str = "", **environ: str) -> "subprocess.CompletedProcess[str]":
        code = "import sys; from allmende.web.cli import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**kept, **environ},
            cwd=tmp_path,
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


def test_the_version_is_said_without_loading_django(command):
    assert command("version").stdout.startswith("allmende ")
    probe = "import sys; from allmende.web.cli import main; main(['version']); print('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.endswith(
        "False\n"
    )


def test_a_home_is_made_once_for_a_city(command, tmp_path):
    assert "`allmende init --city NAME`" in command("sources").stderr
    assert command("sources").returncode == 3

    done = command("init", "--city", CITY, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["migrations"] > 0
    home = tmp_path / "home"
    assert made["home"] == str(home)
    assert home.stat().st_mode & 0o077 == 0

    again = command("init", "--city", CITY)
    assert again.returncode == 0
    assert "Next: `allmende serve`" in again.stdout
    refused = command("init", "--city", OTHER)
    assert refused.returncode == 3
    assert "--force" in refused.stderr
    with (home / "config.toml").open("a") as file:
        file.write("port = 9123\n")
    forced = command("init", "--city", OTHER, "--force")
    assert forced.returncode == 0
    assert f'city = "{OTHER}"\n' in (home / "config.toml").read_text()
    assert ":9123/" in forced.stdout

    unknown = command("init", "--city", "atlantis", "--home", "elsewhere")
    assert unknown.returncode == 3
    assert "bundled are example, jena" in unknown.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_check_says_what_is_wrong_and_how_to_mend_it(command, tmp_path):
    before = command("check", "--json", ALLMENDE_CITY=CITY)
    assert before.returncode == 1
    wrong = {f["part"]: f for f in json.loads(before.stdout)["findings"] if not f["ok"]}
    assert "allmende init" in wrong["home"]["mend"]
    put_database(tmp_path / "home")
    command("init", "--city", CITY)
    port, *others = free_ports(3)
    ports = {
        "PORT": str(port),
        "ALLMENDE_MQTT_PORT": str(others[0]),
        "ALLMENDE_MQTT_WEBSOCKET_PORT": str(others[1]),
    }
    well = command("check", **ports)
    assert well.returncode == 0, well.stdout + well.stderr
    assert "to mend it" not in well.stdout

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        broken = command("check", "--json", **ports, ALLMENDE_DISK_FLOOR="1000000G")
    assert broken.returncode == 1
    wrong = {f["part"]: f for f in json.loads(broken.stdout)["findings"] if not f["ok"]}
    assert set(wrong) == {"disk", f"port {port}"}
    assert f"PORT={port + 1}" in wrong[f"port {port}"]["mend"]
    (tmp_path / "home" / "secret_key").chmod(0o644)
    (tmp_path / "home" / "allmende.sqlite3").write_bytes(b"this is no database" * 1000)
    broken = command("check", "--json", **ports)
    wrong = {f["part"]: f for f in json.loads(broken.stdout)["findings"] if not f["ok"]}
    assert set(wrong) == {"home", "database"}
    assert "chmod 600" in wrong["home"]["mend"]

    misspelt = command("check", ALLMENDE_PAGE_SIZ="3")
    assert misspelt.returncode == 3
    assert "did you mean ALLMENDE_PAGE_SIZE" in misspelt.stdout


def test_a_connector_from_outside_of_the_package_is_used(command, tmp_path):
    path = make_town(tmp_path)
    path.pop("ALLMENDE_CITY")
    assert command("init", "--city", "town", **path).returncode == 0
    checked = json.loads(command("check", "--json", **path).stdout)
    assert [f for f in checked["findings"] if f["part"] == "source gate" and not f["ok"]] == []
    data = tmp_path / "people.csv"
    data.write_text("people\n1\n2\nmany\n")
    first = json.loads(command("import", "gate", str(data), "--json", **path).stdout)
    second = json.loads(command("import", "gate", "-", "--json", input=data.read_text(), **path).stdout)
    assert (first["accepted"], first["rejected"]) == (2, 1)
    assert (second["repeated"], second["rejected"]) == (2, 1)

    # Its package is gone: the source says so, and the house goes on.
    without = command("import", "gate", str(data))
    assert without.returncode == 4
    assert "town_counters" in without.stderr
    assert command("sources").returncode == 0

    # While it is switched on that is wrong; a source that is switched off only says what is to be mended first.
    def found() -> dict[str, object]:
        findings = json.loads(command("check", "--json").stdout)["findings"]
        return next(finding for finding in findings if finding["part"] == "source gate")

    assert not found()["ok"]
    profile = tmp_path / "town" / "city.toml"
    profile.write_text(profile.read_text("utf-8").replace("enabled = true", "enabled = false"), "utf-8")
    assert found()["ok"]
    assert "switched off; first to be mended" in str(found()["text"])
