"""How the house's own clients reach the operator's broker."""

from urllib.parse import unquote, urlsplit

import msgspec
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from allmende.web.config import Config

KEEPALIVE_SECONDS = 30


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Where a broker listens, and the name to come in by."""

    host: str
    port: int
    username: str
    password: str
    tls: bool = False


def door(config: Config) -> Door | None:
    """The operator's broker, or None where there is none."""
    if not config.broker_url:
        return None
    parts = urlsplit(config.broker_url)
    tls = parts.scheme == "mqtts"
    return Door(
        host=parts.hostname or "localhost",
        port=parts.port or (8883 if tls else 1883),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
    )


def make_client(door: Door, client_id: str, *, clean_session: bool, manual_ack: bool = False) -> mqtt.Client:
    """A client that is not connected yet."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean_session,
        manual_ack=manual_ack,
    )
    if door.username:
        client.username_pw_set(door.username, door.password)
    if door.tls:
        client.tls_set()
    client.connect_timeout = 10.0
    return client
