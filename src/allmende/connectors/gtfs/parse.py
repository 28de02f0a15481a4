"""GTFS Schedule: stops and routes as two collections. Times of single trips are not kept: they are a timetable's."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from allmende.connectors.columns import number_of
from allmende.connectors.gtfs.tables import Feed, Row
from allmende.connectors.objects import Gathered, collection_of, nothing
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Collection, Feature, Parsed, Record, Rejection

TITLES = {
    "stops": {"de": "Haltestellen", "en": "Stops"},
    "routes": {"de": "Linien", "en": "Routes"},
}
_STOP = {
    "stop_name": "name", "stop_code": "code", "stop_desc": "description", "parent_station": "station",
    "platform_code": "platform", "zone_id": "zone", "stop_url": "url", "stop_timezone": "time_zone",
}  # fmt: skip
_ROUTE = {
    "route_short_name": "short_name", "route_long_name": "long_name", "route_desc": "description",
    "route_url": "url", "route_color": "color", "route_text_color": "text_color", "agency_id": "agency_id",
}  # fmt: skip
_KINDS = {
    "": "stop", "0": "stop", "1": "station", "2": "entrance", "3": "node", "4": "boarding-area",
}  # fmt: skip
_ACCESS = {"1": True, "2": False}
"""0 and nothing say that nobody knows."""


def parse(payload: Payload, source: Source) -> Parsed:
    """The collections are called like the source, with ``-stops`` and ``-routes``. Setting: ``served``."""
    try:
        feed = Feed(payload.body)
        if not any(feed.has(table) for table in TITLES):
            raise InvalidInput("the feed has neither stops.txt nor routes.txt")
    except InvalidInput as error:
        return nothing(payload, str(error))
    records: list[Record] = []
    rejections: list[Rejection] = []
    for table, read in (("stops", _stops), ("routes", _routes)):
        if not feed.has(table):
            continue
        gathered = Gathered(_collection(source, table))
        try:
            read(feed, source, gathered)
        except InvalidInput as error:
            # What was read so far stands; that it is not all, the rejection without an id says.
            gathered.reject(str(error), payload.body, code="unreadable", where=f"{table}.txt")
        parsed = gathered.parsed()
        records += parsed.records
        rejections += parsed.rejections
    return Parsed(records, rejections)


def _collection(source: Source, table: str) -> Collection:
    name = str(source.settings.get("collection") or source.id)
    known = collection_of(source, title=TITLES[table])
    return msgspec.structs.replace(known, id=f"{name}-{table}")


def _each(rows: Iterable[Row], key: str, gathered: Gathered, table: str) -> Iterable[tuple[str, Row, dict[str, str]]]:
    for row in rows:
        name = row.cells.get(key, "") if row.cells else ""
        if row.cells is None or not name:
            reason = f"the row has no {key}" if row.cells else "the row has not as many columns as the header"
            gathered.reject(reason, row.body, code="bad-row", where=f"{table}.txt, line {row.number}")
        else:
            yield name, row, row.cells


def _stops(feed: Feed, source: Source, gathered: Gathered) -> None:
    served = _served(feed) if source.settings.get("served", True) is True else {}
    for name, row, cells in _each(feed.rows("stops"), "stop_id", gathered, "stops"):
        try:
            geometry = _point(cells)
        except InvalidInput as error:
            gathered.reject(str(error), row.body, code="bad-row", where=f"stops.txt, line {row.number}", name=name)
            continue
        said: dict[str, Any] = {prop: cells[column] for column, prop in _STOP.items() if cells.get(column)}
        said["kind"] = _KINDS.get(cells.get("location_type", ""), "other")
        if cells.get("wheelchair_boarding") in _ACCESS:
            said["wheelchair"] = _ACCESS[cells["wheelchair_boarding"]]
        if name in served:
            said["routes"] = sorted(served[name])
        gathered.add(Feature(id=name, geometry=geometry, properties=said), partial(bytes, row.body))


def _point(cells: dict[str, str]) -> dict[str, Any] | None:
    lat, lon = cells.get("stop_lat", ""), cells.get("stop_lon", "")
    if not lat and not lon:
        return None
    place = number_of(lon), number_of(lat)
    if place[0] is None or place[1] is None:
        raise InvalidInput(f"stop_lon {lon[:40]!r} and stop_lat {lat[:40]!r} are no position")
    return {"type": "Point", "coordinates": [float(place[0]), float(place[1])]}


def _routes(feed: Feed, source: Source, gathered: Gathered) -> None:
    del source
    shapes, headsigns = _shapes(feed)
    agencies = {
        (row.cells or {}).get("agency_id", ""): (row.cells or {}).get("agency_name", "") for row in feed.rows("agency")
    }
    for name, row, cells in _each(feed.rows("routes"), "route_id", gathered, "routes"):
        said: dict[str, Any] = {prop: cells[column] for column, prop in _ROUTE.items() if cells.get(column)}
        kind = number_of(cells.get("route_type", ""))
        if not isinstance(kind, int):
            reason = f"route_type {cells.get('route_type', '')[:40]!r} is no number"
            gathered.reject(reason, row.body, code="bad-row", where=f"routes.txt, line {row.number}", name=name)
            continue
        said["type"] = kind
        if agencies.get(cells.get("agency_id", "")):
            said["agency"] = agencies[cells.get("agency_id", "")]
        if headsigns.get(name):
            said["headsigns"] = sorted(headsigns[name])
        lines = shapes.get(name, [])
        geometry = {"type": "MultiLineString", "coordinates": lines} if lines else None
        gathered.add(Feature(id=name, geometry=geometry, properties=said), partial(bytes, row.body))


def _served(feed: Feed) -> dict[str, set[str]]:
    """The short names of the routes that stop somewhere, by stop."""
    if not (feed.has("stop_times", small=True) and feed.has("trips", small=True)):
        return {}
    names = {}
    for row in feed.rows("routes"):
        cells = row.cells or {}
        names[cells.get("route_id", "")] = cells.get("route_short_name") or cells.get("route_long_name", "")
    trips = {cells["trip_id"]: names.get(cells.get("route_id", ""), "") for cells in _cells(feed, "trips", "trip_id")}
    found: dict[str, set[str]] = defaultdict(set)
    for cells in _cells(feed, "stop_times", "stop_id"):
        if name := trips.get(cells.get("trip_id", "")):
            found[cells["stop_id"]].add(name)
    return found


def _cells(feed: Feed, table: str, key: str) -> Iterable[dict[str, str]]:
    return (row.cells for row in feed.rows(table) if row.cells and row.cells.get(key))


def _shapes(feed: Feed) -> tuple[dict[str, list[list[list[float]]]], dict[str, set[str]]]:
    """The way of each route, for each direction that of most of its trips; and where its trips go to."""
    if not feed.has("trips", small=True):
        return {}, {}
    used: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    headsigns: dict[str, set[str]] = defaultdict(set)
    for cells in _cells(feed, "trips", "route_id"):
        if shape := cells.get("shape_id"):
            used[cells["route_id"], cells.get("direction_id", "")][shape] += 1
        if headsign := cells.get("trip_headsign"):
            headsigns[cells["route_id"]].add(headsign)
    chosen = {key: min(shapes, key=lambda s: (-shapes[s], s)) for key, shapes in used.items()}
    points: dict[str, list[tuple[float, list[float]]]] = {shape: [] for shape in chosen.values()}
    for cells in _cells(feed, "shapes", "shape_id") if feed.has("shapes", small=True) else ():
        known = points.get(cells["shape_id"])
        numbers = [number_of(cells.get(f"shape_pt_{name}", "")) for name in ("sequence", "lon", "lat")]
        if known is not None and None not in numbers:
            order, lon, lat = (float(number or 0) for number in numbers)
            known.append((order, [lon, lat]))
    ways: dict[str, list[list[list[float]]]] = defaultdict(list)
    for (route, _), shape in sorted(chosen.items()):
        line = [place for _, place in sorted(points[shape])]
        if len(line) > 1 and line not in ways[route]:
            ways[route].append(line)
    return ways, headsigns
