"""What a city wants to know of objects in view beyond their class: how many go one way, faster than so much.

    [settings.watches.southbound-bicycles]
    camera = "Felsenkeller"     # left out: every camera
    classes = [1]
    heading = [90, 230]         # degrees from north, clockwise; from and to, also across north: [300, 40]
    faster = 7                  # km/h

A rule over a signal and such a count finds conflicts, without anybody's id or track.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from allmende.connectors.messages import Refused, number
from allmende.domain.connector import Source

_WIDEST = 720


class Watch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One such question."""

    classes: list[int]
    heading: tuple[float, float] | None = None
    faster: float | None = None
    camera: str = ""

    def sees_any(self, codes: Iterable[int]) -> bool:
        """Whether a set of these classes can answer at all; the bicycles' set says nothing of cars."""
        return any(code in self.classes for code in codes)

    def sees(self, code: int, speed: float | None, heading: float | None) -> bool | None:
        """Whether an object counts; None where it does not say what is asked for."""
        if code not in self.classes:
            return False
        if (self.faster is not None and speed is None) or (self.heading is not None and heading is None):
            return None
        if self.faster is not None and speed is not None and speed <= self.faster:
            return False
        if self.heading is None or heading is None:
            return True
        first, last = self.heading
        return first <= heading <= last if first <= last else heading >= first or heading <= last


def watches(source: Source, camera: str) -> dict[str, Watch]:
    """The questions to one camera, by name. Raises Refused where the settings cannot be read."""
    raw = source.settings.get("watches")
    if not raw:
        return {}
    try:
        found = msgspec.convert(raw, dict[str, Watch])
    except msgspec.ValidationError as error:
        raise Refused("bad-settings", f"watches: {error}") from None
    return {name: watch for name, watch in found.items() if watch.camera in ("", camera)}


def raw_heading(entry: Mapping[str, Any]) -> Any:
    """What an object says of its heading; None where it says nothing."""
    located = entry.get("gpsCoordinates")
    first = located[0] if isinstance(located, list) and located else None
    return first.get("heading") if isinstance(first, Mapping) else entry.get("heading")


def heading_of(entry: Mapping[str, Any]) -> float | None:
    """Where an object goes, in degrees; None where it does not say. Raises Refused for what is no angle."""
    told = raw_heading(entry)
    if told is None:
        return None
    heading = number(told)
    if abs(heading) > _WIDEST:
        raise Refused("bad-object", f"{heading:g} is no heading in degrees")
    return heading % 360
