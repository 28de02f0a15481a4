"""Where a device is. Only the city's register says it: the gateway that heard it stands elsewhere."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from allmende.domain.connector import Source
from allmende.domain.records import Position

_KEYS = ("eui", "deveui", "dev_eui", "device_id", "id")


def find_position(source: Source, names: Sequence[str]) -> tuple[Position | None, dict[str, Any]]:
    """The position by EUI or id of a device and what is said of it (source, date); (None, {}) where none has it.

    Looked up in ``settings.positions`` (``[lon, lat]`` or ``{lon, lat, source, date}``), then in the file that
    ``settings.positions_table`` names (GeoJSON points or a CSV with the columns eui or device_id, lon, lat), then in
    the profile.
    """
    register = source.settings.get("positions")
    file = source.settings.get("positions_table")
    listed = _table(source.tables[file]) if isinstance(file, str) and file in source.tables else {}
    for name in names:
        entry = register.get(name, register.get(name.upper())) if isinstance(register, Mapping) else None
        if isinstance(entry, Mapping):
            said = {key: entry[key] for key in ("source", "date") if key in entry}
            return _position(entry.get("lon"), entry.get("lat")), said
        if isinstance(entry, list | tuple) and len(entry) == 2:
            return _position(*entry), {}
        if name.lower() in listed:
            return listed[name.lower()], {"source": file}
        thing = source.things.get(name)
        if thing is not None:
            return _position(thing.lon, thing.lat), {}
    return None, {}


@lru_cache(maxsize=8)
def _table(body: bytes) -> dict[str, Position]:
    """A register; what cannot be read in it is left out, since a device without a position is not drawn at all."""
    found: dict[str, Position] = {}
    for row in _rows(body):
        lowered = {str(key).strip().lower(): value for key, value in row.items()}
        position = _position(lowered.get("lon"), lowered.get("lat"))
        for key in _KEYS:
            name = lowered.get(key)
            if isinstance(name, str) and name.strip() and position is not None:
                found.setdefault(name.strip().lower(), position)
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
