"""The observed properties that connectors share: one id, one name, one unit, whichever source measures it.

They stand in ``properties.toml``. A city's settings (``properties``) go before it, where a connector has them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from allmende.connectors.messages import VOLATILE
from allmende.connectors.quantities import UNIT_NAMES
from allmende.domain.connector import Source
from allmende.domain.ids import normalise
from allmende.domain.records import Declaration, Property, SensorDeclaration, ThingDeclaration, Unit

UNITS = UNIT_NAMES | {
    "V": "volt",
    "kPa": "kilopascal",
    "mm/h": "millimetre per hour",
    "km/h": "kilometre per hour",
    "ms": "millisecond",
    "lx": "lux",
    "dB": "decibel",
    "uS/cm": "microsiemens per centimetre",
    "dS/m": "decisiemens per metre",
    "[pH]": "pH",
    "{vehicle}/h": "vehicles per hour",
    "{object}": "objects",
}


@cache
def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """Every shared property: ``de``, ``en``, ``unit`` (UCUM, "" for words and truth values), ``low``, ``high``."""
    text = resources.files(__package__ or "").joinpath("properties.toml").read_bytes()
    found: Mapping[str, Mapping[str, Any]] = msgspec.toml.decode(text)
    return found


def find_property(settings: Mapping[str, Any], id_: str, language: str) -> tuple[Property, dict[str, Any]]:
    """A property in a language, and what else its table says (``unit``, ``low``, ``high``)."""
    raw: Mapping[str, Any] = {}
    for known in tables(settings, "properties", catalogue()):
        found = known.get(id_)
        if isinstance(found, dict):
            raw = found
            break
    name = raw.get(language) or raw.get("en") or id_
    definition = raw.get("definition") or f"urn:x-allmende:property:{id_}"
    described = Property(id=normalise(id_), name=str(name), definition=str(definition))
    return described, {key: raw[key] for key in ("unit", "low", "high") if key in raw}


def tables(settings: Mapping[str, Any], name: str, bundled: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tables that a name is looked up in: the source's, then the bundled one."""
    own = settings.get(name)
    if isinstance(own, dict):
        yield own
    yield bundled


def unit(symbol: str) -> Unit:
    """The unit of a UCUM symbol; "" is unitless."""
    symbol = symbol or "1"
    return Unit(UNITS.get(symbol, symbol), symbol, "https://ucum.org/ucum")


_TYPES = {"": "measurement", "count": "count", "category": "category", "truth": "truth", "complex": "complex"}


def declare(
    source: Source,
    thing: ThingDeclaration,
    part: str,
    property_id: str,
    sensor: SensorDeclaration,
    *,
    label: str = "",
    symbol: str = "",
    volatile: bool = False,
    more: Mapping[str, Any] | None = None,
) -> Declaration:
    """The stream ``<thing>~<part>`` of a shared property.

    ``label`` tells one of two from the other for people; ``symbol`` is the unit where the source has one of its own.
    """
    observed, known = find_property(source.settings, property_id, source.language)
    kind: Any = _TYPES[str(catalogue().get(property_id, {}).get("type", ""))]
    name = f"{observed.name} {label}".strip()
    return Declaration(
        stream=f"{thing.id}~{part}",
        name=f"{thing.name}: {name}",
        thing=thing,
        sensor=sensor,
        observed_property=observed,
        unit=unit(symbol or str(known.get("unit", ""))),
        observation_type=kind,
        properties={**origin(source), **(VOLATILE if volatile else {}), **(more or {})},
        low=known.get("low"),
        high=known.get("high"),
    )


def origin(source: Source) -> dict[str, Any]:
    """What the properties of every stream say: its source, dataset, and whose it is."""
    said = {key: source.settings[key] for key in ("licence", "attribution") if source.settings.get(key)}
    return {"source": source.id, "dataset": source.dataset, **said}
