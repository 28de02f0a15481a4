"""``python -m allmende.city.parking.arrival RECORDING.csv --split 2024-04-01``: the table of issue 7."""

import argparse
import sys
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from allmende.city.parking.arrival.backtest import judge
from allmende.city.parking.arrival.kept import Kept, as_table
from allmende.city.parking.arrival.recording import as_panel, read_city, read_rows
from allmende.city.parking.arrival.tell import as_markdown
from allmende.domain.errors import AllmendeError
from allmende.domain.times import from_datetime, parse_duration


def main() -> int:
    """Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m allmende.city.parking.arrival", description=__doc__)
    parser.add_argument("recording", type=Path, help="CSV (or .csv.gz) with timestamp, place_id, free; changes alone")
    parser.add_argument("--split", type=date.fromisoformat, required=True, help="first day that is judged")
    parser.add_argument("--until", type=date.fromisoformat, help="last day that is judged; else all that follow")
    parser.add_argument("--relearn", default="", help="learn anew after so long, e.g. P7D; else never")
    parser.add_argument("--city", type=Path, default=Path("cities/jena"), help="folder of the profile")
    parser.add_argument("--forecast", default="parking", help="which forecast of the profile")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, default=0, help="examples to learn from at most; else as the house does")
    parser.add_argument("--toml", action="store_true", help="as the profile keeps it for the page")
    parser.add_argument("--json", action="store_true", help="all figures as JSON")
    given = parser.parse_args()
    try:
        city = read_city(given.city, given.forecast)
        panel = as_panel(read_rows(given.recording), city)
        zone = ZoneInfo(city.zone)
        split = from_datetime(datetime.combine(given.split, clock(), zone))
        until = given.until and from_datetime(datetime.combine(given.until + timedelta(days=1), clock(), zone))
        relearn = parse_duration(given.relearn) if given.relearn else 0
        report = judge(panel, city, split, until=until, relearn=relearn, threads=given.threads, rows=given.rows)
    except (AllmendeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if given.toml:
        kept = Kept(recording=given.recording.name, made=datetime.now(zone).date().isoformat(), report=report)
        print(as_table(kept), end="")
    elif given.json:
        print(msgspec.json.encode(report).decode())
    else:
        print(as_markdown(report, zone, given.recording.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
