"""How the house's own clients reach the broker: the embedded one with the home's secret, or the operator's."""

from urllib.parse import unquote, urlsplit

import msgspec
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from allmende.web.broker.broker import INTERNAL_NAME
from allmende.web.config import Config
from allmende.web.secrets import kept_secret

KEEPALIVE_SECONDS = 30


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Where a broker listens, and the name to come in by."""

    host: str
    port: int
    username: str
    password: str
    tls: bool = False
    websocket: bool = False


def door(config: Config) -> Door | None:
    """The broker that the house uses, or None where there is none."""
    if config.broker_url:
        parts = urlsplit(config.broker_url)
        tls = parts.scheme == "mqtts"
        return Door(
            host=parts.hostname or "localhost",
            port=parts.port or (8883 if tls else 1883),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=tls,
        )
    if not config.embedded_broker:
        return None
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(config.host, config.host)  # noqa: S104
    return Door(
        host=host,
        port=config.mqtt_port or config.mqtt_websocket_port,
        username=INTERNAL_NAME,
        password=kept_secret(config.home, "internal_token"),
        websocket=not config.mqtt_port,
    )


def make_client(door: Door, client_id: str, *, clean_session: bool, manual_ack: bool = False) -> mqtt.Client:
    """A client that is not connected yet."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean_session,
        transport="websockets" if door.websocket else "tcp",
        manual_ack=manual_ack,
    )
    if door.username:
        client.username_pw_set(door.username, door.password)
    if door.tls:
        client.tls_set()
    client.connect_timeout = 10.0
    return client
