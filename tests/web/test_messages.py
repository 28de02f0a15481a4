"""Creating by messages through all of the web: who may, what the audit log says, what is kept when it goes wrong."""

import json
from typing import Any

import msgspec
import pytest
from django.test import Client as Browser

from allmende.domain.errors import ConfigurationError, StorageFull
from allmende.domain.policy import ANONYMOUS
from allmende.web.accounts.authentication import authenticate_mqtt, reader_of_mqtt, writer_of_mqtt
from allmende.web.accounts.models import AuditEntry
from allmende.web.accounts.tokens import create_token, revoke_token
from allmende.web.broker.rules import house_rules, weigh
from allmende.web.broker.session import ANONYMOUS as GUEST
from allmende.web.broker.session import Client
from allmende.web.config import load_config
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.messages import create_from_message

ROOT = "https://city.example/sta/v1.1"
THING = json.dumps({"name": "Bench", "description": "A bench with a sensor"}).encode()


@pytest.fixture
def house(db: Any) -> None:
    furnish(open_store(), open_profile())


@pytest.fixture
def gateway(house: None) -> Client:
    _, secret = create_token("gateway", actor="test", may_write=True)
    client = authenticate_mqtt("any", secret)
    assert client is not None
    return client


def publish(topic: str, body: bytes, client: Client) -> dict[str, Any]:
    wrong = create_from_message(topic, body, writer_of_mqtt(client), open_store(), ROOT)
    return json.loads(wrong) if wrong else {}


def test_a_creation_is_in_the_audit_log(gateway: Client, client: Browser) -> None:
    assert publish("v1.1/Things", THING, gateway) == {}
    (entry,) = AuditEntry.objects.filter(action="sensorthings.create")
    (thing,) = client.get("/sta/v1.1/Things").json()["value"]
    assert (entry.actor, entry.object) == ("token:gateway", f"{ROOT}/Things({thing['@iot.id']})")


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("v1.1/$batch", {"requests": [{"id": "1", "method": "POST", "url": "Things", "body": json.loads(THING)}]}),
        ("v1.1/CreateObservations", [{"Datastream": {"@iot.id": 1}, "components": ["result"], "dataArray": [[1]]}]),
    ],
)
def test_a_message_is_one_entity(gateway: Client, client: Browser, topic: str, body: Any) -> None:
    """Anything else would pass by the audit log and by its limits, or be lost without a word."""
    assert publish(topic, json.dumps(body).encode(), gateway)["code"] == 404
    assert client.get("/sta/v1.1/Things").json()["value"] == []
    assert len(open_store().rejections()) == 1


def test_a_token_that_was_revoked_creates_nothing(gateway: Client, client: Browser) -> None:
    revoke_token("gateway", actor="test")
    assert publish("v1.1/Things", THING, gateway)["code"] == 403
    assert client.get("/sta/v1.1/Things").json()["value"] == []
    assert open_store().rejections() == []
    assert reader_of_mqtt("token:gateway") is None


def test_without_a_token_one_writes_in_trials_from_this_machine_alone(house: None, settings: Any) -> None:
    here = msgspec.structs.replace(GUEST, local=True)
    assert writer_of_mqtt(here) == writer_of_mqtt(GUEST) == ANONYMOUS
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, anonymous_writes=True)
    assert writer_of_mqtt(here).may_write
    assert not writer_of_mqtt(GUEST).may_write
    assert publish("v1.1/Things", THING, here) == {}


def test_what_may_be_over_the_next_time_has_to_come_again(gateway: Client, monkeypatch: Any) -> None:
    def full() -> None:
        raise StorageFull("the disk is full")

    monkeypatch.setattr("allmende.web.sta.disk_floor", lambda: type("Floor", (), {"check": staticmethod(full)}))
    with pytest.raises(StorageFull, match="the disk is full"):
        publish("v1.1/Things", THING, gateway)
    assert open_store().rejections() == []


def test_a_message_that_breaks_the_house_is_kept_and_does_not_come_for_ever(gateway: Client, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("allmende.web.messages.respond", broken)
    assert publish("v1.1/Things", THING, gateway)["code"] == 500
    (kept,) = open_store().rejections()
    assert open_store().rejection(kept.number).body == THING


def test_the_broker_s_rules_create_and_weigh(gateway: Client, settings: Any, monkeypatch: Any) -> None:
    # The broker's threads have connections of their own; here it would be the test's.
    monkeypatch.setattr("allmende.web.broker.rules.close_old_connections", lambda: None)
    rules = house_rules(settings.ALLMENDE)
    assert rules.create("v1.1/Things", b"{", gateway)
    assert not rules.weigh("v1.1/Datastreams(1)/Observations", gateway)
    assert rules.weigh("v1.1/Things", gateway)
    assert rules.retained("v1.1/#", gateway) == []
    assert not weigh(open_store(), "v1.1/Datastreams('a')/Observations", ANONYMOUS)


def test_the_broker_takes_messages_of_a_source_that_was_just_released(gateway: Client, settings: Any) -> None:
    from allmende.web.live import forget
    from allmende.web.office import revisions

    forget()
    rules = house_rules(settings.ALLMENDE)
    assert "fresh/#" not in rules.ingest_filters()
    texts = {"de": "Neu", "en": "New"}
    name = next(iter(open_profile().datasets))
    body = {"connector": "chirpstack", "title": texts, "enabled": True, "dataset": name, "topic": "fresh/#"}
    revisions.release(revisions.save_draft("source", "fresh", body, "cli:test"), "cli:test", seen=1)
    rules.may_publish(gateway, "fresh/1")
    assert "fresh/#" in rules.ingest_filters()
    forget()


def test_the_landing_page_says_where_mqtt_is_spoken(client: Browser, house: None) -> None:
    told = client.get("/sta/v1.1").json()["serverSettings"]
    for name in ("create-observations-via-mqtt/observations-creation", "receive-updates-via-mqtt/receive-updates"):
        uri = f"http://www.opengis.net/spec/iot_sensing/1.1/req/{name}"
        assert uri in told["conformance"]
        assert told[uri]["endpoints"][0].startswith("mqtt://testserver:")


def config(home: Any, **settings: str) -> Any:
    return load_config({"ALLMENDE_HOME": str(home), **settings})


def test_addresses_are_those_that_a_client_reaches(tmp_path: Any) -> None:
    own = config(tmp_path, ALLMENDE_MQTT_PORT="1", ALLMENDE_MQTT_WEBSOCKET_PORT="2")
    assert own.endpoints("city.example:8000") == ("mqtt://city.example:1", "ws://city.example:2/mqtt")
    assert own.endpoints("[::1]:8000")[0] == "mqtt://[::1]:1"
    proxied = config(tmp_path, ALLMENDE_MQTT_PORT="0", ALLMENDE_MQTT_WEBSOCKET_URL="wss://city.example/mqtt")
    assert proxied.endpoints("x") == ("wss://city.example/mqtt",)
    other = config(tmp_path, ALLMENDE_BROKER_URL="mqtts://user:secret@mq.example")
    assert other.endpoints("x") == ("mqtts://mq.example:8883",)
    assert not other.mqtt_creates
    none = config(tmp_path, ALLMENDE_MQTT_PORT="0", ALLMENDE_MQTT_WEBSOCKET_PORT="0")
    assert (none.endpoints("x"), none.mqtt_creates) == ((), False)


@pytest.mark.parametrize("topic", ["v1.1/#", "#", "+/Observations", "v1.1/+/Observations", "v1.1/Things", "create/#"])
def test_the_house_does_not_listen_to_itself(tmp_path: Any, topic: str) -> None:
    with pytest.raises(ConfigurationError, match="ALLMENDE_MQTT_CREATE_TOPICS"):
        config(tmp_path, ALLMENDE_MQTT_CREATE_TOPICS=f"v1.1/Observations,{topic}")


def test_links_begin_with_the_public_address(tmp_path: Any) -> None:
    assert config(tmp_path).api_root == "http://127.0.0.1:8000/sta/v1.1"
    assert config(tmp_path, ALLMENDE_PUBLIC_URL="https://city.example/").api_root == ROOT
