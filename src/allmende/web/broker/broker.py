"""The broker: who is connected, who gets what, and what has to be committed before it is acknowledged."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog
from websockets.asyncio.server import ServerConnection, serve

from allmende.domain.errors import AllmendeError, ConfigurationError
from allmende.faces.sensorthings.topics import ERRORS
from allmende.web.broker.connection import Connection
from allmende.web.broker.session import ANONYMOUS, MOST_SUBSCRIPTIONS, MOST_WAITING, Client, Message, Session
from allmende.web.broker.subscribers import Subscribers
from allmende.web.broker.topics import covers, is_wild, matches
from allmende.web.broker.wire import TcpWire, WebSocketWire, Wire
from allmende.web.config import Config
from allmende.web.observability.metrics import MQTT_CONNECTIONS, MQTT_MESSAGES

Ingest = Callable[[str, bytes, Client], None]
"""``(topic, payload, client)``: returns once it is committed (or kept as a rejection), raises where it could not be."""
Authenticate = Callable[[str, str], Client | None]
"""``(username, password)``: the client, or None. A token comes as the password."""
MayUse = Callable[[Client, str], bool]
Create = Callable[[str, bytes, Client], bytes]
"""``(topic, payload, client)``: returns once the entity is committed, with b"", or kept as a rejection, with what was
wrong; raises where neither could be done."""
Retained = Callable[[str, Client], Sequence[tuple[str, bytes]]]
"""What a new subscription to a filter of the API finds already there."""

Weigh = Callable[[str, Client], bool]
"""Whether a topic of the API has to be asked of the store; raises what is wrong with it."""

OPEN_TOPICS = "v1.1/#"
ALERT_TOPICS = "alerts/#"
"""The API's: what is published here is created, and what was created is told by the house alone."""

_KEEP_SESSIONS_SECONDS = 24 * 3600
_MOST_SESSIONS = 10_000
_MOST_RETAINED = 50_000
_INGEST_THREADS = 4
_WRONG_PASSWORD_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0

_T = TypeVar("_T")
log = structlog.get_logger("allmende.broker")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker asks of the house. All of it is called in threads, but for what says that it is not."""

    ingest: Ingest
    ingest_filters: Callable[[], Sequence[str]]
    """Topics that are committed before they are acknowledged, as they were when ``may_publish`` was asked last. Called
    in the loop: it only remembers."""
    authenticate: Authenticate
    may_publish: MayUse
    may_subscribe: MayUse
    create: Create
    weigh: Weigh
    retained: Retained


class Told(msgspec.Struct, frozen=True):
    """A message about what was committed, for those who listen."""

    payload: bytes
    topics: Mapping[str, frozenset[str]]
    """Topics as clients wrote them, each with the names of the clients whose rights were looked at."""
    everybody: str = ""
    """The topic under which it is told to those with wildcards, where anybody may read it."""
    all: bool = False
    """Whether those who listen to the very topic ``everybody`` get it too, whoever they are."""


class Broker:
    """All sessions of one process. Runs in one event loop; only the rules are called in threads."""

    def __init__(self, config: Config, rules: Rules) -> None:
        self.config = config
        self.rules = rules
        self.most_bytes = config.mqtt_message_bytes
        self._sessions: dict[tuple[str, str], Session] = {}
        self._connections: dict[Connection, Session | None] = {}
        self._retained: dict[str, Message] = {}
        self.subscribers = Subscribers()
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

    async def authenticate(self, username: str | None, password: str | None, wire: Wire) -> Client | None:
        """The client; None for a wrong password, after a moment."""
        if not username and not password:
            return msgspec.structs.replace(ANONYMOUS, local=wire.local, address=wire.address)
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
            self._forget(key)
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
            self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            self.subscribers.remove(session)

    def _forget_old_sessions(self) -> None:
        before = time.monotonic() - _KEEP_SESSIONS_SECONDS
        away = [(session.left_at, key) for key, session in self._sessions.items() if not session.connected]
        over = len(self._sessions) - _MOST_SESSIONS
        for place, (left_at, key) in enumerate(sorted(away)):
            if left_at < before or place < over:
                self._forget(key)

    # What is sent and read

    async def subscribe(self, session: Session, filter_: str, qos: int) -> bool:
        """Add a subscription where the client may read all that it takes; False if not."""
        if filter_ in session.subscriptions:
            self.subscribers.add(session, filter_, qos)
            return True
        if len(session.subscriptions) >= MOST_SUBSCRIPTIONS:
            return False
        client = session.client
        asked = False
        if not (covers(OPEN_TOPICS, filter_) or covers(ALERT_TOPICS, filter_)):
            if client.anonymous or not await self._in_thread(self._pool, self.rules.may_subscribe, client, filter_):
                return False
        elif covers(OPEN_TOPICS, filter_) and not is_wild(filter_) and filter_ != ERRORS:
            try:
                asked = await self._in_thread(self._pool, self.rules.weigh, filter_, client)
            except AllmendeError as error:
                log.info("a subscription was refused", client=client.name, topic=filter_, error=str(error))
                return False
            if asked and not self._room_for_question(client, filter_):
                log.warning("too many subscriptions", client=client.name, topic=filter_)
                return False
        self.subscribers.add(session, filter_, qos, asked=asked)
        return True

    def unsubscribe(self, session: Session, filter_: str) -> None:
        """End a subscription, if there is one."""
        self.subscribers.remove(session, filter_)

    def _room_for_question(self, client: Client, topic: str) -> bool:
        own, total = self.subscribers.questions_of(client), self.subscribers.questions
        return (topic in own or len(own) < self.config.mqtt_questions) and (
            topic in total or len(total) < self.config.mqtt_questions_total
        )

    async def take(self, session: Session, message: Message) -> bool:
        """Commit a message where it has to be, then pass it on. False where the client may not publish it.

        What is published to the API's topics is created and not passed on: those who listen get what was committed.
        Raises what ``ingest`` and ``create`` raise: then nothing may be acknowledged.
        """
        client = session.client
        if matches(OPEN_TOPICS, message.topic):
            await self._create(session, message)
            return True
        if matches(ALERT_TOPICS, message.topic):  # what the house alone says there
            MQTT_MESSAGES.labels("refused").inc()
            return False
        permitted = not client.anonymous and await self._in_thread(
            self._pool, self.rules.may_publish, client, message.topic
        )
        if not permitted:
            MQTT_MESSAGES.labels("refused").inc()
            return False
        if any(matches(filter_, message.topic) for filter_ in self.rules.ingest_filters()):
            try:
                await self._in_thread(self._pool, self.rules.ingest, message.topic, message.payload, client)
            except Exception:  # counted, whatever it is
                MQTT_MESSAGES.labels("failed").inc()
                raise
            MQTT_MESSAGES.labels("committed").inc()
        if message.retain:
            self._retain(message)
        self._route(message)
        return True

    async def _create(self, session: Session, message: Message) -> None:
        try:
            wrong = await self._in_thread(self._pool, self.rules.create, message.topic, message.payload, session.client)
        except Exception:  # counted, whatever it is
            MQTT_MESSAGES.labels("failed").inc()
            raise
        MQTT_MESSAGES.labels("rejected" if wrong else "committed").inc()
        qos = max((q for filter_, q in session.subscriptions.items() if matches(filter_, ERRORS)), default=None)
        if wrong and qos is not None:
            session.queue(Message(topic=ERRORS, payload=wrong, qos=qos))

    async def publish_will(self, session: Session, message: Message) -> None:
        """The last words of a client that left without a goodbye, under the same rules as all others."""
        try:
            await self.take(session, message)
        except Exception as error:  # nobody is there any more who could be told, or send them again
            log.warning("last words were lost", client=session.client.name, topic=message.topic, error=repr(error))

    def _retain(self, message: Message) -> None:
        if not message.payload:
            self._retained.pop(message.topic, None)
        elif message.topic in self._retained or len(self._retained) < _MOST_RETAINED:
            self._retained[message.topic] = message

    async def send_retained(self, session: Session, filter_: str, qos: int) -> None:
        """What a new subscription finds already there."""
        if covers(ALERT_TOPICS, filter_) or (self.config.mqtt_retain and covers(OPEN_TOPICS, filter_)):
            for topic, payload in await self._in_thread(self._pool, self.rules.retained, filter_, session.client):
                session.queue(Message(topic=topic, payload=payload, qos=qos, retain=True))
        for topic, message in self._retained.items():
            if matches(filter_, topic):
                lower = min(qos, message.qos)
                session.queue(Message(topic=topic, payload=message.payload, qos=lower, retain=True))

    def _route(self, message: Message) -> None:
        for session, qos in self.subscribers.of(message.topic).items():
            self._send(session, message.topic, message.payload, min(qos, message.qos))

    def _send(self, session: Session, topic: str, payload: bytes, qos: int) -> None:
        kept = session.queue(Message(topic=topic, payload=payload, qos=qos))
        MQTT_MESSAGES.labels("delivered" if kept else "dropped").inc()

    async def listening(self) -> tuple[int, dict[str, frozenset[str]], bool]:
        """Their version, who listens to which of the API's topics, and whether wildcards are used."""
        listeners = {
            topic: frozenset(session.client.name for session in sessions)
            for topic, sessions in self.subscribers.exact.items()
            if matches(OPEN_TOPICS, topic)
        }
        wild = any(covers(OPEN_TOPICS, filter_) for filter_ in self.subscribers.wild)
        return self.subscribers.version, listeners, wild

    async def deliver(self, told: Sequence[Told]) -> None:
        """Tell those who listen what was committed, in order. Whoever reads too slowly is waited for a moment."""
        for item in told:
            for session, topic, qos in self._listeners(item):
                await self._await_room(session)
                self._send(session, topic, item.payload, qos)

    def _listeners(self, item: Told) -> list[tuple[Session, str, int]]:
        if item.all:
            return [(session, item.everybody, qos) for session, qos in self.subscribers.of(item.everybody).items()]
        return self.subscribers.told(item.topics, item.everybody)

    async def _await_room(self, session: Session) -> None:
        now = asyncio.get_running_loop().time
        while session.connected and len(session.waiting) >= MOST_WAITING // 2 and now() >= session.patience:
            before = len(session.waiting)
            await asyncio.sleep(0.05)
            if len(session.waiting) >= before:  # it does not read at all; nobody waits for it for a while
                session.patience = now() + _PATIENCE_SECONDS

    async def _in_thread(self, pool: ThreadPoolExecutor, function: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args))


async def _open(opened: Any, setting: str, host: str, port: int) -> Any:
    try:
        return await opened
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}", where=setting) from None
