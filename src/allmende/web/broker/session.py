"""What the broker remembers of a client: subscriptions, what is still to be sent, what waits for an acknowledgement."""

import asyncio
import time
from collections import deque

import msgspec

MOST_WAITING = 1000
"""Messages waiting for one client; the oldest go first where it cannot keep up."""
MOST_INFLIGHT = 32
"""Messages sent to a client and not acknowledged yet."""
MOST_SUBSCRIPTIONS = 200


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on the other side. ``name`` is stable for one account or token; sessions belong to it."""

    name: str
    anonymous: bool = False
    local: bool = False
    """Whether it speaks from this machine, and is no page in a browser."""
    address: str = ""
    """Where one without an account speaks from; forgotten with the connection."""

    @property
    def owner(self) -> str:
        """Whose sessions count together: an account's, or those without one from the same address."""
        return f"{self.name} {self.address}" if self.anonymous else self.name


ANONYMOUS = Client(name="anonymous", anonymous=True)


class Message(msgspec.Struct, kw_only=True):
    """A message on its way to a client."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    packet_id: int = 0
    sent: bool = False
    received: bool = False
    """QoS 2: the client has answered PUBREC."""


class Session:
    """State of one client id of one account. Lives in memory: it ends with the broker."""

    def __init__(self, client: Client, client_id: str, clean: bool) -> None:
        self.client = client
        self.client_id = client_id
        self.clean = clean
        self.subscriptions: dict[str, int] = {}
        self.waiting: deque[Message] = deque()
        self.inflight: dict[int, Message] = {}
        self.taken: set[int] = set()
        """Packet ids of QoS 2 messages that are committed and not released yet."""
        self.taking: dict[int, asyncio.Task[bool]] = {}
        """By packet id: QoS 2 messages that are being committed, also after the connection broke off."""
        self.wake = asyncio.Event()
        self.connected = False
        self.patience = 0.0
        """Until when nobody waits for this client to read, in the event loop's time."""
        self.left_at = time.monotonic()
        self.dropped = 0
        self._last_id = 0

    def queue(self, message: Message) -> bool:
        """Put a message into the line; False where an older one had to go for it."""
        if not self.connected and message.qos == 0:
            return True
        room = len(self.waiting) < MOST_WAITING
        if not room:
            self.waiting.popleft()
            self.dropped += 1
        self.waiting.append(message)
        self.wake.set()
        return room

    def next_to_send(self) -> Message | None:
        """The next message that may be sent now, in order; with its packet id where it needs one."""
        if not self.waiting:
            return None
        message = self.waiting[0]
        if message.qos:
            if len(self.inflight) >= MOST_INFLIGHT:
                return None
            message.packet_id = self._free_id()
            self.inflight[message.packet_id] = message
        return self.waiting.popleft()

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self.inflight:
                return self._last_id

    def settle(self, packet_id: int) -> None:
        """The client has acknowledged a message for good."""
        if self.inflight.pop(packet_id, None) is not None:
            self.wake.set()
