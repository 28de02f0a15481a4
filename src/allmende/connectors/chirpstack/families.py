"""Device families: what the keys of a decoded uplink mean. All of it is configuration.

The source's settings come first, the manifest's after them, so that a city adds to the bundled families and mends
them without repeating them.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import msgspec

from allmende.connectors import checks
from allmende.domain.errors import ConfigurationError
from allmende.domain.ids import normalise
from allmende.domain.records import Property, Unit

UNITS = {
    "1": "1",
    "%": "percent",
    "Cel": "degree Celsius",
    "V": "volt",
    "Pa": "pascal",
    "kPa": "kilopascal",
    "mm": "millimetre",
    "cm": "centimetre",
    "mm/h": "millimetre per hour",
    "m/s": "metre per second",
    "km/h": "kilometre per hour",
    "deg": "degree (plane angle)",
    "lx": "lux",
    "uS/cm": "microsiemens per centimetre",
    "dS/m": "decisiemens per metre",
    "[pH]": "pH",
    "{vehicle}": "vehicles",
}
TYPES = ("measurement", "count", "category", "truth")
_OTHER = re.compile(r"[\W_]+")
_MOST_STEPS = 8


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """What one key gives."""

    property: str
    unit: str = ""
    """UCUM; empty: the property's own, or none."""
    stream: str = ""
    """The last part of the stream's id, where a device gives a property twice; empty: the property's id."""
    label: str = ""
    """What tells one of two from the other for people, e.g. ``30 cm``."""
    type: str = "measurement"
    suffix: str = ""
    """A unit that the decoder writes behind the number, e.g. ``V`` in ``"3.3 V"``."""
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """What the devices of one profile send. ``like`` is resolved: this is the whole of it."""

    name: str
    title: str = ""
    datasheet: str = ""
    quantities: dict[str, Quantity | str] = {}
    ignore: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Texts that stand for "no value"."""
    valid: dict[str, Any] = {}
    """What status keys must say for the readings to count as plausible."""
    list: str = "messages"
    """The key under which measurements are listed by id."""
    like: str = ""
    names: tuple[str, ...] = ()
    """Other names of the same device profile."""
    profile_ids: tuple[str, ...] = ()

    def quantity(self, key: str) -> Quantity | None:
        """What this key gives, if the family names it."""
        found = self.quantities.get(key)
        return Quantity(property=found) if isinstance(found, str) else found


def find_family(settings: Mapping[str, Any], profile_name: str, profile_id: str) -> Family | None:
    """The family of a device profile, by name or else by id; None where nobody configured it.

    Raises ConfigurationError where the configuration of it cannot be read.
    """
    tables = list(_tables(settings, "families"))
    wanted = _plain(profile_name)
    keys = [profile_name] if any(profile_name in table for table in tables) else []
    keys = keys or [key for table in tables for key, raw in table.items() if _means(key, raw, wanted, profile_id)]
    if not keys:
        return None
    where = f"families.{keys[0]}"
    try:
        family = msgspec.convert(_merged(tables, keys[0]) | {"name": keys[0]}, Family)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error), where=where) from None
    for key in family.quantities:
        quantity = family.quantity(key)
        if quantity is not None and quantity.type not in TYPES:
            raise ConfigurationError(f"{key}: type is {quantity.type!r}, not one of {', '.join(TYPES)}", where=where)
    return family


def find_property(settings: Mapping[str, Any], id_: str, language: str) -> tuple[Property, dict[str, Any]]:
    """A property in a language, and what else its table says (``unit``, ``low``, ``high``)."""
    raw: Mapping[str, Any] = {}
    for table in _tables(settings, "properties"):
        found = table.get(id_)
        if isinstance(found, dict):
            raw = found
            break
    name = raw.get(language) or raw.get("en") or id_
    definition = raw.get("definition") or f"urn:x-allmende:property:{id_}"
    described = Property(id=normalise(id_), name=str(name), definition=str(definition))
    return described, {key: raw[key] for key in ("unit", "low", "high") if key in raw}


def unit(symbol: str) -> Unit:
    """The unit of a UCUM symbol; "" is unitless."""
    symbol = symbol or "1"
    return Unit(UNITS.get(symbol, symbol), symbol, "https://ucum.org/ucum")


def _tables(settings: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    for table in (settings.get(name), bundled().get(name)):
        if isinstance(table, dict):
            yield table


@cache
def bundled() -> dict[str, Any]:
    """The manifest's settings: part of the package, like its code."""
    package = __package__ or ""
    return checks.read_manifest(resources.files(package), where=f"{package}/manifest.toml").settings


def _means(key: str, raw: Any, wanted: str, profile_id: str) -> bool:
    if not isinstance(raw, dict):
        return False
    names = [key, *(name for name in raw.get("names", ()) if isinstance(name, str))]
    return (bool(wanted) and wanted in map(_plain, names)) or bool(
        profile_id and profile_id in raw.get("profile_ids", ())
    )


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return _OTHER.sub("", name.casefold())


def _merged(tables: list[Mapping[str, Any]], key: str, first: int = 0, steps: int = 0) -> dict[str, Any]:
    """One family with what it is like. A family of the source may be ``like`` the bundled one of its own name."""
    for index in range(first, len(tables)):
        raw = tables[index].get(key)
        if raw is None:
            continue
        if not isinstance(raw, dict):
            raise ConfigurationError("a family is a table", where=f"families.{key}")
        like = raw.get("like")
        if not like:
            return dict(raw)
        if steps == _MOST_STEPS:
            raise ConfigurationError("the chain of like = … does not end", where=f"families.{key}")
        base = _merged(tables, like, index + 1 if like == key else 0, steps + 1)
        own = {name: raw[name] for name in raw if name not in ("quantities", "ignore")}
        # names and ids are of one family alone
        kept = {name: base[name] for name in base if name not in ("names", "profile_ids", "title", "datasheet")}
        return {
            **kept,
            **own,
            "quantities": {**base.get("quantities", {}), **raw.get("quantities", {})},
            "ignore": [*base.get("ignore", ()), *raw.get("ignore", ())],
        }
    raise ConfigurationError(f"there is no family {key!r}", where=f"families.{key}")
