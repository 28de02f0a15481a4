"""What a device's readings stand on: the thing, its model, the stream."""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from allmende.connectors.lorawan.families import Family, Quantity
from allmende.connectors.lorawan.positions import find_position
from allmende.connectors.properties import find_property, origin, unit
from allmende.domain.connector import Source
from allmende.domain.ids import MAX_LENGTH
from allmende.domain.records import Declaration, SensorDeclaration, ThingDeclaration

_OTHER = re.compile(r"[^a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Device(NamedTuple):
    """A device as its network tells of it."""

    id: str
    """The thing's id."""
    name: str
    """What the network calls it; may be empty."""
    known_as: tuple[str, ...]
    """What the register of positions may call it: its EUI, its id."""
    properties: Mapping[str, Any]


def declare(source: Source, device: Device, family: Family, quantity: Quantity) -> Declaration:
    """The stream ``<device>~<property>``."""
    observed, known = find_property(source.settings, quantity.property, source.language)
    thing = _thing(source, device)
    name = f"{observed.name} {quantity.label}".strip()
    measures = quantity.type in ("measurement", "count")
    return Declaration(
        stream=f"{device.id}~{quantity.stream or quantity.property}",
        name=f"{thing.name}: {name}",
        thing=thing,
        sensor=_sensor(family),
        observed_property=observed,
        unit=unit(quantity.unit or str(known.get("unit", "")) if measures else ""),
        observation_type=cast(Literal["measurement", "count", "category", "truth"], quantity.type),
        properties=origin(source),
        low=_bound(quantity.low, known.get("low")),
        high=_bound(quantity.high, known.get("high")),
    )


def _thing(source: Source, device: Device) -> ThingDeclaration:
    profile = next((source.things[name] for name in device.known_as if name in source.things), None)
    position, said = find_position(source, device.known_as)
    properties = {
        "kind": "lorawan-device",
        **device.properties,
        **(dict(profile.facts) if profile else {}),
    }
    if said:
        properties["position"] = said
    name = profile.name if profile else _CONTROL.sub(" ", device.name).strip()
    return ThingDeclaration(
        id=device.id,
        name=name or device.id,
        description=profile.description if profile else "",
        properties=properties,
        position=position,
    )


def _sensor(family: Family) -> SensorDeclaration:
    """The model, shared by all of its devices."""
    slug = _OTHER.sub("-", family.name.casefold()).strip("-")
    return SensorDeclaration(
        id=f"lorawan-{slug}"[:MAX_LENGTH], name=family.title or family.name, metadata=family.datasheet
    )


def _bound(own: float | None, general: Any) -> float | None:
    if own is not None:
        return own
    return float(general) if isinstance(general, int | float) and not isinstance(general, bool) else None
