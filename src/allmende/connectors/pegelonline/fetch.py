"""The stations with their current values, then each series since the newest reading."""

from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from allmende.connectors.fetching import Patience, open_client, read
from allmende.connectors.gathering import Refused, listed, read_json, table
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.times import format_instant, parse_duration

_BEHIND = parse_duration("PT6H")
_LONGEST = parse_duration("P30D")


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """A payload for the stations, and one for each of their series that is known."""
    parts = urlsplit(source.address)
    base = urlunsplit((parts.scheme, parts.netloc, parts.path.rpartition("/")[0], "", ""))
    said = source.settings.get("catch_up")
    earliest = now - min(parse_duration(said) if isinstance(said, str) else _LONGEST, _LONGEST)
    # a gauge may be behind the one that spoke last, and one with a wrong clock must not put it off
    known = earliest if since is None else min(since, now) - _BEHIND
    start = quote(format_instant(max(known, earliest)))
    quantities = Quantities(source)
    with open_client(source) as client:
        body = read(client, source.address)
        yield Payload(body=body, name=source.address, received_at=now)
        try:
            stations = read_json(body)
        except Refused:
            return  # parse has said so
        patience = Patience()
        for station in listed(stations):
            for series in listed(table(station).get("timeseries")):
                name, uuid = table(series).get("shortname"), table(station).get("uuid")
                if not (isinstance(uuid, str) and isinstance(name, str) and quantities.knows(name)):
                    continue
                address = (
                    f"{base}/stations/{quote(uuid, safe='')}/{quote(name, safe='')}/measurements.json?start={start}"
                )
                kept = {key: value for key, value in station.items() if key != "timeseries"}
                with patience:
                    values = read(client, address)
                    told = msgspec.json.encode({"station": kept, "series": series, "measurements": msgspec.Raw(values)})
                    yield Payload(body=told, name=address, received_at=now)
        patience.end()
