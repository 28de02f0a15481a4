"""The set-up of an installation: its name, outline, and which signals stand where. It holds no readings."""

from collections.abc import Iterator
from typing import Any

import msgspec
from shapely.errors import ShapelyError
from shapely.geometry import shape

from allmende.connectors.ilsa.streams import declare_signal, declare_temperature, installation, signal_part
from allmende.connectors.messages import Gathered, Refused, name_part, number, refuse, table
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Position

SWAPPED = "latitude and longitude were swapped in the set-up, and were put right"
_MOST_SIGNALS = 500
_MOST_DEPTH = 12


def read_setup(
    gathered: Gathered, payload: Payload, source: Source, message: dict[str, Any], intersection: str
) -> None:
    """Declares the streams of every signal; what is known of the signals becomes properties of the installation."""
    told = message.get("intersectionId")
    identity = name_part(told if told else intersection, "intersectionId")
    if intersection and identity != intersection:
        raise Refused("no-identity", f"the topic says {intersection}, the message {identity}")
    signals: dict[str, dict[str, Any]] = {}
    places: list[Position] = []
    notes: set[str] = set()
    for raw in _signals(message):
        try:
            signal = table(raw, "a signal")
            part = signal_part(source, signal.get("id"))
            if part in signals:
                notes.add(f"the signal {part} is there twice; the first counts")
            else:
                signals[part] = _signal(signal, source, places, notes)
        except Refused as refused:
            alone = {"intersectionId": identity, "modules": [{"signals": [raw]}]}
            gathered.rejections.append(
                refuse(payload, refused, body=msgspec.json.encode(alone), where=f"signal {len(signals) + 1}")
            )
    if not signals and not gathered.rejections:
        raise Refused("no-signals", "the set-up names no signal")
    area = _area(message.get("geoJson"))
    known: dict[str, Any] = {"signals": signals} if signals else {}
    if isinstance(name := message.get("intersectionName"), str) and name.strip():
        known["intersection_name"] = name.strip()
    if area is not None:
        known["area"] = area
    if notes:
        known["notes"] = sorted(notes)
    thing = installation(source, identity, **known, position=_middle(area, places))
    for part in signals:
        for resource in ("color", "aspect"):
            if resource in (source.settings.get("give") or ()):
                gathered.declare(declare_signal(source, thing, part, resource))
    if signals:
        gathered.declare(declare_temperature(source, thing))


def _signals(value: Any, depth: int = 0) -> Iterator[Any]:
    """Every signal, wherever it stands: under modules, or under subcircles with ports and modules."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _signals(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "signals" and isinstance(item, list):
                yield from item[:_MOST_SIGNALS]
            elif key in ("modules", "subcircles", "subCircles", "serialPorts"):
                yield from _signals(item, depth + 1)


def _signal(raw: dict[str, Any], source: Source, places: list[Position], notes: set[str]) -> dict[str, Any]:
    group = raw.get("signalGroup")
    facts = {
        "id": raw.get("id"),
        "type": raw.get("signalType"),
        "channel": raw.get("channel"),
        "group": group.get("id") if isinstance(group, dict) else None,
    }
    found: dict[str, Any] = {key: value for key, value in facts.items() if isinstance(value, str) and value}
    located = raw.get("location")
    if isinstance(located, list) and located:
        position, swapped = _position(table(located[0], "a location", "bad-position"), source)
        found["position"] = [position.lon, position.lat]
        places.append(position)
        if swapped:
            notes.add(SWAPPED)
    area = _area(raw.get("observedArea"))
    if area is not None:
        found["observed_area"] = area
    return found


def _position(raw: dict[str, Any], source: Source) -> tuple[Position, bool]:
    """A position, and whether it was swapped: it lies in ``settings.bounds`` the other way round alone."""
    lat, lon = number(raw.get("latitude")), number(raw.get("longitude"))
    bounds = source.settings.get("bounds")
    if not isinstance(bounds, list) or len(bounds) != 4 or not all(isinstance(edge, int | float) for edge in bounds):
        raise Refused("bad-settings", "bounds are west, south, east and north in degrees")
    for east, north, swapped in ((lon, lat, False), (lat, lon, True)):
        if bounds[0] <= east <= bounds[2] and bounds[1] <= north <= bounds[3]:
            return Position(east, north), swapped
    raise Refused("bad-position", f"lon {lon:g}, lat {lat:g} lie outside of {bounds}, either way round")


def _area(value: Any) -> dict[str, Any] | None:
    """The first polygon of a FeatureCollection as plain GeoJSON, None where there is none that can be drawn."""
    features = value.get("features") if isinstance(value, dict) else None
    for feature in features if isinstance(features, list) else ():
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if isinstance(geometry, dict) and geometry.get("type") == "Polygon":
            plain = {"type": "Polygon", "coordinates": geometry.get("coordinates")}
            return plain if _centre(plain) is not None else None
    return None


def _centre(area: dict[str, Any]) -> Position | None:
    try:
        middle = shape(area).centroid
    except (ShapelyError, TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError):
        return None  # shapely answers crooked coordinates in many ways
    if middle.is_empty or not (-180 <= middle.x <= 180 and -90 <= middle.y <= 90):
        return None
    return Position(round(middle.x, 7), round(middle.y, 7))


def _middle(area: dict[str, Any] | None, places: list[Position]) -> Position | None:
    """Where the installation is: the middle of its outline, or else of its signals."""
    if area is not None:
        return _centre(area)
    if not places:
        return None
    return Position(
        round(sum(place.lon for place in places) / len(places), 7),
        round(sum(place.lat for place in places) / len(places), 7),
    )
