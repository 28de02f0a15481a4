"""Load by wrk: so many connections ask one kind of question for a while; what came of it, and what it cost."""

import json
import resource
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.served.house import House

SCRIPT = Path(__file__).parent / "requests" / "requests.lua"


class Measured(NamedTuple):
    """One run: rates are of whole requests, processor times in milliseconds a request."""

    rate: float
    p50: float
    p99: float
    web: float
    database: float
    load: float
    refused: int
    size: int
    """Bytes a response."""


class Load(NamedTuple):
    """How hard to ask."""

    connections: int = 16
    seconds: int = 8
    things: int = 100
    each: int = 5

    def run(self, house: House, name: str, seconds: int | None = None) -> Measured:
        """Ask for one kind of requests.lua."""
        start = int(time.time()) - 30 * 86_400
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds or self.seconds}s", "--timeout", "30s"]
        command += ["-s", str(SCRIPT), house.url, "--", name, house.token, *map(str, (self.things, self.each, start))]
        before, own = house.seconds(), _children()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        used, load = house.seconds().since(before), _children() - own
        line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
        said = json.loads(line.removeprefix("RESULT "))
        number = max(said["requests"], 1)
        if said["broken"]:
            print(f"{name}: {said['broken']} connections broke")
        return Measured(
            rate=number / (said["microseconds"] / 1e6),
            p50=said["p50"] / 1000,
            p99=said["p99"] / 1000,
            web=used.web * 1000 / number,
            database=used.database * 1000 / number,
            load=load * 1000 / number,
            refused=said["refused"],
            size=said["bytes"] // number,
        )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
