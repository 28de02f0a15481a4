"""A citizen gives a sensor: registered in the browser, fed by HTTP and MQTT as devices do, released by another person,
seen by all, and taken back."""

import json
import subprocess
import sys
import urllib.error
import urllib.request

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.browser.conftest import Site
from tests.browser.looking import add_people, enter, look, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def people(served: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A giver and somebody who reviews."""
    add_people(served, tmp_path_factory.mktemp("people"), giver="contributor", looker="editor")


def post(url: str, token: str, body: object) -> dict:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def publish(port: int, token: str, topic: str, body: str) -> None:
    """As a device does, with an acknowledgement."""
    client = paho.Client(CallbackAPIVersion.VERSION2, transport="websockets")
    client.ws_set_options(path="/mqtt")
    client.username_pw_set("own", token)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.publish(topic, body, qos=1).wait_for_publish(20)
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_sensor_from_the_form_to_the_end(visit, people, served, axe):
    assert served.environment is not None
    visitor = visit(width=390)
    page = enter(visitor, "giver", "/own/new/")
    found = look(page, axe)
    page.locator("#id_name").fill("Thermometer im Hof")
    page.get_by_label("Temperatur (°C)", exact=True).check()
    page.get_by_label("Luftfeuchte (%)").check()
    # by the keyboard: the map's middle
    page.locator("[data-pick] canvas").focus()
    page.keyboard.press("Enter")
    by_keys = page.locator("#id_lat").input_value()
    assert float(by_keys) == pytest.approx(50.9, abs=0.2)
    # and by the pointer
    page.locator("[data-pick] canvas").click(position={"x": 100, "y": 120})
    assert page.locator("#id_lat").input_value() != by_keys
    assert page.get_by_role("status").inner_text().startswith("Gewählt:")
    page.get_by_label("Ich stimme zu").check()
    press(page, "Sensor anmelden")
    token = page.locator("[data-token]").inner_text()
    found += look(page, axe)
    curl = page.locator("[data-snippet=curl]").inner_text()
    python = page.locator("[data-snippet=Python]").text_content()
    page.get_by_role("link", name="Zum Sensor").click()
    page.wait_for_load_state("networkidle")
    path = page.url.removeprefix(served.url)
    number = path.strip("/").split("/")[-1]

    # ready-made texts do what they say
    assert (
        json.loads(subprocess.run(curl, shell=True, check=True, capture_output=True, text=True).stdout)["accepted"] == 2
    )
    ran = subprocess.run([sys.executable, "-c", python], check=True, capture_output=True, text=True)
    assert json.loads(ran.stdout)["accepted"] == 2
    address = f"{served.url}/own/{number}"
    hour = "2026-05-01T1{}:00:00+02:00"
    rows = [{"temperature": 10 + n, "time": hour.format(n)} for n in range(5)]
    assert post(address, token, [*rows, {"temprature": 3, "time": hour.format(1)}])["rejected"] == 1
    port = int(served.environment["ALLMENDE_MQTT_WEBSOCKET_PORT"])
    publish(port, token, f"own/{number}/temperature", "27.25")
    page.reload()
    page.wait_for_load_state("networkidle")
    text = page.locator("main").inner_text()
    assert "27,25 °C" in text
    assert "einen Namen geschickt, den wir nicht kennen" in text
    found += look(page, axe)

    # held
    nobody = visit(width=1280)
    seen = nobody.open("/own/")
    assert "Thermometer im Hof" not in seen.locator("main").inner_text()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served.url}/sta/v1.1/Things('own-{number}')", timeout=20)

    # released by somebody else
    looker = visit(width=390)
    desk = enter(looker, "looker", "/own/review/")
    found += look(desk, axe)
    desk.get_by_role("link", name="Thermometer im Hof").click()
    desk.wait_for_load_state("networkidle")
    found += look(desk, axe)
    press(desk, "Freigeben")

    # seen by all
    seen = nobody.open("/own/")
    seen.wait_for_selector(".pin--own", timeout=20_000)
    assert "Thermometer im Hof" in seen.locator("main").inner_text()
    assert "nicht geprüft" in seen.locator("main").inner_text()
    found += look(seen, axe)
    seen.set_viewport_size({"width": 1280, "height": 900})
    seen.get_by_role("link", name="Thermometer im Hof").first.click()
    seen.wait_for_load_state("networkidle")
    found += look(seen, axe)
    assert "giver" not in seen.content()
    with urllib.request.urlopen(f"{served.url}/sta/v1.1/Things('own-{number}')/Datastreams", timeout=20) as answer:
        assert len(json.load(answer)["value"]) == 2

    # and taken back
    for name in ("words", "place", "delete"):
        page.goto(f"{served.url}{path}{name}/")
        page.wait_for_load_state("networkidle")
        found += look(page, axe)
    page.get_by_label("Alles löschen").check()
    press(page, "Sensor löschen")
    found += look(page, axe)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served.url}/sta/v1.1/Things('own-{number}')", timeout=20)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        post(address, token, {"temperature": 1})
    assert found == []
    assert visitor.faults + looker.faults == []
    # A page that is gone says so in the console; nothing else does.
    assert [fault for fault in nobody.faults if "404" not in fault] == []
