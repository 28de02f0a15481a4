"""A citizen's sensor at a house as it is served: what was acknowledged survives, what is held is told to nobody, and a
deletion is not undone by what is on its way."""

import json
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.houses import House
from tests.faults.poster import Poster
from tests.faults.test_broker_kill import reached
from tests.homes import BOTH, migrated_database
from tests.mosquitto import Mosquitto

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve")]
STRIKES = 3
DEED = """
import sys
import django
django.setup()
from allmende.domain.coarsening import Place
from allmende.web.accounts.models import User
from allmende.web.citizens import keeping
from allmende.web.citizens.models import OwnSensor
from allmende.web.config import load_config
"""
REGISTER = """
user = User.objects.create_user("giver")
sensor = OwnSensor(name="Held", licence="CC0-1.0", measures={"temperature": {}})
sensor.place = Place(precision="none")
print(keeping.register(user, sensor, load_config()))
"""
RELEASE = 'keeping.decide(User.objects.create_user("looker"), OwnSensor.objects.get(), "open")'
DELETE = 'keeping.delete(User.objects.get(username="giver"), OwnSensor.objects.get(), "delete")'


def do(house: House, deed: str) -> str:
    """What people do on pages, done beside the house that runs."""
    environ = {**house.environ, "DJANGO_SETTINGS_MODULE": "allmende.web.settings"}
    ran = subprocess.run([sys.executable, "-c", DEED + deed], env=environ, check=True, capture_output=True, text=True)
    return ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ""


def device(house: House, token: str, number: int, over: threading.Event) -> Poster:
    """Sends one reading a millisecond of its own."""
    return Poster(
        house,
        "/own/1",
        lambda place: {"temperature": place, "time": 1_700_000_000_000 + place},
        number * 100_000,
        over,
        {"Authorization": f"Bearer {token}"},
    )


def kept(house: House, token: str) -> list[float]:
    """Results, as the giver's token may read them."""
    found: list[float] = []
    query = urllib.parse.quote("$top=1000&$select=result", safe="$=&")
    address: str | None = f"{house.url}/sta/v1.1/Datastreams('own-1~temperature')/Observations?{query}"
    while address:
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
        found += [row["result"] for row in page["value"]]
        address = page.get("@iot.nextLink")
    return found


@pytest.mark.parametrize("engine", BOTH)
def test_what_was_acknowledged_is_there_once(make: Any, engine: str) -> None:
    more = {"ALLMENDE_DATABASE_URL": migrated_database()} if engine == "postgres" else {}
    house: House = make(ALLMENDE_OWN_RATE="1000000", ALLMENDE_RATE_LIMIT="0", **more)
    house.start().wait_for("Allmende is ready")
    token = do(house, REGISTER)
    over = threading.Event()
    devices = [device(house, token, number, over) for number in range(1, 5)]
    for each in devices:
        each.start()
    for _ in range(STRIKES):
        before = sum(len(each.acknowledged) for each in devices)
        assert reached(lambda before=before: sum(len(d.acknowledged) for d in devices) > before + 30)
        for child in house.processes()["web"].children():
            child.kill()
    over.set()
    for each in devices:
        each.join(60)
    assert reached(house.answers)
    found = kept(house, token)
    acknowledged = [number for each in devices for number in each.acknowledged]
    assert [number for number, times in Counter(found).items() if times > 1] == []
    assert set(acknowledged) - set(found) == set()

    # What is on its way brings nothing back of what is being deleted.
    over = threading.Event()
    devices = [device(house, token, number, over) for number in range(5, 9)]
    for each in devices:
        each.start()
    assert reached(lambda: all(each.acknowledged for each in devices))
    do(house, DELETE)
    assert reached(lambda: all(401 in each.refused for each in devices))
    over.set()
    with urllib.request.urlopen(f"{house.url}/sta/v1.1/Things?$count=true", timeout=30) as answer:
        assert b"own-1" not in answer.read()
    assert do(house, "from allmende.web.house import open_store\nprint('own-1' in open_store().sources())") == "False"
    house.stop()


class Listener:
    """Somebody without an account who wants to hear everything."""

    def __init__(self, port: int, *topics: str) -> None:
        self.heard: list[str] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda *_: self.client.subscribe([(topic, 1) for topic in topics])
        self.client.on_message = lambda _c, _u, message: self.heard.append(f"{message.topic} {message.payload!r}")
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()
        assert reached(self.client.is_connected)
        time.sleep(0.5)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def publish(port: int, name: str, password: str, topic: str, body: str) -> None:
    """As a device does; returns once it is acknowledged."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(name, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.publish(topic, body, qos=1).wait_for_publish(20)
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_held_sensor_is_heard_by_nobody_and_a_released_one_by_all(make: Any) -> None:
    house: House = make()
    house.start().wait_for("Allmende is ready")
    token = do(house, REGISTER)
    port = int(house.environ["ALLMENDE_MQTT_PORT"])
    topics = ("v1.1/#", "v1.1/+/Observations", "v1.1/Observations", "v1.1/Things", "v1.1/Datastreams", "own/#")
    one = "v1.1/Datastreams('own-1~temperature')/Observations"
    nobody = Listener(port, *topics, one, "v1.1/Observations?$expand=Datastream($expand=Thing)")
    publish(port, "own-1", token, "own/1/temperature", "21.5")
    publish(port, "own-1", token, "own/1", '{"temperature": 22.5}')
    assert reached(lambda: sorted(kept(house, token)) == [21.5, 22.5])
    time.sleep(1.5)
    assert [heard for heard in nobody.heard if "own" in heard or "22.5" in heard] == []
    do(house, RELEASE)
    publish(port, "own-1", token, "own/1/temperature", "23.5")
    assert reached(lambda: any(heard.startswith(one) and "23.5" in heard for heard in nobody.heard))
    assert [heard for heard in nobody.heard if "21.5" in heard] == []
    nobody.stop()
    house.stop()


def test_at_a_broker_of_the_operators(make: Any, tmp_path: Path) -> None:
    """The broker's rules let each account write its own topic alone, as docs/how-to/own-sensor.md says."""
    broker = Mosquitto(tmp_path / "mosquitto")
    passwords, rules = tmp_path / "passwords", tmp_path / "rules"
    program = Path(broker.program).with_name("mosquitto_passwd")
    found = next((p for p in (program, Path("/usr/bin/mosquitto_passwd")) if p.exists()), None)
    if found is None:
        pytest.skip("mosquitto_passwd is not here")
    passwords.touch()
    for name, word in (("house", "h"), ("1", "one"), ("2", "two")):
        subprocess.run([found, "-b", passwords, name, word], check=True, capture_output=True)
    passwords.chmod(0o644)
    rules.write_text("user house\ntopic readwrite #\n\npattern write own/%u\npattern write own/%u/+\n")
    rules.chmod(0o644)
    settings = broker.settings.read_text().replace("allow_anonymous true", "allow_anonymous false")
    broker.settings.write_text(f"{settings}password_file {passwords}\nacl_file {rules}\n")
    broker.start()
    url = f"mqtt://house:h@127.0.0.1:{broker.port}"
    house: House = make(ALLMENDE_BROKER_URL=url, ALLMENDE_OWN_BROKER="yes")
    house.start().wait_for("Allmende is ready")
    token = do(house, REGISTER)
    publish(broker.port, "2", "two", "own/1", '{"temperature": 99}')
    publish(broker.port, "1", "one", "own/1", '{"temperature": 21.5}')
    assert reached(lambda: bool(kept(house, token)))
    assert set(kept(house, token)) == {21.5}
    house.stop()
    broker.stop()
