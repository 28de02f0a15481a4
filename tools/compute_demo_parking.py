"""Computes the table that the demo source plays: mean occupancy by weekday and quarter of an hour, and its spread.

From a change-only recording ``timestamp,place_id,free``, read as a step function: a value holds until the place's
next row, but neither in a silence of the whole feed nor longer than the place's daily rewrite (the limits are the
``silence`` settings of the profile's source). Every second of a quarter of an hour in which a value is known
counts alike. Weekday (Monday is 0) and quarter (0 to 95) are those of the city's clock.

Occupancy is ``1 - free / capacity``. The capacity is the first one of the profile's facts (that of the feed's own
list), or the greatest free count of the recording where that is greater; spread is the standard deviation. All sums
are of whole numbers, so that every run gives the same bytes::

    python tools/compute_demo_parking.py [--data FOLDER] [--out cities/jena/demo_parking.csv]
"""

import argparse
import csv
import gzip
import json
import math
import os
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from allmende.domain.times import SECOND, parse_duration

ROOT = Path(__file__).resolve().parent.parent
RECORDING = "jena_free_2023-11-07_2024-04-30.csv.gz"
SOURCE = "jena-parking"
QUARTER = 900
QUARTERS = 96
DECIMALS = 4

Rows = dict[str, list[tuple[int, int]]]
"""By thing: (epoch second, free), in order."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("ALLMENDE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    city = ROOT / "cities" / "jena"
    parser.add_argument("--data", type=Path, default=shared, help="folder that holds parking/ (default: %(default)s)")
    parser.add_argument("--city", type=Path, default=city, help="the profile's folder (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=city / "demo_parking.csv", help="default: %(default)s")
    options = parser.parse_args()

    # The TOML, not the loaded profile: that asks for the very table which is made here.
    profile = tomllib.loads((options.city / "city.toml").read_text(encoding="utf-8"))
    settings = profile["sources"][SOURCE]["settings"]
    rows = read(options.data / "parking" / RECORDING, settings["places"])
    capacities = {place: plausible_capacity(profile, place, values) for place, values in rows.items()}
    zone = ZoneInfo(profile["time_zone"])
    means = compute(rows, capacities, settings["silence"], zone)
    with options.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["place", "weekday", "quarter", "mean", "spread"])
        writer.writerows(means)
    print(f"{options.out}: {len(means)} rows; capacities: {json.dumps(capacities)}")


def read(path: Path, places: dict[str, str]) -> Rows:
    """The recording, by thing; names of the feed become the things of the profile."""
    rows: Rows = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            moment = int(datetime.fromisoformat(row["timestamp"]).timestamp())
            rows.setdefault(places[row["place_id"]], []).append((moment, int(row["free"])))
    return {place: sorted(rows[place]) for place in sorted(rows)}


def plausible_capacity(profile: dict[str, Any], place: str, values: list[tuple[int, int]]) -> int:
    """The profile's first capacity, or the greatest free count where the recording shows more."""
    thing = next(thing for thing in profile["things"] if thing["id"] == place)
    return max(int(thing["facts"]["capacity"][0]["value"]), max(free for _, free in values))


def compute(
    rows: Rows, capacities: dict[str, int], silence: dict[str, str], zone: ZoneInfo
) -> list[tuple[str, int, int, str, str]]:
    """Rows of the table. Raises SystemExit where a quarter of an hour was never seen."""
    heard = sorted({moment for values in rows.values() for moment, _ in values})
    silent = silences(heard, silence, zone)
    rewrite = parse_duration(silence["rewrite"]) // SECOND
    slot_of = slots(zone)
    table: list[tuple[str, int, int, str, str]] = []
    for place, values in rows.items():
        # Per slot of the week: seconds, sum of free, sum of its square, each weighted with its seconds.
        sums = [[0, 0, 0] for _ in range(7 * QUARTERS)]
        for (start, free), following in zip(values, [*values[1:], (heard[-1], 0)], strict=True):
            for begin, end in known_spans(start, min(following[0], start + rewrite), silent):
                add(sums, begin, end, free, slot_of)
        for slot, (seconds, total, squares) in enumerate(sums):
            if not seconds:
                raise SystemExit(f"{place}: nothing known for weekday {slot // QUARTERS}, quarter {slot % QUARTERS}")
            mean = 1 - total / (seconds * capacities[place])
            spread = math.sqrt(max(0, squares * seconds - total * total)) / (seconds * capacities[place])
            table.append((place, slot // QUARTERS, slot % QUARTERS, figure(mean), figure(spread)))
    return table


def silences(heard: list[int], silence: dict[str, str], zone: ZoneInfo) -> list[tuple[int, int]]:
    """When the whole feed was silent, from the limit on until it spoke again."""
    found = []
    for moment, following in pairwise(heard):
        quiet = silent_from(moment, silence, zone)
        if quiet < following:
            found.append((quiet, following))
    return found


def known_spans(start: int, end: int, silent: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of start to end in which the feed was not silent."""
    # After a silence the old value counts again: a feed of changes alone says nothing of what stayed the same.
    for quiet, again in silent[bisect_right(silent, start, key=lambda span: span[1]) :]:
        if quiet >= end:
            break
        if start < quiet:
            yield start, quiet
        start = again
    if start < end:
        yield start, end


def silent_from(heard: int, silence: dict[str, str], zone: ZoneInfo) -> int:
    """The first second at which a feed last heard then counts as silent; by day sooner than by night."""
    day, night = (parse_duration(silence[name]) // SECOND for name in ("day", "night"))
    by_day = heard + day
    local = datetime.fromtimestamp(by_day, UTC).astimezone(zone)
    clock = local.strftime("%H:%M")
    if silence["day_from"] <= clock < silence["day_to"]:
        return by_day
    hour, minute = map(int, silence["day_from"].split(":"))
    date = local.date() if clock < silence["day_from"] else local.date() + timedelta(days=1)
    morning = int(datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone).timestamp())
    return max(by_day, min(heard + night, morning))


def slots(zone: ZoneInfo) -> Callable[[int], int]:
    """Slot of the local week of a quarter of an hour that is counted from the epoch."""
    known: dict[int, int] = {}

    def slot_of(quarter: int) -> int:
        if quarter not in known:
            local = datetime.fromtimestamp(quarter * QUARTER, UTC).astimezone(zone)
            known[quarter] = local.weekday() * QUARTERS + local.hour * 4 + local.minute // 15
        return known[quarter]

    return slot_of


def add(sums: list[list[int]], begin: int, end: int, free: int, slot_of: Callable[[int], int]) -> None:
    """Counts a value from begin to end, cut at the quarters of an hour."""
    while begin < end:
        quarter = begin // QUARTER
        until = min(end, (quarter + 1) * QUARTER)
        seconds = until - begin
        entry = sums[slot_of(quarter)]
        entry[0] += seconds
        entry[1] += seconds * free
        entry[2] += seconds * free * free
        begin = until


def figure(value: float) -> str:
    """Four decimals at most, without trailing zeros."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
