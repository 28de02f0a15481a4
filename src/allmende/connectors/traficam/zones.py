"""Zones: when something enters an empty one, and when the last has left it."""

from collections.abc import Mapping
from typing import Any

from allmende.connectors.messages import Refused, name_part
from allmende.connectors.properties import declare
from allmende.connectors.traficam.objects import Camera
from allmende.connectors.traficam.times import read_moment

_STATES = {"Begin": True, "End": False}


def read_event(camera: Camera, message: Mapping[str, Any]) -> None:
    """``Begin`` occupies a zone, ``End`` frees it; event numbers and places are dropped."""
    occupied = _STATES.get(str(message.get("state")))
    if occupied is None:
        raise Refused("bad-value", "state is neither Begin nor End")
    zone = name_part(message.get("zoneId"), "zoneId")
    declared = declare(
        camera.source, camera.thing, f"zone_{zone}~occupied", "zone-occupied", camera.sensor, label=zone, volatile=True
    )
    camera.gathered.add(declared, read_moment(message.get("time")), occupied)
