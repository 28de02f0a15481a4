"""Which of a broker's messages were committed, as far as it may send them again.

A worker that is killed between a commit and its acknowledgement gets the messages of that commit again. Readings with a
time of their own are then no event, but a bare number would be a second reading, of the time at which it came again.
So what was taken is written down in the transaction that took it: packet identifier and digest of each message. One
that the broker calls a duplicate (DUP), and that is known by both, was taken.

A broker sends again under the same packet identifier (MQTT 3.1.1, 4.4), and no more than it sends without an answer
(``max_inflight_messages``); :data:`MOST` is far above that. Brokers give identifiers anew in turn, all 65,535 of them,
so that a known one is not given to another message meanwhile.
"""

import struct
from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
from paho.mqtt.client import MQTTMessage

from allmende.domain.marks import Mark
from allmende.domain.store import Store

MOST = 10_000
"""Messages that are remembered."""
_LINE = struct.Struct("!H8s")


class Taken:
    """The memory of one client of a broker. Used by one thread."""

    def __init__(self, store: Store, client_id: str) -> None:
        self.client_id = client_id
        self._store = store
        self._name = f"mqtt:{client_id}"
        self._topics_name = f"mqtt-topics:{client_id}"
        self._marks: deque[tuple[int, list[int]]] = deque()
        """Numbers of the marks that are kept, and the packet identifiers that each tells of."""
        self._known: dict[int, tuple[bytes, int]] = {}
        """By packet identifier: a digest, and the number of its mark."""
        self._number = 0

    def begin(self, *, resumed: bool) -> None:
        """At each connection: read what was committed, which after a failure nobody else knows. ``resumed``: the
        broker goes on with our session; else its identifiers begin anew, and nothing comes again."""
        self._marks.clear()
        self._known.clear()
        for mark in self._store.marks(self._name):
            self._number = max(self._number, mark.number)
            if resumed:
                self._remember(mark.number, list(_LINE.iter_unpack(mark.body)))

    def knows(self, message: MQTTMessage) -> bool:
        """Whether this was taken before."""
        known = self._known.get(message.mid) if message.dup else None
        return known is not None and known[0] == _digest(message)

    def mark(self, messages: Sequence[MQTTMessage]) -> Mark:
        """What is to be committed with messages."""
        body = b"".join(_LINE.pack(message.mid, _digest(message)) for message in messages)
        room = MOST - len(messages)
        forget = self._number + 1
        for number, mids in reversed(self._marks):
            room -= len(mids)
            if room < 0:
                break
            forget = number
        return Mark(name=self._name, number=self._number + 1, body=body, forget=forget)

    def keep(self, mark: Mark) -> None:
        """It was committed."""
        self._number = mark.number
        while self._marks and self._marks[0][0] < mark.forget:
            number, mids = self._marks.popleft()
            for mid in mids:
                if mid in self._known and self._known[mid][1] == number:
                    del self._known[mid]
        self._remember(mark.number, list(_LINE.iter_unpack(mark.body)))

    def _remember(self, number: int, lines: Sequence[tuple[int, bytes]]) -> None:
        self._marks.append((number, [mid for mid, _ in lines]))
        self._known.update((mid, (digest, number)) for mid, digest in lines)

    def topics(self) -> set[str]:
        """The topics that the broker granted to our session."""
        marks = self._store.marks(self._topics_name)
        return set(msgspec.json.decode(marks[-1].body, type=list[str])) if marks else set()

    def note_topics(self, topics: Iterable[str]) -> None:
        """Remember them."""
        self._store.put_mark(Mark(name=self._topics_name, number=0, body=msgspec.json.encode(sorted(topics))))


def _digest(message: MQTTMessage) -> bytes:
    digest = blake2b(message.topic.encode(), digest_size=8)
    digest.update(b"\x00")
    digest.update(message.payload)
    return digest.digest()
