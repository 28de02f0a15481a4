"""What the pages say: why something was not taken, and how a device sends."""

import json
from typing import NamedTuple

from django.utils.translation import gettext as _

from allmende.connectors.own_sensor.vocabulary import vocabulary
from allmende.web.citizens.models import OwnSensor
from allmende.web.config import Config

_EXAMPLES = {"pressure": 1003.1, "co2": 560, "noise": 48, "brightness": 1200, "humidity": 45}


class Snippet(NamedTuple):
    """A ready-made text for a device. ``form`` is its language for readers of code."""

    title: str
    form: str
    text: str


def say_problem(code: str, listed: str) -> str:
    """A rejection in words, with what would be right; ``listed`` are the names that the sensor measures."""
    sentences = {
        "unknown-name": _("The sensor sent a name that we do not know. It may send: %(names)s."),
        "no-name": _("The sensor sent a number, but not what it measured. It may send: %(names)s."),
        "no-values": _('There was no value in the message. Send e.g. {"%(first)s": 21.5}.'),
        "bad-value": _("One value is no number. Write it with a point, e.g. 21.5."),
        "bad-time": _("We could not read the time. Write e.g. 2026-05-01T12:00:00+02:00, or leave it out."),
        "no-time": _('A time is missing. In a list each entry needs "time".'),
        "twice": _("The same thing was sent twice in one message. Send each only once."),
        "too-many": _("There were too many values in one message. Send fewer at once."),
        "bad-unit": _("The device sends in another unit. Set it to °C and hPa."),
        "future": _("The time lies in the future. Please set the clock of the device."),
        "unreadable": _('We could not read the message. Send it as JSON, e.g. {"%(first)s": 21.5}.'),
    }
    sentence = sentences.get(code, _("We could not take the value. Below you see what was sent."))
    return sentence % {"names": listed, "first": listed.partition(",")[0]}


def snippets(sensor: OwnSensor, config: Config, host: str, secure: bool, token: str) -> list[Snippet]:
    """Ready-made texts for this sensor; ``token`` is the secret, or a word that stands for it."""
    address = f"{'https' if secure else 'http'}://{host}/own/{sensor.pk}"
    body = {name: _EXAMPLES.get(name, 21.5) for name in sensor.measures}
    text = json.dumps(body)
    first = next(iter(body))
    made = [
        Snippet(
            "curl",
            "sh",
            f"curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n  -d '{text}' {address}",
        ),
        Snippet("Python", "python", _PYTHON.format(address=address, token=token, body=text)),
        Snippet("ESPHome", "yaml", _esphome(address, token, first)),
    ]
    endpoints = config.endpoints(host)
    if config.embedded_broker and config.mqtt_port:
        name, _sign, port = endpoints[0].removeprefix("mqtt://").rpartition(":")
        made.append(Snippet("MQTT (mosquitto_pub)", "sh", _mosquitto(name, port, sensor, token, text)))
        made.append(Snippet("Tasmota", "text", _tasmota(name, port, sensor, token)))
    made.append(Snippet("Sensor.Community", "text", _community(host, secure, sensor, token)))
    return made


def example(sensor: OwnSensor) -> str:
    """The names that it may send."""
    return ", ".join(sensor.measures)


_PYTHON = """\
import json
import urllib.request

values = json.loads('{body}')
request = urllib.request.Request(
    "{address}",
    data=json.dumps(values).encode(),
    headers={{"Authorization": "Bearer {token}", "Content-Type": "application/json"}},
)
with urllib.request.urlopen(request) as answer:
    print(answer.read().decode())
"""


def _esphome(address: str, token: str, first: str) -> str:
    return f"""\
http_request:
  verify_ssl: {"true" if address.startswith("https") else "false"}
interval:
  - interval: 60s
    then:
      - http_request.post:
          url: {address}
          request_headers:
            Authorization: Bearer {token}
            Content-Type: application/json
          json:
            {first}: !lambda 'return to_string(id(my_{first}).state);'
"""


def _mosquitto(host: str, port: str, sensor: OwnSensor, token: str, text: str) -> str:
    return (
        f"mosquitto_pub -h {host} -p {port} -u own-{sensor.pk} -P '{token}' -q 1 \\\n  -t own/{sensor.pk} -m '{text}'"
    )


def _tasmota(host: str, port: str, sensor: OwnSensor, token: str) -> str:
    parts = [
        f"ON Tele-BME280#{_TASMOTA[name]} DO Publish own/{sensor.pk}/{name} %value% ENDON"
        for name in sensor.measures
        if name in _TASMOTA
    ] or [f"ON Tele-SENSOR#Value DO Publish own/{sensor.pk} %value% ENDON"]
    lines = [f"MqttHost {host}", f"MqttPort {port}", f"MqttUser own-{sensor.pk}", f"MqttPassword {token}"]
    return "\n".join([*lines, f"Rule1 {' '.join(parts)}", "Rule1 1"])


_TASMOTA = {"temperature": "Temperature", "humidity": "Humidity", "pressure": "Pressure"}


def _community(host: str, secure: bool, sensor: OwnSensor, token: str) -> str:
    name, _sign, port = host.partition(":")
    return "\n".join(
        [
            _("In the settings of the device, choose “Send data to custom API”:"),
            f"Server: {name}",
            f"Path: /own/{sensor.pk}",
            f"Port: {port or ('443' if secure else '80')}",
            f"User: own-{sensor.pk}",
            f"Password: {token}",
        ]
    )


def title_of(name: str, said: dict[str, object], german: bool) -> str:
    """What is measured, in the page's language."""
    known = vocabulary().get(name)
    if known is None or said:
        return str(said.get("name") or name)
    return known.de if german else known.en


def texts_of_map() -> dict[str, str]:
    """What the scripts of the maps say; ``%s`` stands for the value."""
    return {
        "map": _("Map of the sensors"),
        "pick": _("Map to choose the place"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "scrollZoom": _("Hold Ctrl and scroll to zoom the map"),
        "scrollZoomMac": _("Hold ⌘ and scroll to zoom the map"),
        "twoFingers": _("Move the map with two fingers"),
        "failed": _("The map cannot be drawn on this device."),
        "picked": _("Chosen: %s"),
    }
