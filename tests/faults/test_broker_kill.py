"""An acknowledged uplink survives a hard kill of the broker that acknowledged it."""

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.houses import House

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve")]

MAKE_TOKEN = """
from allmende.web.parts import open_django
open_django()
from allmende.web.accounts.tokens import create_token
print(create_token("gateway", actor="test", may_write=True)[1])
"""
TOPIC = "application/1/device/a8404187d187106e/event/up"


def uplink(second: int) -> bytes:
    """What ChirpStack sends for a soil sensor, made up but for its shape."""
    return json.dumps(
        {
            "deduplicationId": f"00000000-0000-0000-0000-{second:012d}",
            "time": f"2024-06-20T08:{second // 60:02d}:{second % 60:02d}+00:00",
            "deviceInfo": {
                "deviceProfileName": "Dragino_LSE01",
                "deviceName": "soil",
                "devEui": "a8404187d187106e",
                "tags": {"dev_type": "dragino_lse01"},
            },
            "fCnt": second,
            "object": {"temp_SOIL": "13.25", "water_SOIL": "13.74"},
        }
    ).encode()


def kept_seconds(house: House) -> set[int]:
    """The seconds of the hour for which the house gives a reading."""
    found: set[int] = set()
    query = {
        "$filter": "phenomenonTime lt 2024-12-31T00:00:00Z",
        "$select": "phenomenonTime",
        "$top": "1000",
    }
    address = f"{house.url}/sta/v1.1/Observations?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"
    while address:
        with urllib.request.urlopen(address, timeout=10) as answer:
            page = json.load(answer)
        for reading in page["value"]:
            minute, second = reading["phenomenonTime"][14:19].split(":")
            found.add(int(minute) * 60 + int(second))
        address = page.get("@iot.nextLink")
    return found


def test_no_acknowledged_uplink_is_lost_when_the_broker_is_killed(make):
    house = make().start()
    house.wait_for("Allmende is ready")
    token = subprocess.run(
        [sys.executable, "-c", MAKE_TOKEN], env=house.environ, capture_output=True, text=True, check=True
    ).stdout.strip()
    acknowledged: set[int] = set()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="gateway", clean_session=False)
    client.username_pw_set("gateway", token)
    client.reconnect_delay_set(1, 1)
    client.on_publish = lambda _client, _userdata, mid, *_: acknowledged.add(mid)
    client.connect("127.0.0.1", int(house.environ["ALLMENDE_MQTT_PORT"]))
    client.loop_start()
    sent: dict[int, int] = {}
    survived: set[int] = set()
    for second in range(300):
        sent[client.publish(TOPIC, uplink(second), 1).mid] = second
        if second in (100, 200):
            assert reached(lambda enough=second - 50: len(acknowledged) > enough)
            survived |= acknowledged
            house.processes()["broker"].kill()
        time.sleep(0.003)
    assert reached(lambda: len(acknowledged) == 300)
    client.disconnect()
    client.loop_stop()
    kept = kept_seconds(house)
    assert {sent[mid] for mid in survived} <= kept
    assert kept == set(range(300))


def reached(state: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait for a state."""
    end = time.monotonic() + seconds
    while not state() and time.monotonic() < end:
        time.sleep(0.02)
    return state()
