"""Spans of car parks that forecasts leave out: nobody could park, or a number was written by hand.

What plausibility doubts lies in the commons, and a forecast reads it there (``doubts`` of its profile).
"""

from collections.abc import Sequence

from allmende.city.house import House
from allmende.city.leaving import Spans
from allmende.city.parking.operating.pasts import BY_HAND, pasts
from allmende.city.parking.past import Past
from allmende.city.parking.sites import read_sites


def left_out(house: House, streams: Sequence[str], start: int, end: int) -> Spans:
    """Closures, and numbers that operators wrote in place of a count."""
    wanted, past = set(streams), pasts()
    found = {}
    for site in read_sites(house.store, house.profile, house.reader):
        for stream in site.streams:
            if stream.id in wanted and (spans := spans_of(past(site, stream.id), start, end)):
                found[stream.id] = spans
    return found


def spans_of(past: Past, start: int, end: int) -> list[tuple[int, int]]:
    """Those within a span, in order."""
    by_hand = [each for each in past.doubts if each.flag == BY_HAND]
    said = [(each.start, end if each.end is None else each.end) for each in (*past.closures, *by_hand)]
    return sorted((max(begin, start), min(until, end)) for begin, until in said if begin < end and until > start)
