"""How the house's own clients reach the operator's broker."""

import select
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from allmende.web.config import Config

KEEPALIVE_SECONDS = 30
_READ_AHEAD = 65_536


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


def make_client(
    door: Door, client_id: str, *, clean_session: bool, manual_ack: bool = False, once: bool = False
) -> "ReadAhead":
    """A client that is not connected yet. ``once``: it does not connect by itself again."""
    client = ReadAhead(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean_session,
        manual_ack=manual_ack,
        reconnect_on_failure=not once,
    )
    if door.username:
        client.username_pw_set(door.username, door.password)
    if door.tls:
        client.tls_set()
    client.connect_timeout = 10.0
    client.on_socket_open = _without_delay
    return client


class ReadAhead(mqtt.Client):
    """paho's client, which reads from its socket in one piece what lies there: by itself it asks for four small pieces
    of each message, and waits each time for its turn among the threads of this process."""

    _ahead = b""
    _place = 0

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._place >= len(self._ahead):
            self._ahead, self._place = super()._sock_recv(_READ_AHEAD), 0
        found = self._ahead[self._place : self._place + bufsize]
        self._place += len(found)
        return found

    def _sock_close(self) -> None:
        self._ahead, self._place = b"", 0
        super()._sock_close()

    def _loop(self, timeout: float = 1.0) -> mqtt.MQTTErrorCode:
        if self._place < len(self._ahead):
            return self.loop_read()  # the socket may be empty by now
        return super()._loop(timeout)

    def has_more(self, seconds: float) -> bool:
        """Whether more was read ahead, or comes within a time."""
        connection = self.socket()
        if connection is None:
            return False
        pending = getattr(connection, "pending", None)  # with TLS, what was decrypted and not given yet
        if self._place < len(self._ahead) or (pending and pending()):
            return True
        return bool(select.select([connection], [], [], max(0.0, seconds))[0])


def _without_delay(_client: mqtt.Client, _data: Any, connection: Any) -> None:
    """Acknowledgements are small: the kernel would gather them for 40 ms, and lose them when we are killed."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
