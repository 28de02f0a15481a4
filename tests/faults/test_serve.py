"""The supervisor: one house a home, all processes end together, and each comes back when it is killed."""

import json
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from allmende.domain.errors import ConfigurationError
from allmende.web import serve as serving
from allmende.web.config import load_config
from tests.faults.houses import free_ports, gone

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve")]


PATIENCE = 60
"""Seconds that a process may take to end; it takes two on a quiet machine (benchmarks/start_up.py)."""


def test_one_house_a_home_and_ctrl_c_ends_it(make):
    house = make().start()
    line = house.wait_for("Allmende is ready")
    assert house.url in line
    assert house.answers()
    processes = house.processes()
    assert set(processes) == {"serve", "web", "web-inner", "worker", "broker"}

    second = make(PORT=str(free_ports(1)[0])).start()
    said = second.wait_for("is served already")
    assert f"process {house.process.pid}" in said
    assert second.process.wait(PATIENCE) == 1

    house.process.send_signal(signal.SIGINT)
    assert house.process.wait(PATIENCE) == 0
    assert gone(list(processes.values()), 5)

    house.start().wait_for("Allmende is ready")


def test_each_part_comes_back_after_a_hard_kill(make):
    house = make().start()
    house.wait_for("Allmende is ready")
    for part in ("web", "worker", "broker", "web-inner"):
        victim = house.processes()[part]
        victim.kill()
        victim.wait(PATIENCE)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            now = house.processes()
            if part in now and now[part].pid != victim.pid and house.answers():
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"{part} did not come back:\n" + "\n".join(house.lines))
    assert house.wait_for("web ended (killed by SIGKILL)")


def test_a_hard_kill_of_the_supervisor_leaves_nothing_and_a_home_that_starts(make):
    house = make().start()
    house.wait_for("Allmende is ready")
    processes = list(house.processes().values())
    house.process.kill()
    house.process.wait(PATIENCE)
    assert gone(processes, 3)
    house.start().wait_for("Allmende is ready")


@pytest.mark.parametrize("setting", ["PORT", "ALLMENDE_MQTT_PORT"])
def test_a_port_in_use_is_named(make, setting):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        house = make(**{setting: str(port)}).start()
        said = house.wait_for("in use")
        assert f"port {port}" in said
        assert setting in said
        assert house.process.wait(PATIENCE) == 1


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ALLMENDE_HOME"):
        serving.make_home(tmp_path / "file" / "home")


def test_a_part_that_always_fails_ends_the_house(tmp_path, monkeypatch):
    """With parts of other kinds, so that it is quick: one sleeps, one fails at once."""
    commands = {"web": "import time; time.sleep(60)", "worker": "raise SystemExit(3)"}
    started = []

    def start(name):
        process = subprocess.Popen([sys.executable, "-c", commands[name]], start_new_session=True)
        started.append(psutil.Process(process.pid))
        return process

    monkeypatch.setattr(serving, "_start", start)
    monkeypatch.setattr(serving, "_LONGEST_PAUSE", 0.05)
    config = load_config(
        {"ALLMENDE_HOME": str(tmp_path), "ALLMENDE_MQTT_PORT": "0", "ALLMENDE_MQTT_WEBSOCKET_PORT": "0"}
    )
    said = []
    with pytest.raises(serving.PartFailed, match=r"worker ended 5 times in a row \(exit code 3\)"):
        serving.Supervisor(config, said.append, time.monotonic()).run()
    assert len(said) == 4
    assert gone(started, 0.5)


def test_a_wrong_setting_ends_the_house_at_once(make):
    house = make(ALLMENDE_CITY="nowhere").start()
    assert "nowhere" in house.wait_for("there is no city")
    assert house.process.wait(PATIENCE) == 1


def test_logs_are_json_with_the_part(make):
    house = make().start()
    house.wait_for("Allmende is ready")
    house.answers("/")
    line = json.loads(house.wait_for('"route": "/"'))
    assert line["part"] == "web"
    assert line["request_id"]
