"""The judgement from the command line: on a recording, from a day on; as a table, for the page, or for the docs."""

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
from allmende.domain.errors import AllmendeError, InvalidInput
from allmende.domain.times import from_datetime, parse_duration

_RELEARN = "P7D"
"""The house learns daily. A week between two lessons tells no better than that, and ends within minutes."""


def main() -> int:
    """Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m allmende.city.parking.arrival", description=__doc__)
    parser.add_argument("recording", type=Path, help="CSV (or .csv.gz) with timestamp, place_id, free; changes alone")
    parser.add_argument("--split", type=date.fromisoformat, required=True, help="first day that is judged")
    parser.add_argument("--until", type=date.fromisoformat, help="last day that is judged; else all that follow")
    parser.add_argument(
        "--relearn",
        default=_RELEARN,
        help="learn anew after so long, or never (default: %(default)s; the house: daily)",
    )
    parser.add_argument("--city", type=Path, default=Path("cities/jena"), help="folder of the profile")
    parser.add_argument("--forecast", default="parking", help="which forecast of the profile")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, default=0, help="examples to learn from at most; else as the house does")
    parser.add_argument("--json", action="store_true", help="all figures as JSON")
    parser.add_argument("--toml", type=Path, metavar="FILE", help="keep it there, as the profile does for the page")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the tables there, between the comments for it")
    given = parser.parse_args()
    try:
        city = read_city(given.city, given.forecast)
        panel = as_panel(read_rows(given.recording), city)
        zone = ZoneInfo(city.zone)
        split = from_datetime(datetime.combine(given.split, clock(), zone))
        until = given.until and from_datetime(datetime.combine(given.until + timedelta(days=1), clock(), zone))
        relearn = 0 if given.relearn == "never" else parse_duration(given.relearn)
        report = judge(panel, city, split, until=until, relearn=relearn, threads=given.threads, rows=given.rows)
        told = msgspec.json.encode(report).decode() if given.json else as_markdown(report, zone, given.recording.name)
        if given.toml:
            today = datetime.now(zone).date().isoformat()
            kept = Kept(recording=given.recording.name, made=today, report=report)
            given.toml.write_text(as_table(kept), "utf-8")
        if given.docs:
            _put(given.docs, f"judged {given.split} {given.relearn}", as_markdown(report, zone, given.recording.name))
    except (AllmendeError, OSError) as error:
        print(told_of(error), file=sys.stderr)
        return 2
    print(told)
    return 0


def told_of(error: Exception) -> str:
    """With its place, where it has one."""
    where = getattr(error, "where", "")
    return f"{where}: {error}" if where else str(error)


def _put(path: Path, name: str, text: str) -> None:
    """Between ``<!-- NAME -->`` and ``<!-- end -->``. Raises InvalidInput where there are no such lines."""
    before, begin, rest = path.read_text("utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not begin or not end:
        raise InvalidInput('has no lines "<!-- %(name)s -->" and "<!-- end -->"', name=name, where=str(path))
    path.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", "utf-8")
