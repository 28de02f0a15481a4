"""City traffic through Mosquitto to the worker, several times as fast as it happens: is all of it taken, how far
behind, and at which speed does it stop keeping up?

``python -m benchmarks traffic [--engine all|postgresql|sqlite] [--speed 10] [--minutes 60] [--step 20] [--write]``.
Minutes are those of the city: an hour at ten times its speed takes six minutes. Then the speed is raised by half, for
``--step`` seconds each, until the house no longer keeps up. Messages are constructed (benchmarks/served/traffic.py) and
go to Mosquitto at QoS 1 when their time has come, from a process of its own; ``allmende worker`` takes them. What it
has taken is read from its own books twice a second: the lag is the age of the oldest message that is not committed,
its way through the broker included. ``--profile FILE`` samples the worker's
threads at the further speeds with py-spy, if that is installed.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

from benchmarks.served.city import City, Counts
from benchmarks.served.database import installed, private_database
from benchmarks.served.house import engines
from benchmarks.served.load import Load
from benchmarks.served.report import machine, write_section
from benchmarks.served.traffic import traffic

KEPT_UP_SECONDS = 2.0
"""Lag, as the median of the last third, up to which the house keeps up."""
_SECOND = 1_000_000
_PATIENCE, _FOLLOWING = 90.0, 5.0
"""Seconds that a run waits for its readings to be taken, and then for those who follow."""
_MOST_RUNS = 8


class Sample(NamedTuple):
    """What was seen at one moment."""

    lag: float
    """Seconds since the oldest message should have been sent that is not committed."""
    publisher: float
    rules: float
    """Seconds since the oldest change was committed that a follower has not dealt with."""


class Run(NamedTuple):
    """What one speed came to."""

    speed: float
    wall: float
    messages: int
    readings: int
    counts: Counts
    samples: list[Sample]
    late: float
    """Seconds that the sender itself was behind its times, at most: more than a moment, and it is the limit."""
    caught_up: float
    """Seconds from the last message to the last reading."""
    cores: dict[str, float]
    """What each process used of one core, until all was taken."""
    memory: dict[str, int]

    @property
    def lost(self) -> int:
        """Readings that were sent and not taken."""
        return self.readings - self.counts.read

    @property
    def last_third(self) -> float:
        """Median lag of the last third."""
        return statistics.median(s.lag for s in self.samples[-max(1, len(self.samples) // 3) :])

    @property
    def keeps_up(self) -> bool:
        """Whether the lag stayed, and the sender sent in time."""
        return self.last_third <= KEPT_UP_SECONDS and not self.lost and self.late <= KEPT_UP_SECONDS

    def lags(self) -> tuple[float, float, float]:
        """Median, 99 of 100, greatest."""
        found = sorted(s.lag for s in self.samples)
        return statistics.median(found), found[min(len(found) - 1, int(len(found) * 0.99))], found[-1]


@contextmanager
def open_city(engine: str) -> Iterator[City]:
    """A worker that listens to a broker of its own, and knows the city's signals."""
    tools = installed() if engine == "postgresql" else None
    with private_database(tools) if tools else nullcontext() as database:
        city = City(database.url, database.pid) if database else City()
        try:
            city.start_worker()
            city.set_up(time.time_ns() // 1000)
            yield city
        finally:
            city.close()


def play(city: City, start: int, length: int, speed: float, seed: int) -> Run:
    """Send so many seconds of traffic, and watch how the house follows."""
    before, used, memory = city.count(), city.seconds(), dict[str, int]()
    sending = city.send(traffic(start, length, seed), speed)
    samples: list[Sample] = []
    over = threading.Event()
    told: list[tuple[float, float]] = []

    def wait() -> None:
        told.append(sending.wait())
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    sender = 0.0
    while not over.wait(0.5):
        read = city.count().read - before.read
        # The first message that is not taken yet, and holds a reading, is so old.
        place = bisect_right(sending.sums, read)
        lag = max(0.0, time.monotonic() - sending.due[place]) if place < len(sending.due) else 0.0
        behind = city.behind()
        samples.append(Sample(lag, behind.get("mqtt", 0.0), behind.get("rules", 0.0)))
        sender = city.seconds().get("sender", sender)
        memory = {name: max(size, memory.get(name, 0)) for name, size in city.memory().items()}
    sent, total = time.monotonic(), sending.sums[-1]
    while (counts := city.count()).read - before.read < total and time.monotonic() < sent + _PATIENCE:
        time.sleep(0.05)
    taken = time.monotonic()
    spent = time.monotonic() - sending.due[0]
    cores = {
        name: (value - used.get(name, 0.0)) / spent for name, value in {**city.seconds(), "sender": sender}.items()
    }
    while (behind := city.behind()) and any(behind.values()) and time.monotonic() < taken + _FOLLOWING:
        time.sleep(0.1)
    time.sleep(1)  # what came twice would show now
    counts = Counts(*(now - then for now, then in zip(city.count(), before, strict=True)))
    wall, late = told[0]
    size = len(sending.messages)
    return Run(speed, wall, size, total, counts, samples, late, taken - sent, cores, memory)


def measure(engine: str, speed: float, minutes: float, step: float, profile: str = "") -> list[Run]:
    """The asked speed for so many minutes of the city, then half as fast again, until it is too much."""
    runs: list[Run] = []
    with open_city(engine) as city:
        length = int(minutes * 60)
        while len(runs) < _MOST_RUNS and (not runs or runs[-1].keeps_up):
            # Each run's messages are of hours that no other one's are of; within the hour, so that they are published.
            start = time.time_ns() // 1000 - 3000 * _SECOND + len(runs) * 8 * 3600 * _SECOND // 10
            with _profiled(city, profile if runs else "", length / speed, engine, speed):
                runs.append(play(city, start, length, speed, len(runs)))
            print(f"{engine}: {_words(runs[-1])}", flush=True)
            if not step:
                break
            speed *= 1.5
            length = int(speed * step)
    return runs


@contextmanager
def _profiled(city: City, profile: str, seconds: float, engine: str, speed: float) -> Iterator[None]:
    """Samples of all threads that run, as py-spy writes them, for as long as messages are sent."""
    if not profile or city.worker is None:
        yield
        return
    found = shutil.which("py-spy") or f"{sys.prefix}/bin/py-spy"
    told = ["--threads", "--nonblocking", "-r", "50", "-f", "raw", "-d", str(max(1, round(seconds)))]
    command = [found, "record", "-p", str(city.worker.pid), *told, "-o", f"{profile}.{engine}.{speed:g}"]
    sampling = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    sampling.wait(60)


def _words(run: Run) -> str:
    median, most, greatest = run.lags()
    used = ", ".join(f"{name} {value:.0%}" for name, value in run.cores.items())
    held = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in run.memory.items())
    counts = ", ".join(f"{name} {value:,}" for name, value in run.counts._asdict().items())
    behind = f"publisher {max(s.publisher for s in run.samples):.1f} s, rules {max(s.rules for s in run.samples):.1f} s"
    return (
        f"speed {run.speed:g}: {run.messages / run.wall:,.0f} messages/s ({run.readings:,} readings) in"
        f" {run.wall:.0f} s; {counts}, lost {run.lost:,}; lag {median:.2f} s in the median, {most:.2f} s of 99 %,"
        f" {greatest:.2f} s at most, {run.last_third:.2f} s in the last third; the rest {run.caught_up:.1f} s after the"
        f" last; behind at most: {behind}; sender late by {run.late:.2f} s;"
        f" of a core: {used}; {held}; {'kept up' if run.keeps_up else 'did NOT keep up'}"
    )


def table(runs: Sequence[Run]) -> str:
    """Markdown."""
    names = [
        "speed", "messages/s", "for, s", "readings", "taken", "lost", "lag: median, s", "of 99 %, s", "most, s",
        "last third, s", "publisher behind, s", "rules behind, s", f"of a core: {', '.join(runs[0].cores)}",
        "worker, MiB", "kept up",
    ]  # fmt: skip
    lines = [f"| {' | '.join(names)} |", f"|{'--:|' * len(names)}"]
    for run in runs:
        used = ", ".join(f"{value:.0%}" for value in run.cores.values())
        median, most, greatest = run.lags()
        publisher, rules = (max(s.publisher for s in run.samples), max(s.rules for s in run.samples))
        lines.append(
            f"| {run.speed:g} | {run.messages / run.wall:,.0f} | {run.wall:.0f} | {run.readings:,} |"
            f" {run.counts.read:,} | {run.lost:,} | {median:.2f} | {most:.2f} | {greatest:.2f} | {run.last_third:.2f} |"
            f" {publisher:.1f} | {rules:.1f} | {used} | {run.memory.get('worker', 0) / 2**20:.0f} |"
            f" {'yes' if run.keeps_up else 'no'} |"
        )
    return "\n".join(lines)


def over_time(run: Run, parts: int = 12) -> str:
    """The greatest lag of each part of a run, so that one that grows is seen."""
    size = max(1, -(-len(run.samples) // parts))
    found = [run.samples[place : place + size] for place in range(0, len(run.samples), size)]
    lags = ", ".join(f"{max(s.lag for s in part):.2f}" for part in found)
    return f"Greatest lag of each {run.wall / len(found):.0f} s at speed {run.speed:g}: {lags} s."


def main() -> int:
    """Prints a line for each speed; 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="benchmarks traffic", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--speed", type=float, default=10)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--step", type=float, default=20, help="seconds of each further speed; 0: no further ones")
    parser.add_argument("--profile", default="")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lost = 0
    for engine in engines(asked.engine):
        runs = measure(engine, asked.speed, asked.minutes, asked.step, asked.profile)
        text = f"{table(runs)}\n\n{over_time(runs[0])}"
        print(text)
        print(json.dumps({"name": f"traffic {engine}", "runs": [run._asdict() for run in runs]}))
        lost += sum(run.lost for run in runs)
        if asked.write:
            load = Load(connections=1, seconds=round(runs[0].wall), things=1, each=1)
            write_section(f"traffic {engine}", f"{machine(runs[0].readings, load)}\n\n{text}")
    return int(lost != 0)


if __name__ == "__main__":
    sys.exit(main())
