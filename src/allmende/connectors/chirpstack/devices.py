"""What a device's readings stand on: the thing, its model, the stream."""

import re
from typing import Any, Literal, cast

from allmende.connectors.chirpstack.families import Family, Quantity, find_property, unit
from allmende.connectors.chirpstack.positions import find_position
from allmende.domain.connector import Source
from allmende.domain.ids import MAX_LENGTH
from allmende.domain.records import Declaration, SensorDeclaration, ThingDeclaration

_OTHER = re.compile(r"[^a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INFO = {
    "tenantName": "tenant",
    "applicationName": "application",
    "applicationId": "application_id",
    "deviceProfileName": "device_profile",
    "deviceProfileId": "device_profile_id",
}


def declare(source: Source, info: dict[str, Any], eui: str, family: Family, quantity: Quantity) -> Declaration:
    """The stream ``<eui>~<property>``."""
    observed, known = find_property(source.settings, quantity.property, source.language)
    thing = _thing(source, info, eui)
    name = f"{observed.name} {quantity.label}".strip()
    measures = quantity.type in ("measurement", "count")
    return Declaration(
        stream=f"{eui}~{quantity.stream or quantity.property}",
        name=f"{thing.name}: {name}",
        thing=thing,
        sensor=_sensor(family),
        observed_property=observed,
        unit=unit(quantity.unit or str(known.get("unit", "")) if measures else ""),
        observation_type=cast(Literal["measurement", "count", "category", "truth"], quantity.type),
        properties={
            "source": source.id,
            "dataset": source.dataset,
            **{key: source.settings[key] for key in ("licence", "attribution") if source.settings.get(key)},
        },
        low=_bound(quantity.low, known.get("low")),
        high=_bound(quantity.high, known.get("high")),
    )


def _thing(source: Source, info: dict[str, Any], eui: str) -> ThingDeclaration:
    profile = source.things.get(eui)
    position, said = find_position(source, eui)
    properties = {
        "kind": "lorawan-device",
        "device_eui": eui,
        **{name: info[key] for key, name in _INFO.items() if isinstance(info.get(key), str)},
        **(dict(profile.facts) if profile else {}),
    }
    if said:
        properties["position"] = said
    name = profile.name if profile else _CONTROL.sub(" ", str(info.get("deviceName") or "")).strip()
    return ThingDeclaration(
        id=eui,
        name=name or eui,
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
