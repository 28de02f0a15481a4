"""The broker: who is connected, who gets what, and what has to be committed before it is acknowledged."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog
from websockets.asyncio.server import ServerConnection, serve

from allmende.domain.errors import ConfigurationError
from allmende.web.broker.connection import Connection
from allmende.web.broker.session import ANONYMOUS, MOST_SUBSCRIPTIONS, Client, Message, Session
from allmende.web.broker.topics import covers, matches
from allmende.web.broker.wire import TcpWire, WebSocketWire, Wire
from allmende.web.config import Config
from allmende.web.observability.metrics import MQTT_CONNECTIONS, MQTT_MESSAGES

Ingest = Callable[[str, bytes, Client], None]
"""``(topic, payload, client)``: returns once it is committed (or kept as a rejection), raises where it could not be."""
Authenticate = Callable[[str, str], Client | None]
"""``(username, password)``: the client, or None. A token comes as the password."""
MayUse = Callable[[Client, str], bool]

OPEN_TOPICS = "v1.1/#"
"""What anybody may read, and the house alone may write."""
INTERNAL_NAME = "allmende"

_KEEP_SESSIONS_SECONDS = 24 * 3600
_MOST_SESSIONS = 10_000
_MOST_RETAINED = 50_000
_INGEST_THREADS = 4
_WRONG_PASSWORD_SECONDS = 1.0

_T = TypeVar("_T")
log = structlog.get_logger("allmende.broker")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker asks of the house. All of it is called in threads."""

    ingest: Ingest
    ingest_filters: Sequence[str]
    """Topics that are committed before they are acknowledged."""
    authenticate: Authenticate
    may_publish: MayUse
    may_subscribe: MayUse
    internal_token: str = ""
    """Password of the house's own client ``allmende``, which alone publishes to the open topics."""


class Broker:
    """All sessions of one process. Runs in one event loop; only the rules are called in threads."""

    def __init__(self, config: Config, rules: Rules) -> None:
        self.config = config
        self.rules = rules
        self.most_bytes = config.mqtt_message_bytes
        self._sessions: dict[tuple[str, str], Session] = {}
        self._connections: dict[Connection, Session | None] = {}
        self._retained: dict[str, Message] = {}
        self._pool = ThreadPoolExecutor(_INGEST_THREADS, thread_name_prefix="ingest")
        self._doors = ThreadPoolExecutor(2, thread_name_prefix="login")
        self._servers: list[Any] = []

    async def start(self) -> None:
        """Open the listeners. Raises ConfigurationError that names the port where one is taken."""
        config = self.config
        if config.mqtt_port:
            opened = asyncio.start_server(self._on_tcp, config.host, config.mqtt_port)
            self._servers.append(await _open(opened, "ALLMENDE_MQTT_PORT", config.host, config.mqtt_port))
        if config.mqtt_websocket_port:
            opened = serve(
                self._on_websocket,
                config.host,
                config.mqtt_websocket_port,
                subprotocols=["mqtt"],  # type: ignore[list-item]  a NewType of str
                max_size=self.most_bytes + 4096,
                compression=None,
                server_header=None,
                close_timeout=1,
                ping_interval=None,  # MQTT has pings of its own; paho answers those of WebSocket wrongly and is cut off
            )
            name = "ALLMENDE_MQTT_WEBSOCKET_PORT"
            self._servers.append(await _open(opened, name, config.host, config.mqtt_websocket_port))
        log.info("broker listens", host=config.host, tcp=config.mqtt_port, websocket=config.mqtt_websocket_port)

    async def stop(self) -> None:
        """Close all connections; what is being committed is committed, though no longer acknowledged."""
        for server in self._servers:
            server.close()
        if self._connections:
            await asyncio.gather(*(connection.end() for connection in list(self._connections)))
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._doors.shutdown(wait=False, cancel_futures=True)

    async def _on_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(TcpWire(reader, writer))

    async def _on_websocket(self, socket: ServerConnection) -> None:
        await self._serve(WebSocketWire(socket))

    async def _serve(self, wire: Wire) -> None:
        if len(self._connections) >= self.config.mqtt_connections:
            MQTT_CONNECTIONS.labels("full").inc()
            await wire.close()
            return
        connection = Connection(self, wire)
        self._connections[connection] = None
        try:
            # A task of its own, so that the server's way to cancel its handlers does not cut the goodbye short.
            await asyncio.wait((connection.start(),))
        finally:
            self._connections.pop(connection, None)

    # Who comes in

    async def authenticate(self, username: str | None, password: str | None) -> Client | None:
        """The client; None for a wrong password, after a moment."""
        if not username and not password:
            return ANONYMOUS
        client: Client | None = None
        token = self.rules.internal_token
        if username == INTERNAL_NAME and token:
            if secrets.compare_digest((password or "").encode(), token.encode()):
                client = Client(name=INTERNAL_NAME, internal=True)
        else:
            client = await self._in_thread(self._doors, self.rules.authenticate, username or "", password or "")
        MQTT_CONNECTIONS.labels("accepted" if client else "refused").inc()
        if client is None:
            await asyncio.sleep(_WRONG_PASSWORD_SECONDS)
        return client

    async def open_session(
        self, connection: Connection, client: Client, client_id: str, clean: bool
    ) -> tuple[Session, bool]:
        """The session of this account's client id, and whether it was there before.

        An older connection of the same client is ended first.
        """
        clean = clean or client.anonymous
        key = (client.name, client_id)
        while (old := self._sessions.get(key)) is not None and old.connected:
            others = [other for other, session in self._connections.items() if session is old]
            if not others:
                break
            await asyncio.gather(*(other.end() for other in others))
        if old is None or clean or old.clean:
            self._forget_old_sessions()
            session = self._sessions[key] = Session(client, client_id, clean)
        else:
            session = old
        session.connected = True
        self._connections[connection] = session
        return session, session is old

    def close_session(self, connection: Connection, session: Session) -> None:
        """The connection has ended. A clean session ends with it."""
        self._connections.pop(connection, None)
        session.connected = False
        session.left_at = time.monotonic()
        key = (session.client.name, session.client_id)
        if session.clean and self._sessions.get(key) is session:
            del self._sessions[key]

    def _forget_old_sessions(self) -> None:
        before = time.monotonic() - _KEEP_SESSIONS_SECONDS
        away = [(session.left_at, key) for key, session in self._sessions.items() if not session.connected]
        over = len(self._sessions) - _MOST_SESSIONS
        for place, (left_at, key) in enumerate(sorted(away)):
            if left_at < before or place < over:
                del self._sessions[key]

    # What is sent and read

    async def subscribe(self, session: Session, filter_: str, qos: int) -> bool:
        """Add a subscription where the client may read all that it takes; False if not."""
        if len(session.subscriptions) >= MOST_SUBSCRIPTIONS and filter_ not in session.subscriptions:
            return False
        client = session.client
        if not (client.internal or covers(OPEN_TOPICS, filter_)) and (
            client.anonymous or not await self._in_thread(self._pool, self.rules.may_subscribe, client, filter_)
        ):
            return False
        session.subscriptions[filter_] = qos
        return True

    async def take(self, client: Client, message: Message) -> bool:
        """Commit a message where it has to be, then pass it on. False where the client may not publish it.

        Raises what ``ingest`` raises: then nothing may be acknowledged.
        """
        if client.internal:
            permitted = True
        elif client.anonymous or matches(OPEN_TOPICS, message.topic):
            permitted = False
        else:
            permitted = await self._in_thread(self._pool, self.rules.may_publish, client, message.topic)
        if not permitted:
            MQTT_MESSAGES.labels("refused").inc()
            return False
        if any(matches(filter_, message.topic) for filter_ in self.rules.ingest_filters):
            try:
                await self._in_thread(self._pool, self.rules.ingest, message.topic, message.payload, client)
            except Exception:
                MQTT_MESSAGES.labels("failed").inc()
                raise
            MQTT_MESSAGES.labels("committed").inc()
        if message.retain:
            self._retain(message)
        self._route(message)
        return True

    async def publish_will(self, client: Client, message: Message) -> None:
        """The last words of a client that left without a goodbye, under the same rules as all others."""
        try:
            await self.take(client, message)
        except Exception as error:
            log.warning("last words were lost", client=client.name, topic=message.topic, error=repr(error))

    def _retain(self, message: Message) -> None:
        if not message.payload:
            self._retained.pop(message.topic, None)
        elif message.topic in self._retained or len(self._retained) < _MOST_RETAINED:
            self._retained[message.topic] = message

    def send_retained(self, session: Session, filter_: str, qos: int) -> None:
        """What a new subscription finds already there."""
        for topic, message in self._retained.items():
            if matches(filter_, topic):
                lower = min(qos, message.qos)
                session.queue(Message(topic=topic, payload=message.payload, qos=lower, retain=True))

    def _route(self, message: Message) -> None:
        for session in self._sessions.values():
            best = max(
                (qos for filter_, qos in session.subscriptions.items() if matches(filter_, message.topic)), default=None
            )
            if best is None:
                continue
            copy = Message(topic=message.topic, payload=message.payload, qos=min(best, message.qos))
            kept = session.queue(copy)
            MQTT_MESSAGES.labels("delivered" if kept else "dropped").inc()

    async def _in_thread(self, pool: ThreadPoolExecutor, function: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args))


async def _open(opened: Any, setting: str, host: str, port: int) -> Any:
    try:
        return await opened
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}", where=setting) from None
