"""Where a device is. Only the city's register says it: the gateway that heard it stands elsewhere."""

import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from allmende.domain.connector import Source
from allmende.domain.records import Position

_KEYS = ("eui", "deveui", "dev_eui")


def find_position(source: Source, eui: str) -> tuple[Position | None, dict[str, Any]]:
    """The position by device EUI and what is said of it (source, date); (None, {}) where the register lacks it.

    Looked up in ``settings.positions`` (``[lon, lat]`` or ``{lon, lat, source, date}``), then in the file that
    ``settings.positions_table`` names (GeoJSON points or a CSV with the columns eui, lon, lat), then in the profile.
    """
    register = source.settings.get("positions")
    if isinstance(register, Mapping):
        entry = register.get(eui, register.get(eui.upper()))
        if isinstance(entry, Mapping):
            said = {key: entry[key] for key in ("source", "date") if key in entry}
            return _position(entry.get("lon"), entry.get("lat")), said
        if isinstance(entry, list | tuple) and len(entry) == 2:
            return _position(*entry), {}
    name = source.settings.get("positions_table")
    if isinstance(name, str) and name in source.tables:
        found = _table(source.tables[name]).get(eui)
        if found is not None:
            return found, {"source": name}
    thing = source.things.get(eui)
    return (None, {}) if thing is None else (_position(thing.lon, thing.lat), {})


@lru_cache(maxsize=8)
def _table(body: bytes) -> dict[str, Position]:
    """A register; what cannot be read in it is left out, since a device without a position is not drawn at all."""
    found: dict[str, Position] = {}
    for row in _rows(body):
        lowered = {str(key).strip().lower(): value for key, value in row.items()}
        eui = next((lowered[key] for key in _KEYS if lowered.get(key)), None)
        position = _position(lowered.get("lon"), lowered.get("lat"))
        if isinstance(eui, str) and position is not None:
            found[eui.strip().lower()] = position
    return found


def _rows(body: bytes) -> list[dict[str, Any]]:
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        text = body.decode("utf-8-sig", errors="replace")
        return list(csv.DictReader(io.StringIO(text)))
    try:
        features = msgspec.json.decode(body)["features"]
        return [
            {
                **feature["properties"],
                "lon": feature["geometry"]["coordinates"][0],
                "lat": feature["geometry"]["coordinates"][1],
            }
            for feature in features
            if feature["geometry"] and feature["geometry"]["type"] == "Point"
        ]
    except (msgspec.DecodeError, KeyError, TypeError, IndexError, RecursionError):
        return []


def _position(lon: Any, lat: Any) -> Position | None:
    try:
        east, north = float(lon), float(lat)
    except (TypeError, ValueError):
        return None
    return Position(east, north) if -180 <= east <= 180 and -90 <= north <= 90 else None
