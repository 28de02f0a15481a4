"""The embedded broker, asked by real clients (paho, and a WebSocket as a browser opens it)."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager, suppress

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from websockets.sync.client import connect as connect_websocket

from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.web.broker.broker import Broker, Rules, Told
from allmende.web.broker.session import Client
from allmende.web.broker.topics import covers, is_filter, is_topic, matches
from allmende.web.config import load_config


class House:
    """A store small enough to look into: what was committed, and a gate that holds commits back."""

    def __init__(self):
        self.committed = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.failing = 0
        self.latest = []

    def ingest(self, topic, payload, client):
        self.entered.set()
        assert self.gate.wait(10)
        if self.failing:
            self.failing -= 1
            raise OSError("the disk is full")
        self.committed.append((topic, payload, client.name))

    def create(self, topic, payload, client):
        self.ingest(topic, payload, client)
        return b"" if payload != b"bad" else b"no JSON"

    def weigh(self, topic, client):
        if "nonsense" in topic:
            raise InvalidInput("no such set")
        return "Datastreams(" not in topic

    def rules(self):
        return Rules(
            ingest=self.ingest,
            ingest_filters=lambda: ["application/+/device/#"],
            authenticate=lambda name, password: Client(name=f"user:{name}") if password == "right" else None,
            may_publish=lambda client, topic: topic.startswith("application/"),
            may_subscribe=lambda client, filter_: filter_.startswith("application/1/"),
            create=self.create,
            weigh=self.weigh,
            retained=lambda filter_, client: [item for item in self.latest if matches(filter_, item[0])],
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_config(home, **more):
    return load_config(
        {
            "ALLMENDE_HOME": str(home),
            "ALLMENDE_MQTT_PORT": str(free_port()),
            "ALLMENDE_MQTT_WEBSOCKET_PORT": str(free_port()),
            "ALLMENDE_MQTT_MESSAGE_BYTES": "4096",
            **more,
        }
    )


@contextmanager
def running(config, rules):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    broker = Broker(config, rules)
    broker.loop = loop
    try:
        asyncio.run_coroutine_threadsafe(broker.start(), loop).result(5)
        yield broker
    finally:
        asyncio.run_coroutine_threadsafe(broker.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture
def house():
    return House()


@pytest.fixture
def config(tmp_path):
    return make_config(tmp_path)


@pytest.fixture
def broker(config, house):
    with running(config, house.rules()) as broker:
        yield broker
        house.gate.set()


class Device:
    """A paho client that notes what happens to it."""

    def __init__(self, config, name="device", password="right", clean=True, client_id="", websocket=False, **options):
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean,
            transport="websockets" if websocket else "tcp",
            **options,
        )
        if name:
            self.client.username_pw_set(name, password)
        self.received = []
        self.connected = threading.Event()
        self.left = threading.Event()
        self.subscribed = threading.Event()
        self.codes = []
        self.reason = None
        self.flags = None
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *args: self.left.set()
        self.client.on_message = lambda _c, _u, message: self.received.append(message)
        self.client.on_subscribe = self._on_subscribe
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", config.mqtt_websocket_port if websocket else config.mqtt_port)
        self.client.loop_start()

    def _on_connect(self, _client, _userdata, flags, reason, _properties):
        self.flags, self.reason = flags, reason
        self.connected.set()

    def _on_subscribe(self, _client, _userdata, _mid, codes, _properties):
        self.codes = codes
        self.subscribed.set()

    def subscribe(self, filter_, qos=1):
        self.subscribed.clear()
        self.client.subscribe(filter_, qos)
        assert self.subscribed.wait(20)
        return [code.value for code in self.codes]

    def wait_for(self, count, seconds=30):
        end = time.monotonic() + seconds
        while len(self.received) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.received

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def device(broker, config):
    devices = []

    def make(*args, **options):
        made = Device(config, *args, **options)
        devices.append(made)
        assert made.connected.wait(20)
        return made

    yield make
    for made in devices:
        with suppress(RuntimeError):
            made.stop()


def tell(broker, topic, *payloads):
    """What the notifier does for a stream that anybody may read."""
    told = [Told(payload, {topic: frozenset({"anonymous"})}, topic) for payload in payloads]
    asyncio.run_coroutine_threadsafe(broker.deliver(told), broker.loop).result(60)


UPLINK = "application/1/device/a/event/up"


@pytest.mark.parametrize("qos", [1, 2])
def test_an_acknowledged_message_is_a_committed_one(device, house, qos):
    house.gate.clear()
    sender = device()
    sent = sender.client.publish(UPLINK, b"21.5", qos)
    assert house.entered.wait(20)
    time.sleep(0.3)
    assert not sent.is_published()
    assert house.committed == []
    house.gate.set()
    sent.wait_for_publish(20)
    assert sent.is_published()
    assert house.committed == [(UPLINK, b"21.5", "user:device")]


def test_a_message_of_qos_0_is_committed_too(device, house):
    device().client.publish(UPLINK, b"1", 0)
    until = time.monotonic() + 20
    while not house.committed and time.monotonic() < until:
        time.sleep(0.01)
    assert len(house.committed) == 1


@pytest.mark.parametrize("qos", [1, 2])
def test_what_could_not_be_committed_is_sent_again(device, house, qos):
    house.failing = 1
    sender = device(clean=False, client_id=f"again-{qos}")
    sent = sender.client.publish(UPLINK, b"1", qos)
    assert sender.left.wait(20)
    assert not sent.is_published()
    sent.wait_for_publish(10)
    assert [payload for _, payload, _ in house.committed] == [b"1"]


def test_the_order_of_one_client_holds(device, house):
    sender = device()
    sent = [sender.client.publish(UPLINK, str(number).encode(), 1) for number in range(200)]
    sent[-1].wait_for_publish(10)
    assert [int(payload) for _, payload, _ in house.committed] == list(range(200))


def test_qos_2_is_taken_once(device, house):
    sender = device()
    for number in range(20):
        sender.client.publish(UPLINK, str(number).encode(), 2).wait_for_publish(20)
    assert [int(payload) for _, payload, _ in house.committed] == list(range(20))


def test_a_wrong_password_is_refused(broker, config):
    guest = Device(config, password="wrong")
    assert guest.connected.wait(20)
    assert guest.reason.is_failure
    guest.stop()


def test_anybody_reads_open_topics_and_nothing_else(device):
    guest = device(None)
    assert guest.subscribe("v1.1/#") == [1]
    assert guest.subscribe("v1.1/Datastreams('a')/Observations") == [1]
    for closed in ("#", "+/#", "application/#", "$SYS/#", "$SYS/broker/uptime"):
        assert guest.subscribe(closed) == [128], closed


def test_rights_hold_for_accounts(device):
    user = device()
    assert user.subscribe("application/1/#") == [1]
    assert user.subscribe("application/2/#") == [128]
    assert user.subscribe("#") == [128]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_what_is_published_to_the_api_is_created_and_not_passed_on(device, house, broker, qos):
    listener = device(None)
    listener.subscribe("v1.1/#")
    house.gate.clear()
    sent = device().client.publish("v1.1/Observations", b"{}", qos)
    assert house.entered.wait(20)
    time.sleep(0.2)
    assert qos == 0 or not sent.is_published()
    house.gate.set()
    sent.wait_for_publish(20)
    tell(broker, "v1.1/Datastreams(1)/Observations", b"true")
    assert [message.payload for message in listener.wait_for(1)] == [b"true"]
    until = time.monotonic() + 20
    while not house.committed and time.monotonic() < until:  # who sends with QoS 0 is told nothing to wait for
        time.sleep(0.02)
    assert house.committed == [("v1.1/Observations", b"{}", "user:device")]


def test_what_was_wrong_is_told_to_its_sender_alone(device, house):
    sender, same, other = device(client_id="a"), device(client_id="b"), device(None)
    for one, filter_ in ((sender, "v1.1/errors"), (same, "v1.1/errors"), (other, "v1.1/#")):
        assert one.subscribe(filter_) == [1]
    sender.client.publish("v1.1/Things", b"bad", 1).wait_for_publish(20)
    assert [(m.topic, m.payload) for m in sender.wait_for(1)] == [("v1.1/errors", b"no JSON")]
    time.sleep(0.1)
    assert same.received == other.received == []


def test_a_message_of_qos_2_is_taken_once_though_the_connection_broke(device, house):
    sender = device(clean=False, client_id="once")
    house.gate.clear()
    sent = sender.client.publish("v1.1/Observations", b"{}", 2)
    assert house.entered.wait(20)
    sender.client.socket().shutdown(socket.SHUT_RDWR)
    assert sender.left.wait(20)
    sender.connected.clear()
    assert sender.connected.wait(20)
    house.gate.set()
    sent.wait_for_publish(20)
    assert len(house.committed) == 1


def test_a_browser_listens_by_websocket(device, broker):
    listener = device(None, websocket=True)
    listener.subscribe("v1.1/#", 0)
    tell(broker, "v1.1/a", b"x" * 3000)
    assert listener.wait_for(1)[0].payload == b"x" * 3000


def test_a_page_in_a_browser_is_no_client_of_this_machine(device, house):
    seen = []
    house.ingest = lambda topic, payload, client: seen.append(client.local)
    device(None).client.publish("v1.1/Things", b"{}", 1).wait_for_publish(20)
    device(None, websocket=True).client.publish("v1.1/Things", b"{}", 1).wait_for_publish(20)
    assert seen == [True, False]


def test_a_message_goes_under_the_topic_that_the_client_wrote(device, broker):
    one, both = device(None), device(None)
    one.subscribe("v1.1/Things?$select=name")
    both.subscribe("v1.1/Datastreams(1)/Observations", 2)
    both.subscribe("v1.1/#", 0)
    told = [
        Told(b"a", {"v1.1/Things?$select=name": frozenset({"anonymous"})}),
        Told(b"hidden", {"v1.1/Things?$select=name": frozenset({"user:eve"})}),
    ]
    asyncio.run_coroutine_threadsafe(broker.deliver(told), broker.loop).result(10)
    tell(broker, "v1.1/Datastreams(1)/Observations", b"b")
    assert [(m.topic, m.payload) for m in one.wait_for(1)] == [("v1.1/Things?$select=name", b"a")]
    assert [(m.payload, m.qos) for m in both.wait_for(1)] == [(b"b", 2)]
    time.sleep(0.1)
    assert len(one.received) == len(both.received) == 1


@pytest.mark.parametrize("account", ["", "one"])
def test_sessions_of_one_account_or_address_share_what_they_may_ask(tmp_path, house, account):
    config = make_config(tmp_path, ALLMENDE_MQTT_QUESTIONS="2")
    with running(config, house.rules()) as broker:
        here, there, other = Device(config, account), Device(config, account, websocket=True), Device(config, "other")
        for one in (here, there, other):
            assert one.connected.wait(20)
        assert here.subscribe("v1.1/Things(1)") == [1]
        assert [there.subscribe(f"v1.1/Things({n})") for n in (1, 2, 3)] == [[1], [1], [128]]
        assert [other.subscribe(f"v1.1/Things({n})") for n in (3, 4)] == [[1], [1]]
        here.client.unsubscribe("v1.1/Things(1)")
        assert here.subscribe("v1.1/Things(3)") == [128]  # the other session listens still
        there.stop()
        until = time.monotonic() + 20
        while "v1.1/Things(1)" in broker.subscribers.exact and time.monotonic() < until:
            time.sleep(0.02)
        assert [here.subscribe(f"v1.1/Things({n})") for n in (3, 5, 6)] == [[1], [1], [128]]
        here.stop()
        other.stop()


def test_topics_that_are_asked_of_the_store_are_bounded(tmp_path, house):
    config = make_config(tmp_path, ALLMENDE_MQTT_QUESTIONS="2", ALLMENDE_MQTT_QUESTIONS_TOTAL="3")
    with running(config, house.rules()) as broker:
        one, two = Device(config, "one"), Device(config, "two")
        assert one.connected.wait(20)
        assert two.connected.wait(20)
        assert [one.subscribe(f"v1.1/Things({n})") for n in range(3)] == [[1], [1], [128]]
        assert one.subscribe("v1.1/Things(1)") == [1]
        assert one.subscribe("v1.1/Datastreams(1)/Observations") == [1]
        assert [two.subscribe(f"v1.1/Things({n})") for n in (0, 7, 8)] == [[1], [1], [128]]
        assert two.subscribe("v1.1/nonsense") == [128]
        one.client.unsubscribe("v1.1/Things(1)")
        assert one.subscribe("v1.1/Things(2)") == [1]
        one.stop()
        two.stop()
        until = time.monotonic() + 20
        while broker.subscribers.exact and time.monotonic() < until:
            time.sleep(0.02)
        assert broker.subscribers.exact == {}
        assert broker.subscribers.questions == set()


@pytest.mark.parametrize("retain", ["yes", "no"])
def test_the_latest_reading_waits_where_the_setting_says_so(tmp_path, house, retain):
    config = make_config(tmp_path, ALLMENDE_MQTT_RETAIN=retain)
    house.latest = [("v1.1/Datastreams(1)/Observations", b"1"), ("v1.1/Datastreams(2)/Observations", b"2")]
    with running(config, house.rules()) as broker:
        late = Device(config, "")
        assert late.connected.wait(20)
        late.subscribe("v1.1/Datastreams(1)/Observations")
        late.subscribe("v1.1/+/Observations")
        expected = [(b"1", True), (b"1", True), (b"2", True)] if retain == "yes" else []
        late.wait_for(len(expected))
        tell(broker, "v1.1/Datastreams(1)/Observations", b"3")
        assert [(m.payload, m.retain) for m in late.wait_for(len(expected) + 1)] == [*expected, (b"3", False)]
        late.stop()


def test_the_websocket_speaks_the_subprotocol_mqtt(broker, config):
    url = f"ws://127.0.0.1:{config.mqtt_websocket_port}/mqtt"
    with connect_websocket(url, subprotocols=["mqtt"], origin="http://localhost:8000") as browser:
        assert browser.subprotocol == "mqtt"
        packet = bytes.fromhex("100d00044d51545404020000000161")
        browser.send(packet[:3])  # frames have no meaning to MQTT
        browser.send(packet[3:])
        assert browser.recv(timeout=5) == bytes.fromhex("20020000")


def test_retained_messages_wait_for_who_comes_later(device):
    publisher = device()
    publisher.client.publish("application/1/now", b"1", 1, retain=True).wait_for_publish(20)
    publisher.client.publish("application/1/gone", b"1", 1, retain=True).wait_for_publish(20)
    publisher.client.publish("application/1/gone", b"", 1, retain=True).wait_for_publish(20)
    late = device()
    late.subscribe("application/1/#")
    assert [(m.topic, m.retain) for m in late.wait_for(1)] == [("application/1/now", True)]
    publisher.client.publish("application/1/now", b"2", 1).wait_for_publish(20)
    assert late.wait_for(2)[1].retain is False


def test_a_kept_session_gets_what_it_missed(device):
    away = device(clean=False, client_id="keeps")
    away.subscribe("application/1/#")
    away.stop()
    device("other").client.publish(UPLINK, b"missed", 1).wait_for_publish(20)
    back = device(clean=False, client_id="keeps")
    assert back.flags.session_present
    assert [message.payload for message in back.wait_for(1)] == [b"missed"]


def test_a_session_belongs_to_its_account(device):
    mine = device("one", clean=False, client_id="same")
    mine.subscribe("application/1/#")
    thief = device("two", clean=False, client_id="same")
    assert not thief.flags.session_present
    assert not mine.left.is_set()


def test_a_client_takes_over_from_itself(device):
    first = device("one", clean=False, client_id="same", reconnect_on_failure=False)
    second = device("one", clean=False, client_id="same")
    assert first.left.wait(20)
    assert second.flags.session_present


def test_a_slow_listener_does_not_hold_up_the_others(device, config, broker):
    slow = socket.create_connection(("127.0.0.1", config.mqtt_port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(bytes.fromhex("100d00044d51545404020000000173"))
    slow.recv(4)
    slow.sendall(b"\x82\x0b\x00\x01\x00\x06v1.1/#\x00")
    quick = device(None)
    quick.subscribe("v1.1/#", 0)
    tell(broker, "v1.1/a", *(b"%d" % number + b" " * 3000 for number in range(3000)))
    assert len(quick.wait_for(3000, 60)) == 3000
    slow.close()


def test_fifty_clients_send_and_listen(device, house):
    devices = [device(f"d{number}", client_id=f"d{number}") for number in range(50)]
    assert devices[0].subscribe("application/1/#") == [1]
    sent = [one.client.publish(UPLINK, b"%d" % number, 1) for number, one in enumerate(devices) for _ in range(4)]
    for message in sent:
        message.wait_for_publish(10)
    assert len(house.committed) == 200
    assert len(devices[0].wait_for(200)) == 200


def test_a_message_that_is_too_large_closes_the_connection(device, house):
    sender = device(reconnect_on_failure=False)
    sender.client.publish(UPLINK, b"x" * 5000, 1)
    assert sender.left.wait(20)
    assert house.committed == []


@pytest.mark.parametrize(
    "noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x30\x05\x00\x03a/b", b"\x00" * 64]
)
def test_noise_closes_the_connection_and_nothing_else(broker, config, device, noise):
    with socket.create_connection(("127.0.0.1", config.mqtt_port)) as stranger:
        stranger.sendall(noise)
        stranger.settimeout(5)
        with suppress(ConnectionResetError):
            assert stranger.recv(10) == b""
    assert device(None).subscribe("v1.1/#") == [1]


def test_last_words_are_published(device, config):
    listener = device()
    listener.subscribe("application/1/#")
    dying = paho.Client(CallbackAPIVersion.VERSION2, client_id="dying")
    dying.username_pw_set("dying", "right")
    dying.will_set(UPLINK, b"goodbye", 1)
    dying.connect("127.0.0.1", config.mqtt_port)
    dying.loop_start()
    until = time.monotonic() + 20
    while not dying.is_connected() and time.monotonic() < until:
        time.sleep(0.01)
    dying.socket().shutdown(socket.SHUT_RDWR)
    dying.loop_stop()
    assert listener.wait_for(1)[0].payload == b"goodbye"


def test_a_port_in_use_is_named(tmp_path, house):
    config = make_config(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", config.mqtt_port))
        other.listen()
        with (
            pytest.raises(ConfigurationError, match=f"ALLMENDE_MQTT_PORT.*{config.mqtt_port}"),
            running(config, house.rules()),
        ):
            pass


@pytest.mark.parametrize(
    ("filter_", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("a/b", "a/b/c", False),
        ("+", "/a", False),
        ("/+", "/a", True),
    ],
)
def test_filters_take_topics(filter_, topic, expected):
    assert matches(filter_, topic) is expected


def test_filters_cover_filters():
    assert covers("v1.1/#", "v1.1/+/x")
    assert covers("v1.1/#", "v1.1/#")
    assert not covers("v1.1/+", "v1.1/#")
    assert not covers("a/b", "a/+")
    assert not covers("v1.1/#", "+/a")


def test_names_and_filters_are_checked():
    assert is_topic("a/b")
    assert not any(map(is_topic, ("", "a/+", "#", "$SYS/a", "a\x00", "a" * 5000)))
    assert is_filter("+/a/#")
    assert not any(map(is_filter, ("", "a#", "#/a", "a+/b", "\x00")))
