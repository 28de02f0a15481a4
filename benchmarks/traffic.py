"""City traffic through Mosquitto to the worker: what is taken, what is lost, how far behind, and where it stops.

``python -m benchmarks.traffic [--seconds 60] [--speed 1 2 5 10] [--seed 1] [--postgres URL]``

The hour of a city, made from a seed: 2,000 LoRaWAN devices that speak about every quarter of an hour, 94 signal
installations with 15 signal groups each whose lamps change, 40 vehicles each second, and 10 cameras that tell of tracks
that ended. Some 190 messages a second at speed 1. All but the vehicles have times of their own, so that one that is
lost, or kept twice, is seen.

A speed is kept up with when the last message is committed within five seconds of its sending.
"""

import argparse
import heapq
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from tests.mosquitto import Mosquitto

DEVICES, INSTALLATIONS, GROUPS, CAMERAS = 2000, 94, 15, 10
VEHICLES = 40
KEPT_UP_SECONDS = 5.0
UNANSWERED = 200
"""``max_inflight_messages`` of the broker: by itself it sends 20 before the first is answered; a group is no larger."""
_READY_SECONDS = 60.0

Message = tuple[float, str, bytes]
"""Seconds from the beginning, topic, body."""


def make_traffic(seconds: float, seed: int, begin: datetime) -> Iterator[Message]:
    """The messages in the order of time; the same for the same seed and beginning."""
    rng = random.Random(seed)
    kinds = [_devices(rng, seconds, begin), _signals(rng, seconds, begin), _cameras(rng, seconds, begin)]
    kinds.append(_vehicles(rng, seconds))
    return heapq.merge(*(iter(sorted(kind)) for kind in kinds))


def _moment(begin: datetime, at: float) -> str:
    return (begin + timedelta(seconds=at)).isoformat(timespec="microseconds")


def _devices(rng: random.Random, seconds: float, begin: datetime) -> Iterator[Message]:
    for number in range(DEVICES):
        at = rng.uniform(0, 900)
        while at < seconds:
            eui = f"{number:016x}"
            body = {
                "time": _moment(begin, at),
                "deviceInfo": {"devEui": eui, "deviceName": f"device {number}", "deviceProfileName": "Dragino_LSE01"},
                "data": "AA==",
                "object": {
                    "BatV": 3.3,
                    "temp_SOIL": f"{rng.uniform(5, 20):.2f}",
                    "water_SOIL": f"{rng.uniform(5, 40):.2f}",
                    "conduct_SOIL": rng.randrange(200),
                },
            }
            yield at, f"application/1/device/{eui}/event/up", json.dumps(body).encode()
            at += rng.uniform(800, 1000)


def _signals(rng: random.Random, seconds: float, begin: datetime) -> Iterator[Message]:
    """A signal group changes about every ten seconds."""
    lamps = (("🔴⚪⚪", [True, False, False]), ("⚪⚪🟢", [False, False, True]))
    for number in range(INSTALLATIONS):
        for group in range(GROUPS):
            at, turn = rng.uniform(0, 10), 0
            while at < seconds:
                state, values = lamps[turn % 2]
                name = f"K{group}"
                body = {
                    "id": name,
                    "signalGroup": {"id": group},
                    "timestamp": f"{(begin + timedelta(seconds=at)).isoformat(timespec='milliseconds')[:23]}Z",
                    "state": state,
                    "values": values,
                }
                yield at, f"5g/ilsa/T{number}/1/{name}", json.dumps(body, ensure_ascii=False).encode()
                at, turn = at + rng.uniform(8, 12), turn + 1


def _cameras(rng: random.Random, seconds: float, begin: datetime) -> Iterator[Message]:
    """A track that ended, about four a second for each camera: one reading each."""
    for number in range(CAMERAS):
        at = rng.uniform(0, 0.3)
        while at < seconds:
            moment = _moment(begin, at)
            each = {
                "classId": "5",
                "id": str(rng.randrange(10**6)),
                "speed": f"{rng.uniform(5, 60):.1f}",
                "time": moment,
                "gpsCoordinates": [{"heading": "180", "latitude": "50.92", "longitude": "11.58"}],
            }
            body = {"messageType": "Data", "type": "TrackData", "time": moment, "object": [each]}
            yield at, f"5g/traficam/camera{number}/data", json.dumps(body).encode()
            at += rng.uniform(0.2, 0.3)


def _vehicles(rng: random.Random, seconds: float) -> Iterator[Message]:
    """What a second held. It has no time of its own, so that how much of it is kept depends on the speed."""
    for second in range(int(seconds)):
        found = [
            {
                "id": rng.randrange(10**6),
                "pos": [50.92, 11.58],
                "lix": rng.randrange(3),
                "turn": 0,
                "speed": round(rng.uniform(5, 60), 1),
                "class": 2,
                "length": 4.2,
            }
            for _ in range(VEHICLES)
        ]
        yield float(second), "5g/miv/efd", json.dumps(found).encode()


class City:
    """A house with Jena's profile, its worker, and a broker; ended and removed by :meth:`close`."""

    def __init__(self, postgres: str = "") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="allmende-traffic-"))
        self.broker = Mosquitto(self.home / "broker", unanswered=UNANSWERED, careful=False)
        # the tests' broker writes all that waits to its disk with each message; a city's does so now and then
        text = self.broker.settings.read_text().replace("autosave_on_changes true\n", "")
        self.broker.settings.write_text(text.replace("autosave_interval 1\n", "autosave_interval 300\n"))
        self.broker.start()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ALLMENDE_", "PROMETHEUS"))}
        self.environ = {
            **kept,
            "ALLMENDE_HOME": str(self.home),
            "ALLMENDE_CITY": "jena",
            "ALLMENDE_BROKER_URL": self.broker.url,
            "ALLMENDE_LOG_FORMAT": "json",
            "ALLMENDE_DISK_FLOOR": "0",
        }
        if postgres:
            self.environ["ALLMENDE_DATABASE_URL"] = postgres
        self._run("init", "--city", "jena")
        self._worker: subprocess.Popen[bytes] | None = None
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="traffic")
        self.client.max_queued_messages_set(0)
        self.client.max_inflight_messages_set(2000)
        self.client.connect("127.0.0.1", self.broker.port)
        self.client.loop_start()

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "allmende", *arguments]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True).stdout

    def start_worker(self) -> None:
        """Start it, and wait until the broker has its subscription."""
        command = [sys.executable, "-m", "allmende", "worker"]
        log = (self.home / "worker.log").open("ab")
        begun = log.tell()
        self._worker = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        until = time.monotonic() + _READY_SECONDS
        while b"listening to the broker" not in (self.home / "worker.log").read_bytes()[begun:]:
            if time.monotonic() > until:
                raise RuntimeError((self.home / "worker.log").read_text()[-2000:])
            time.sleep(0.1)
        time.sleep(0.5)

    def kill_worker(self) -> None:
        """As a power cut would."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()

    def taken(self) -> dict[str, dict[str, int]]:
        """Accepted, repeated, corrected and rejected readings by source."""
        listed = json.loads(self._run("sources", "--json"))
        return {each["id"]: each for each in listed}

    def close(self) -> None:
        """End everything."""
        self.client.loop_stop()
        self.client.disconnect()
        if self._worker is not None:
            self._worker.terminate()
            self._worker.wait(30)
        self.broker.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def expect(messages: list[Message]) -> Counter[str]:
    """Readings by source that the messages hold, as the connectors read them; those with times of their own."""
    from allmende.connectors import registry
    from allmende.domain.connector import Payload
    from allmende.domain.ingest import IngestLimits, ingest
    from allmende.web.profiles import load_profile
    from allmende.web.sources import prepare_sources

    prepared = prepare_sources(load_profile("jena"), registry.connectors())
    points: dict[str, set[tuple[str, int]]] = {source: set() for source in SOURCES}
    now = time.time_ns() // 1000
    for _, topic, body in messages:
        source = next((source for source, begin in SOURCES.items() if topic.startswith(begin)), None)
        if source is None:
            continue
        payload = Payload(body=body, name=topic, received_at=now)
        parsed = prepared[source].usable().parse(payload, prepared[source].source)
        batch = ingest(parsed, payload=payload, source=prepared[source].source, version="", limits=IngestLimits())
        if batch.rejections:
            raise RuntimeError(f"{topic}: {batch.rejections[0].reason}")
        points[source] |= {(series.stream, at) for series in batch.series for at in series.times}
    return Counter({source: len(found) for source, found in points.items()})


SOURCES = {"chirpstack": "application/", "ilsa": "5g/ilsa/", "traficam": "5g/traficam/"}


def send(city: City, messages: list[Message], speed: float, *, halfway: Any = None) -> float:
    """Send at a speed; gives the seconds that it took. ``halfway`` is called when half was sent."""
    began = time.monotonic()
    info = None
    for place, (at, topic, body) in enumerate(messages):
        ahead = began + at / speed - time.monotonic()
        if ahead > 0.002:
            time.sleep(ahead)
        info = city.client.publish(topic, body, qos=1)
        if halfway is not None and place == len(messages) // 2:
            halfway()
    if info is not None:
        info.wait_for_publish(60)
    return time.monotonic() - began


def wait_taken(city: City, before: Counter[str], wanted: Counter[str], seconds: float) -> tuple[float, Counter[str]]:
    """Seconds until everything was taken, at most so many, and what was taken by then."""
    began = time.monotonic()
    while True:
        known = city.taken()
        found = Counter({source: known[source]["accepted"] - before[source] for source in SOURCES})
        spent = time.monotonic() - began
        if all(found[source] >= wanted[source] for source in SOURCES) or spent > seconds:
            return spent, found
        time.sleep(0.2)


def main() -> int:
    """Prints a line for each speed; 1 where something was lost."""
    options = argparse.ArgumentParser()
    options.add_argument(
        "--seconds", type=float, default=30.0, help="of sending at each speed: more traffic at more speed"
    )
    options.add_argument("--speed", type=float, nargs="+", default=[1, 2, 5, 10])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--postgres", default="", help="an empty database; SQLite without")
    asked = options.parse_args()
    city = City(asked.postgres)
    lost = 0
    try:
        city.start_worker()
        for number, speed in enumerate(asked.speed):
            begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2 * (len(asked.speed) - number))
            messages = list(make_traffic(asked.seconds * speed, asked.seed + number, begin))
            wanted = expect(messages)
            before = Counter({source: city.taken()[source]["accepted"] for source in SOURCES})
            spent = send(city, messages, speed)
            lag, found = wait_taken(city, before, wanted, 20 * asked.seconds)
            missing = wanted.total() - found.total()
            lost += missing
            word = "kept up" if lag <= KEPT_UP_SECONDS else "did NOT keep up"
            print(
                f"{'PostgreSQL' if asked.postgres else 'SQLite'}, speed {speed:g}: {len(messages):,} messages,"
                f" {len(messages) / spent:,.0f} a second; {found.total():,} readings taken, {missing} lost;"
                f" the last one {lag:.1f} s after its sending: {word}",
                flush=True,
            )
    finally:
        city.close()
    return int(lost != 0)


if __name__ == "__main__":
    sys.exit(main())
