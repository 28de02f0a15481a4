"""One client's connection: CONNECT, then a loop that reads and a loop that sends.

The reading loop takes one packet after the other, so the order of a client's messages holds, and a client that sends
faster than the house commits is slowed by TCP itself. Only the sending loop waits for a slow reader.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from amqtt.mqtt.connack import (
    CONNECTION_ACCEPTED,
    IDENTIFIER_REJECTED,
    NOT_AUTHORIZED,
    UNACCEPTABLE_PROTOCOL_VERSION,
    ConnackPacket,
)
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.pingreq import PingReqPacket
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsuback import UnsubackPacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket

from allmende.web.broker.session import Message, Session
from allmende.web.broker.topics import is_filter, is_topic
from allmende.web.broker.wire import Closed, Wire, WireError, read_packet

if TYPE_CHECKING:
    from allmende.web.broker.broker import Broker

_FIRST_PACKET_SECONDS = 10
_SEND_SECONDS = 30
_CONNECT = 0x10
_REFUSED = 0x80
_MOST_CLIENT_ID = 256

log = structlog.get_logger("allmende.broker")


class Refused(Exception):
    """The client may not do this; MQTT 3.1.1 has no word for it but to close."""


class Connection:
    """Serves one client until it leaves."""

    def __init__(self, broker: "Broker", wire: Wire) -> None:
        self.broker = broker
        self.wire = wire
        self.session: Session | None = None
        self._will: Message | None = None
        self._task: asyncio.Task[Any] | None = None

    async def serve(self) -> None:
        """Run to the end of the connection. Raises nothing."""
        gracefully = False
        reason = "left"
        try:
            session, keep_alive = await asyncio.wait_for(self._connect(), _FIRST_PACKET_SECONDS)
            gracefully = await self._run(session, keep_alive)
        except Closed:
            reason = "closed"
        except TimeoutError:
            reason = "silent"
        except (WireError, Refused) as error:
            reason = str(error)
            log.warning("client turned away", client=self._name(), reason=reason)
        except asyncio.CancelledError:
            reason = "taken over or shut down"
        except Exception as error:  # whatever a commit raises: the message stays unacknowledged, and comes again
            reason = "a message could not be kept"
            log.warning("client closed unacknowledged", client=self._name(), error=repr(error))
        finally:
            await self._leave(gracefully, reason)

    def _name(self) -> str:
        return self.session.client.name if self.session else "unknown"

    def start(self) -> "asyncio.Task[None]":
        """Serve in a task of its own."""
        self._task = asyncio.create_task(self.serve())
        return self._task

    async def end(self) -> None:
        """Close from outside, because another connection takes over or the broker stops; returns when it is done."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=3)

    async def _run(self, session: Session, keep_alive: float | None) -> bool:
        """Both loops, until one ends. True after a DISCONNECT."""
        reading = asyncio.create_task(self._read_loop(session, keep_alive))
        sending = asyncio.create_task(self._send_loop(session))
        try:
            done, _ = await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return reading in done
        finally:
            for task in (reading, sending):
                task.cancel()
            await asyncio.gather(reading, sending, return_exceptions=True)

    async def _connect(self) -> tuple[Session, float | None]:
        packet: ConnectPacket = await read_packet(self.wire, self.broker.most_bytes, expected=_CONNECT)
        if packet.proto_name != "MQTT" or packet.proto_level != 4:
            await self._answer(UNACCEPTABLE_PROTOCOL_VERSION)
            raise WireError(f"protocol {packet.proto_name!r} {packet.proto_level}; 3.1.1 is spoken here")
        random_id = packet.payload.client_id_is_random
        if len(packet.client_id) > _MOST_CLIENT_ID or (random_id and not packet.clean_session_flag):
            await self._answer(IDENTIFIER_REJECTED)
            raise Refused("the client id is too long, or missing for a session that is to be kept")
        client = await self.broker.authenticate(
            packet.username if packet.username_flag else None,
            packet.password if packet.password_flag else None,
            self.wire,
        )
        if client is None:
            await self._answer(NOT_AUTHORIZED)
            raise Refused("wrong name, password or token")
        if packet.will_flag:
            self._will = _will_of(packet)
        session, present = await self.broker.open_session(
            self, client, packet.client_id, bool(packet.clean_session_flag)
        )
        self.session = session
        await self._answer(CONNECTION_ACCEPTED, present)
        return session, packet.keep_alive * 1.5 or None

    async def _answer(self, code: int, present: bool = False) -> None:
        await self.wire.send(ConnackPacket.build(int(present), code).to_bytes())

    async def _read_loop(self, session: Session, keep_alive: float | None) -> None:
        """Ends at a DISCONNECT."""
        while True:
            packet = await asyncio.wait_for(read_packet(self.wire, self.broker.most_bytes), keep_alive)
            match packet:
                case PublishPacket():
                    await self._take(session, packet)
                case PubackPacket() | PubcompPacket():
                    session.settle(packet.packet_id)
                case PubrecPacket():
                    if packet.packet_id in session.inflight:
                        session.inflight[packet.packet_id].received = True
                    await self.wire.send(PubrelPacket.build(packet.packet_id).to_bytes())
                case PubrelPacket():
                    session.taken.discard(packet.packet_id)
                    await self.wire.send(PubcompPacket.build(packet.packet_id).to_bytes())
                case SubscribePacket():
                    await self._subscribe(session, packet)
                case UnsubscribePacket():
                    for filter_ in packet.payload.topics:
                        self.broker.unsubscribe(session, filter_)
                    await self.wire.send(UnsubackPacket.build(packet.variable_header.packet_id).to_bytes())
                case PingReqPacket():
                    await self.wire.send(PingRespPacket.build().to_bytes())
                case DisconnectPacket():
                    self._will = None
                    return
                case _:
                    raise WireError(f"{type(packet).__name__} is nothing that a client sends")

    async def _take(self, session: Session, packet: PublishPacket) -> None:
        """A PUBLISH: commit, pass on, then acknowledge. What raises leaves it unacknowledged."""
        qos, topic, packet_id = packet.qos or 0, packet.topic_name or "", packet.packet_id or 0
        if qos > 2 or (qos and not packet_id):
            raise WireError("a PUBLISH of QoS 3, or without a packet id")
        if len(packet.data or b"") > self.broker.most_bytes:
            raise WireError("a message that is too large (limit: ALLMENDE_MQTT_MESSAGE_BYTES)")
        if not is_topic(topic):
            raise WireError(f"no topic to publish to: {topic[:80]!r}")
        if qos == 2 and packet_id in session.taken:
            await self.wire.send(PubrecPacket.build(packet_id).to_bytes())
            return
        message = Message(topic=topic, payload=bytes(packet.data or b""), qos=qos, retain=packet.retain_flag)
        if not await self._commit(session, message, packet_id if qos == 2 else 0):
            raise Refused(f"may not publish to {topic[:80]!r}")
        if qos == 1:
            await self.wire.send(PubackPacket.build(packet_id).to_bytes())
        elif qos == 2:
            await self.wire.send(PubrecPacket.build(packet_id).to_bytes())

    async def _commit(self, session: Session, message: Message, exactly: int) -> bool:
        """Let the broker take a message. One that may be taken once only (``exactly`` is its packet id) is remembered
        also where this connection ends meanwhile: what comes again is then known."""
        if not exactly:
            return await self.broker.take(session, message)
        task = session.taking.get(exactly)
        if task is None:
            task = session.taking[exactly] = asyncio.create_task(self._take_once(session, message, exactly))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _take_once(self, session: Session, message: Message, packet_id: int) -> bool:
        try:
            taken = await self.broker.take(session, message)
            if taken:
                session.taken.add(packet_id)
            return taken
        finally:
            session.taking.pop(packet_id, None)

    async def _subscribe(self, session: Session, packet: SubscribePacket) -> None:
        codes, kept = [], []
        for filter_, qos in packet.payload.topics:
            if is_filter(filter_) and qos <= 2 and await self.broker.subscribe(session, filter_, qos):
                codes.append(qos)
                kept.append((filter_, qos))
            else:
                codes.append(_REFUSED)
        await self.wire.send(SubackPacket.build(packet.variable_header.packet_id, codes).to_bytes())
        for filter_, qos in kept:
            await self.broker.send_retained(session, filter_, qos)

    async def _send_loop(self, session: Session) -> None:
        """First again what an earlier connection left unacknowledged, then what comes."""
        for message in list(session.inflight.values()):
            if message.received:
                await self._send(PubrelPacket.build(message.packet_id).to_bytes())
            else:
                await self._send(_publish_bytes(message))
        while True:
            message = session.next_to_send()
            if message is None:
                session.wake.clear()
                await session.wake.wait()
                continue
            await self._send(_publish_bytes(message))
            message.sent = True

    async def _send(self, data: bytes) -> None:
        await asyncio.wait_for(self.wire.send(data), _SEND_SECONDS)

    async def _leave(self, gracefully: bool, reason: str) -> None:
        await self.wire.close()
        if self.session is None:
            return
        self.broker.close_session(self, self.session)
        if self._will is not None and not gracefully:
            await self.broker.publish_will(self.session, self._will)
        log.debug("client left", client=self._name(), reason=reason, dropped=self.session.dropped)


def _will_of(packet: ConnectPacket) -> Message:
    topic = packet.will_topic or ""
    if not is_topic(topic) or (packet.will_qos or 0) > 2:
        raise WireError("a will without a topic to publish to")
    payload = packet.will_message or b""
    if isinstance(payload, str):
        payload = payload.encode()
    return Message(topic=topic, payload=bytes(payload), qos=packet.will_qos or 0, retain=bool(packet.will_retain_flag))


def _publish_bytes(message: Message) -> bytes:
    packet = PublishPacket.build(
        message.topic, message.payload, message.packet_id or None, message.sent, message.qos, message.retain
    )
    return packet.to_bytes()
