"""Streams from tables: what a manifest's ``[settings.quantities]`` says of each quantity of a source.

    [settings.quantities.TTT]
    property = "air-temperature"
    de = "Lufttemperatur"
    en = "Air temperature"
    unit = "K"
    low = 183
    high = 333
    definition = "http://…"     # of the property; without it a name of our own
    type = "measurement"        # or count, category

A city's profile may add to it and change it. ``unit`` is UCUM, and it is the one in which the source measures.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Property, SensorDeclaration, ThingDeclaration, Unit

UNIT_NAMES = {
    "1": "one",
    "%": "percent",
    "K": "kelvin",
    "Cel": "degree Celsius",
    "Pa": "pascal",
    "hPa": "hectopascal",
    "m": "metre",
    "cm": "centimetre",
    "mm": "millimetre",
    "m/s": "metre per second",
    "m3/s": "cubic metre per second",
    "deg": "degree",
    "kg/m2": "kilogram per square metre",
    "kJ/m2": "kilojoule per square metre",
    "J/cm2": "joule per square centimetre",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "ug/m3": "microgram per cubic metre",
    "dB[SPL]": "decibel",
    "/min": "per minute",
    "{person}": "persons",
    "{vehicle}": "vehicles",
    "{trip}": "trips",
    "{space}": "spaces",
}
_TYPES = ("measurement", "count", "category", "truth", "complex", "any")
_UCUM = "https://ucum.org/ucum"


class Quantities:
    """The quantities of one source, by the source's own names."""

    def __init__(self, source: Source, name: str = "quantities") -> None:
        found = source.settings.get(name)
        self._source = source
        self._tables: Mapping[str, Any] = found if isinstance(found, dict) else {}

    def knows(self, name: str) -> bool:
        """Whether anything is said of a quantity."""
        return isinstance(self._tables.get(name), dict)

    def says(self, name: str, key: str) -> Any:
        """What is said of it under another key; None where nothing is."""
        found = self._tables.get(name)
        return found.get(key) if isinstance(found, dict) else None

    def names(self) -> list[str]:
        """All that are known."""
        return [name for name, said in self._tables.items() if isinstance(said, dict)]

    def declare(
        self,
        name: str,
        thing: ThingDeclaration,
        sensor: SensorDeclaration,
        *,
        suffix: str = "",
        label: str = "",
        unit: str = "",
        properties: Mapping[str, Any] | None = None,
    ) -> Declaration:
        """The stream ``<thing>~<suffix or property>``. ``unit`` is what the message itself says, if it does."""
        said = self._tables[name]
        source, language = self._source, self._source.language
        id_ = str(said.get("property") or name)
        title = str(said.get(language) or said.get("en") or id_)
        kind = said.get("type")
        symbol = unit or str(said.get("unit") or "1")
        known = {key: source.settings[key] for key in ("licence", "attribution") if source.settings.get(key)}
        return Declaration(
            stream=f"{thing.id}~{suffix or id_}",
            name=f"{thing.name}: {title} {label}".strip(),
            thing=thing,
            sensor=sensor,
            observed_property=Property(
                id=id_,
                name=title,
                definition=str(said.get("definition") or f"urn:x-allmende:property:{id_}"),
            ),
            unit=Unit(UNIT_NAMES.get(symbol, symbol), symbol, _UCUM),
            observation_type=cast(Literal["measurement"], kind if kind in _TYPES else "measurement"),
            properties={"source": source.id, "dataset": source.dataset, **known, **(properties or {})},
            low=_bound(said.get("low")),
            high=_bound(said.get("high")),
        )


def _bound(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
