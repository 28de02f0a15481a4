"""The API under load, on both engines, beside the raw limits: the seven measures of SensorThings and their ratios.

``python -m benchmarks api [--engine all|postgresql|sqlite] [--seconds 8] [--observations 1000000] [--write]``; with
``--write`` the tables go into docs/performance.md.
"""

import argparse
import json
import shutil
from typing import Any

from benchmarks.served.house import House, engines, open_house
from benchmarks.served.limits import BATCH, Limits, limits
from benchmarks.served.load import Load, Measured
from benchmarks.served.report import machine, write_section

PEERS = {"post": 346.0, "batch": 135.0, "page": 39.7, "expand": 18.9, "one": 128.0, "filtered": 78.0}
"""istSOS4, requests a second (batch: observations a second), as issue 3 gives them."""
TIMES = {"post": 5.0, "page": 4.0, "expand": 10.0, "one": 10.0, "filtered": 10.0}
"""How often the peer's figure is to be reached on PostgreSQL."""
TITLES = {
    "empty": "empty view (`/health`)",
    "post": "single POST of an Observation",
    "batch": "CreateObservations in batches of 1,000, observations",
    "page": "pages of 1,000 Observations",
    "expand": "`Things?$expand=Datastreams` (100 × 5)",
    "one": "`Things(1)`",
    "filtered": "filtered and ordered pages of 100",
}


def measure(engine: str, load: Load, observations: int) -> dict[str, Any]:
    """All of one engine: what it did, and the raw limits of the same run."""
    before = ("-m", "benchmarks.served.fill", str(load.things), str(load.each), str(observations))
    with open_house(engine, before=before) as house:
        for name in TITLES:
            load.run(house, name, 2)  # warm: caches, prepared statements, the planner's generic plans
        done = {name: _per_second(name, load.run(house, name)) for name in TITLES if _is_there(house, name, load)}
        raw = limits(house, load.seconds, load.things)
    return {"engine": engine, "measured": done, "raw": raw}


def _is_there(house: House, name: str, load: Load) -> bool:
    """Whether the house answers such a request at all."""
    tried = load.run(house, name, 1)
    if tried.refused:
        print(f"{name}: refused, so not there")
    return not tried.refused


def _per_second(name: str, measured: Measured) -> Measured:
    print(
        f"  {name}: {measured.rate:,.0f}/s, {measured.p50:.1f} ms (99 %: {measured.p99:.1f} ms), processor a request:"
        f" web {measured.web:.3f} ms, database {measured.database:.3f} ms, load {measured.load:.3f} ms",
        flush=True,
    )
    return measured


def table(result: dict[str, Any]) -> str:
    """Markdown: each measure beside its raw limit and the peer."""
    raw: Limits = result["raw"]
    done: dict[str, Measured] = result["measured"]
    empty = done["empty"].rate
    beside = {
        "empty": ("", 0.0),
        "post": ("empty view", empty),
        "batch": ("COPY" if result["engine"] == "postgresql" else "executemany", raw.copy),
        "page": ("bare SQL and JSON, one connection", raw.page),
        "expand": ("empty view", empty),
        "one": ("empty view", empty),
        "filtered": ("empty view", empty),
    }
    lines = [
        "| measure | a second | median, ms | processor, ms (web + database) | raw limit | ratio | istSOS4 | times |",
        "|---|--:|--:|--:|---|--:|--:|--:|",
    ]
    for name, title in TITLES.items():
        if name not in done:
            lines.append(f"| {title} | not there | | | | | {PEERS[name]:,g} | |")
            continue
        one, (word, limit) = done[name], beside[name]
        rate = one.rate * (BATCH if name == "batch" else 1)
        ratio = f"{rate / limit:.2f}" if limit else ""
        peer = PEERS.get(name)
        lines.append(
            f"| {title} | {rate:,.0f} | {one.p50:.1f} | {one.web:.2f} + {one.database:.2f} |"
            f" {f'{word}: {limit:,.0f}' if limit else ''} | {ratio} | {f'{peer:,g}' if peer else ''} |"
            f" {f'{rate / peer:.1f}' if peer else ''} |"
        )
    kind = "pgbench, 16 connections" if result["engine"] == "postgresql" else "one connection"
    said = f"Raw limits of the same run: one-row INSERT with a commit each {raw.insert:,.0f}/s ({kind}); "
    said += f"rows in one go {raw.copy:,.0f}/s, in transactions of 1,000 {raw.batches:,.0f}/s; "
    said += f"pages of bare SQL and JSON {raw.page:,.0f}/s."
    return "\n".join([*lines, "", said])


def verdicts(result: dict[str, Any]) -> list[str]:
    """What issue 3 asks of PostgreSQL, and whether it was reached."""
    done, raw = result["measured"], result["raw"]
    wanted = {name: (done[name].rate, PEERS[name] * times) for name, times in TIMES.items() if name in done}
    said = [f"{name}: {rate:,.0f}/s, wanted {least:,.0f}/s" for name, (rate, least) in wanted.items()]
    said.append(f"post: {done['post'].rate / done['empty'].rate:.2f} of the empty view, wanted 0.30")
    if "batch" in done:
        said.append(f"batch: {done['batch'].rate * BATCH / raw.copy:.2f} of COPY, wanted 0.40")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks api", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--observations", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: the API's load is not measured")
        return
    load = Load(seconds=asked.seconds)
    for engine in engines(asked.engine):
        print(f"{engine}: {asked.observations:,} observations, {load.connections} connections", flush=True)
        result = measure(engine, load, asked.observations)
        text = table(result)
        print(text)
        print("\n".join(verdicts(result)))
        print(json.dumps({"name": f"api {engine}", **{k: v._asdict() for k, v in result["measured"].items()}}))
        if asked.write:
            write_section(f"api {engine}", f"{machine(asked.observations, load)}\n\n{text}")


if __name__ == "__main__":
    main()
