"""Packets on a TCP stream or a WebSocket: whole, and no larger than allowed. amqtt reads what is in them."""

import asyncio
from typing import Any, Protocol

from amqtt.adapters import BufferReader
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt import packet_class
from amqtt.mqtt.packet import MQTTFixedHeader
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

_OVERHEAD = 2048
"""Room for topic and headers beside the largest payload."""


class WireError(Exception):
    """What came is no MQTT, or too large; the connection has to be closed."""


_FROM_ELSEWHERE = ("Origin", "Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


_LOOPBACK = ("127.0.0.1", "::1")


def _host(peer: Any) -> str:
    """The address without its port; "" where the other side has gone already."""
    return str(peer[0]) if peer else ""


class Closed(Exception):
    """The other side has gone."""


class Wire(Protocol):
    """Bytes in order, both ways. Raises Closed at the end."""

    local: bool
    """Whether the other side is on this machine, and neither a proxy nor a page in a browser."""
    address: str
    """Of the other side; behind a proxy it is the proxy's."""

    async def read(self, count: int) -> bytes:
        """Exactly so many bytes."""

    async def send(self, data: bytes) -> None:
        """Write, and wait until there is room for more."""

    async def close(self) -> None:
        """Close at once; never raises."""


class TcpWire:
    """Wire over an asyncio stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.address = _host(writer.get_extra_info("peername"))
        self.local = self.address in _LOOPBACK

    async def read(self, count: int) -> bytes:
        try:
            return await self._reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError):
            raise Closed from None

    async def send(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise Closed
        self._writer.write(data)
        try:
            await self._writer.drain()
        except OSError:
            raise Closed from None

    async def close(self) -> None:
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), 1)
        except (OSError, TimeoutError):
            self._writer.transport.abort()


class WebSocketWire:
    """Wire over WebSocket frames, whose borders mean nothing to MQTT."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self._rest = bytearray()
        request = socket.request
        strange = request is None or any(name in request.headers for name in _FROM_ELSEWHERE)
        self.address = _host(socket.remote_address)
        self.local = not strange and self.address in _LOOPBACK

    async def read(self, count: int) -> bytes:
        while len(self._rest) < count:
            try:
                frame = await self._socket.recv()
            except ConnectionClosed:
                raise Closed from None
            if isinstance(frame, str):
                raise WireError("a text frame; MQTT takes binary frames")
            self._rest += frame
        data = bytes(self._rest[:count])
        del self._rest[:count]
        return data

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send(data)
        except ConnectionClosed:
            raise Closed from None

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._socket.close(), 1)
        except (TimeoutError, OSError, ConnectionClosed):
            self._socket.transport.abort()


async def read_packet(wire: Wire, most_bytes: int, *, expected: int | None = None) -> Any:
    """The next packet, as amqtt's class for its type. Raises Closed, or WireError for what cannot be taken.

    ``expected`` is the only first byte that will do: a stranger who speaks something else is told from the first one.
    """
    first = (await wire.read(1))[0]
    if expected is not None and first != expected:
        raise WireError(f"no MQTT: the first byte is {first:#04x}, not {expected:#04x}")
    length = await _read_length(wire)
    if length > most_bytes + _OVERHEAD:
        raise WireError(f"a packet of {length} bytes (limit: ALLMENDE_MQTT_MESSAGE_BYTES)")
    body = await wire.read(length) if length else b""
    header = MQTTFixedHeader(first >> 4, first & 0x0F, length)
    try:
        packet = await packet_class(header).from_stream(BufferReader(body), fixed_header=header)
    except (AMQTTError, MQTTError, NoDataError, ValueError, KeyError, IndexError, TypeError) as error:
        raise WireError(f"no MQTT 3.1.1 packet: {error}") from None
    return packet


async def _read_length(wire: Wire) -> int:
    length = shift = 0
    while shift <= 21:
        byte = (await wire.read(1))[0]
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return length
        shift += 7
    raise WireError("a length of more than four bytes")
