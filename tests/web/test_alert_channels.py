"""Alerts are handed over for real: to a mail server, a webhook, a room of Matrix, and brokers of MQTT."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core import mail as django_mail
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from tests.mosquitto import Mosquitto
from tests.web.receivers import Hook, Mailbox
from tests.web.test_alerts import Town
from tests.web.test_broker import House, make_config, running

from allmende.domain.errors import ConfigurationError
from allmende.web.alerts import telling
from allmende.web.alerts.channels import Refused, make_sender
from allmende.web.alerts.models import MQTT, Message
from allmende.web.config import Config
from allmende.web.house import open_store
from allmende.web.worker.brokers import Door

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = Town(open_store())
    monkeypatch.setattr(telling, "open_profile", lambda: made.profile)
    made.read(160, place=(11.6, 50.9), unit="cm")
    return made


class Taken(list[tuple[str, dict[str, str], bytes]]):
    status = 204

    def __call__(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.append((path, headers, body))
        return self.status


@pytest.fixture
def hook() -> Iterator[tuple[Hook, Taken]]:
    taken = Taken()
    made = Hook(taken)
    yield made, taken
    made.close()


def sender(town: Town, channel: str = "duty", *, config: dict[str, Any] | None = None, **changed: Any) -> Any:
    settings = Config(
        **{"alert_private_hosts": ("127.0.0.1",), "public_url": "https://town.example/", **(config or {})}
    )
    return make_sender(msgspec.structs.replace(town.profile.channels[channel], **changed), town.profile, settings)


def message(channel: str = "duty") -> Message:
    return Message.objects.select_related("event").get(channel=channel, kind="raised")


def test_a_webhook_gets_json_that_it_can_trust(town: Town, hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_DUTY", "the key")
    server, taken = hook
    told = message()
    way = sender(town, address=f"{server.url}/hook?x=1")
    way.send([told])
    way.send([told])
    (path, headers, body), (_, again, _) = taken
    assert path == "/hook?x=1"
    assert headers["webhook-id"] == again["webhook-id"] == told.id
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mark = base64.b64encode(hmac.digest(b"the key", signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{mark}"
    said = json.loads(body)
    assert (said["id"], said["type"], said["severity"], said["state"]) == (told.id, "alert.raised", "severe", "raised")
    assert said["address"] == f"https://town.example/alerts/{told.event_id}/"
    assert said["place"] == {"type": "Point", "coordinates": [11.6, 50.9]}
    assert "level: 160 cm" in said["text"]
    taken.status = 503
    with pytest.raises(OSError, match="503"):
        way.send([told])
    taken.status = 410
    with pytest.raises(Refused):
        way.send([told])


def test_a_webhook_reaches_no_private_address_and_says_nothing_of_its_own(
    town: Town, hook: Any, monkeypatch: Any
) -> None:
    server, taken = hook
    monkeypatch.setenv("ALERT_DUTY", "the key")
    with pytest.raises(OSError, match="no public address") as caught:
        sender(town, config={"alert_private_hosts": ()}, address=f"{server.url}/secret-path").send([message()])
    assert "secret-path" not in str(caught.value)
    monkeypatch.delenv("ALERT_DUTY")
    with pytest.raises(ConfigurationError, match="ALERT_DUTY"):
        sender(town, address=server.url).send([message()])
    assert taken == []


def test_a_secret_may_lie_in_a_file(town: Town, hook: Any, tmp_path: Path, monkeypatch: Any) -> None:
    server, taken = hook
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("ALERT_DUTY_FILE", str(tmp_path / "key"))
    sender(town, address=server.url).send([message()])
    assert len(taken) == 1


def test_a_room_of_matrix_gets_one_transaction_however_often_it_is_told(
    town: Town, hook: Any, monkeypatch: Any
) -> None:
    server, taken = hook
    monkeypatch.setenv("ALERT_MATRIX", "syt_token")
    way = sender(town, kind="matrix", address=server.url, room="!abc:town.example", secret="ALERT_MATRIX")
    way.send([message()])
    way.send([message()])
    (path, headers, body), (again, _, _) = taken
    assert path == again
    assert path.startswith("/_matrix/client/v3/rooms/%21abc%3Atown.example/send/m.room.message/")
    assert headers["authorization"] == "Bearer syt_token"
    assert json.loads(body)["msgtype"] == "m.text"
    assert "Hochwasser: a" in json.loads(body)["body"]


def test_mail_says_why_and_bears_a_link_by_which_it_is_acknowledged(town: Town, settings: Any, client: Any) -> None:
    box = Mailbox()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", box.port, False
    try:
        config = {"mail_url": box.url, "mail_from": "house@town.example"}
        told = message()
        told.event.description = {"de": "Der Fluss steigt.", "en": "The river rises."}
        way = sender(town, "head", config=config)
        way.send([told])
        way.send([told])
    finally:
        box.close()
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    text = first.get_payload(decode=True).decode()
    for words in ("Ernste Warnung: Hochwasser: a", "Der Fluss steigt.", "level: 160 cm", "level > 150"):
        assert words in text
    link = next(line for line in text.splitlines() if "/alerts/acknowledge/" in line).split()[-1]
    assert client.post(link.removeprefix("https://town.example")).status_code == 302
    told.event.refresh_from_db()
    assert told.event.acknowledged_how == "head"


def test_a_mail_that_nobody_takes_is_refused_by_itself(town: Town, settings: Any) -> None:
    box = Mailbox(refuses=True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", box.port, False
    try:
        with pytest.raises(Refused):
            sender(town, "head", config={"mail_url": box.url}).send([message()])
    finally:
        box.close()
    with pytest.raises(ConfigurationError, match="ALLMENDE_MAIL_URL"):
        sender(town, "head").send([message()])
    assert django_mail.outbox == []


class Listener:
    """A client that listens to alerts."""

    def __init__(self, port: int, topic: str = "alerts/#") -> None:
        self.heard: list[tuple[str, dict[str, Any], bool]] = []
        self.arrived, ready = threading.Event(), threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(topic, qos=1)
        self.client.loop_start()
        assert ready.wait(10)

    def _hear(self, _client: Any, _data: Any, heard: mqtt.MQTTMessage) -> None:
        self.heard.append((heard.topic, json.loads(heard.payload), bool(heard.retain)))
        self.arrived.set()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_a_broker_that_is_away_hears_of_public_alerts_when_it_is_back(town: Town, tmp_path: Path) -> None:
    town.read(999, "s~inner", observed="inner", dataset="hidden")
    broker = Mosquitto(tmp_path / "mosquitto")
    door = Door(host="127.0.0.1", port=broker.port, username="", password="")
    teller = telling.BrokerTeller(Config(public_url="https://town.example/"), door, threading.Event())
    with pytest.raises(OSError):  # noqa: PT011  whatever the system calls it
        teller.turn()
    assert Message.objects.get(channel=MQTT).sent is None
    broker.start()
    try:
        teller.turn()
        assert Message.objects.get(channel=MQTT).sent is not None
        listener = Listener(broker.port)
        assert listener.arrived.wait(10)
        ((topic, said, retained),) = listener.heard
        assert topic == "alerts/high/a~level"
        assert retained
        assert said["id"] == Message.objects.get(channel=MQTT).id
        listener.close()
    finally:
        teller.end()
        broker.stop()


def test_what_is_not_public_any_more_is_not_published(town: Town) -> None:
    datasets = dict(town.profile.datasets)
    datasets["parking"] = msgspec.structs.replace(datasets["parking"], access="restricted")
    town.profile = msgspec.structs.replace(town.profile, datasets=datasets)
    door = Door(host="127.0.0.1", port=1, username="", password="")
    telling.BrokerTeller(Config(), door, threading.Event()).turn()
    gone = Message.objects.get(channel=MQTT)
    assert gone.sent is None
    assert gone.error == "it is not public any more"


def test_the_houses_own_broker_tells_those_who_listen_and_nobody_else_speaks_there(town: Town, tmp_path: Path) -> None:
    config = make_config(tmp_path)
    with running(config, House().rules()) as broker:
        exact = Listener(config.mqtt_port, "alerts/high/a~level")
        wild = Listener(config.mqtt_port)
        liar = Listener(config.mqtt_port, "alerts/none")
        liar.client.on_disconnect = lambda *_: liar.arrived.set()
        liar.client.publish("alerts/high/a~level", b'{"id": "made up"}', qos=0)
        assert liar.arrived.wait(10)  # it is shown the door
        liar.close()
        telling.EmbeddedTeller(broker, broker.loop, threading.Event()).turn()  # type: ignore[attr-defined]
        for listener in (exact, wild):
            assert listener.arrived.wait(10)
            listener.close()
            assert [said["id"] for _, said, _ in listener.heard] == [Message.objects.get(channel=MQTT).id]
    assert Message.objects.get(channel=MQTT).sent is not None
