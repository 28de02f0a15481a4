"""Sends prepared MQTT messages when their time has come: a process of its own, so that it costs nobody else's time.

``python -m benchmarks.served.sender PORT FOLDER SPEED [BEGIN]`` prints one line of JSON: seconds, and by how many the
sender itself was late at most. A client library costs several times as much for a message as the broker does, which on
the machine that is measured would be the limit; so the packets are prepared (:func:`prepare`), and what is due is sent
in one piece.
"""

import json
import socket
import struct
import sys
import threading
import time
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

_CONNECT = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07traffic"
_PACKETS, _DUE, _ENDS = "packets", "due", "ends"
_MOST = 65_535
_AT_ONCE = 2_000
_PATIENCE = 60.0


def prepare(folder: Path, messages: Iterable[tuple[int, str, bytes]]) -> int:
    """Write messages (microseconds, topic, body) as QoS 1 packets; gives how many these are."""
    due, ends = array("q"), array("q")
    place = 0
    with (folder / _PACKETS).open("wb") as packets:
        for number, (at, topic, body) in enumerate(messages):
            name = topic.encode()
            rest = struct.pack("!H", len(name)) + name + struct.pack("!H", number % _MOST + 1) + body
            place += packets.write(b"\x32" + _length(len(rest)) + rest)
            due.append(at)
            ends.append(place)
    (folder / _DUE).write_bytes(due.tobytes())
    (folder / _ENDS).write_bytes(ends.tobytes())
    return len(due)


def _length(size: int) -> bytes:
    """The remaining length (MQTT 3.1.1, 2.2.3)."""
    parts = bytearray()
    while True:
        size, low = divmod(size, 128)
        parts.append(low | 128 if size else low)
        if not size:
            return bytes(parts)


def send(port: int, folder: Path, speed: float, begin: float) -> tuple[float, float]:
    """Send from ``begin`` (monotonic) on; seconds until the broker had acknowledged all, and the most that we were
    late."""
    due, ends = array("q"), array("q")
    due.frombytes((folder / _DUE).read_bytes())
    ends.frombytes((folder / _ENDS).read_bytes())
    answered, late, sent = [0], 0.0, 0
    with socket.create_connection(("127.0.0.1", port)) as connection, (folder / _PACKETS).open("rb") as packets:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_CONNECT)
        if connection.recv(4)[3:] != b"\x00":
            raise RuntimeError("the broker refuses the sender")
        reader = threading.Thread(target=_count, args=(connection, answered), daemon=True)
        reader.start()
        while sent < len(due):
            now = time.monotonic()
            ready = min(bisect_right(due, due[0] + int((now - begin) * speed * 1e6)), sent + _AT_ONCE)
            if ready > sent:
                late = max(late, now - begin - (due[sent] - due[0]) / 1e6 / speed)
                connection.sendall(packets.read(ends[ready - 1] - (ends[sent - 1] if sent else 0)))
                sent = ready
            else:
                time.sleep(0.002)
        until = time.monotonic() + _PATIENCE
        while answered[0] < 4 * len(due) and time.monotonic() < until:
            time.sleep(0.005)
        if answered[0] < 4 * len(due):
            raise RuntimeError(f"the broker acknowledged {answered[0] // 4} of {len(due)} messages")
        return time.monotonic() - begin, late


def _count(connection: socket.socket, answered: list[int]) -> None:
    """A PUBACK has four bytes; nothing else comes."""
    try:
        while found := connection.recv(65_536):
            answered[0] += len(found)
    except OSError:
        return


def main() -> None:
    port, folder, speed = int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    begin = float(sys.argv[4]) if len(sys.argv) > 4 else time.monotonic()
    seconds, late = send(port, folder, speed, begin)
    print(json.dumps({"seconds": seconds, "late": late}))


if __name__ == "__main__":
    main()
