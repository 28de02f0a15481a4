"""Spans of car parks that forecasts leave out: nobody could park, or the count was not to be believed."""

from collections.abc import Sequence

from allmende.city.house import House
from allmende.city.leaving import Spans
from allmende.city.parking.operating.pasts import pasts
from allmende.city.parking.past import Past
from allmende.city.parking.sites import read_sites


def left_out(house: House, streams: Sequence[str], start: int, end: int) -> Spans:
    """Closures, doubts of plausibility, numbers that were written by hand."""
    wanted, past = set(streams), pasts()
    found = {}
    for site in read_sites(house.store, house.profile, house.reader):
        for stream in site.streams:
            if stream.id in wanted and (spans := spans_of(past(site, stream.id), start, end)):
                found[stream.id] = spans
    return found


def spans_of(past: Past, start: int, end: int) -> list[tuple[int, int]]:
    """Those within a span, in order."""
    said = [(each.start, end if each.end is None else each.end) for each in (*past.closures, *past.doubts)]
    return sorted((max(begin, start), min(until, end)) for begin, until in said if begin < end and until > start)
