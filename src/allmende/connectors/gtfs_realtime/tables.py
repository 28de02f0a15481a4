"""Names from the static timetable: the files that lie beside the profile."""

import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from allmende.connectors.gathering import position
from allmende.domain.connector import Source
from allmende.domain.records import Position


class Names:
    """What the timetable says of lines, stops and trips; nothing where there is none."""

    def __init__(self, source: Source) -> None:
        self._lines = _rows(source.tables.get("routes.txt", b""), "route_id")
        self._stops = _rows(source.tables.get("stops.txt", b""), "stop_id")
        self._trips = _rows(source.tables.get("trips.txt", b""), "trip_id")

    def line(self, id_: str) -> str:
        """How people call a line."""
        row = self._lines.get(id_, {})
        return row.get("route_short_name") or row.get("route_long_name") or id_

    def stop(self, id_: str) -> tuple[str, Position | None]:
        """A stop's name and place."""
        row = self._stops.get(id_, {})
        return row.get("stop_name") or id_, position(row.get("stop_lon"), row.get("stop_lat"))

    def line_of(self, trip: str) -> str:
        """The line of a trip, "" where the timetable does not know it."""
        return self._trips.get(trip, {}).get("route_id", "")


@lru_cache(maxsize=8)
def _rows(body: bytes, key: str) -> Mapping[str, Mapping[str, str]]:
    text = body.decode("utf-8-sig", errors="replace")
    rows = csv.DictReader(io.StringIO(text))
    kept = ("route_id", "route_short_name", "route_long_name", "stop_name", "stop_lon", "stop_lat")
    return MappingProxyType(
        {row[key]: {name: row[name] for name in kept if row.get(name)} for row in rows if row.get(key)}
    )
