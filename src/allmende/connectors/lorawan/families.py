"""Device families: what the keys of a decoded uplink mean. All of it is configuration.

The source's settings come first, ``families.toml`` after them, so that a city adds to the bundled families and mends
them without repeating them.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

import msgspec

from allmende.connectors.lorawan.decoders import Field
from allmende.connectors.properties import tables
from allmende.domain.errors import ConfigurationError

TYPES = ("measurement", "count", "category", "truth")
_OTHER = re.compile(r"[\W_]+")
_MOST_STEPS = 8
_OF_ONE = ("names", "profile_ids", "keys", "title", "datasheet")


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
    keys: tuple[str, ...] = ()
    """Keys of a decoded uplink by which the family is known where the network names no model."""
    decoder: tuple[Field, ...] = ()
    """How the bytes are read where the network decodes nothing."""

    def quantity(self, key: str) -> Quantity | None:
        """What this key gives, if the family names it."""
        found = self.quantities.get(key)
        return Quantity(property=found) if isinstance(found, str) else found


class Sought(NamedTuple):
    """What a network says of a device's model."""

    names: Sequence[str] = ()
    """The most exact one first."""
    profile_id: str = ""
    keys: Sequence[str] = ()
    """Of the decoded uplink; asked only where nothing else finds a family."""


def find_family(settings: Mapping[str, Any], sought: Sought) -> Family | None:
    """The family of a device, by a name, else by the id of its profile, else by keys; None where none is configured.

    Raises ConfigurationError where the configuration of it cannot be read.
    """
    known = list(tables(settings, "families", bundled()))
    key = _by_name(known, sought) or _by_keys(known, sought.keys)
    return None if key is None else _family(known, key)


def _by_name(known: list[Mapping[str, Any]], sought: Sought) -> str | None:
    for name in sought.names:
        if any(name in table for table in known):
            return name
    for name in (*sought.names, ""):
        wanted, profile_id = _plain(name), "" if name else sought.profile_id
        for table in known:
            for key, raw in table.items():
                if _means(key, raw, wanted, profile_id):
                    return key
    return None


def _by_keys(known: list[Mapping[str, Any]], keys: Sequence[str]) -> str | None:
    for table in known:
        for name, raw in table.items():
            asked = raw.get("keys") if isinstance(raw, dict) else None
            if isinstance(asked, list | tuple) and asked and all(key in keys for key in asked):
                return name
    return None


def _family(known: list[Mapping[str, Any]], key: str) -> Family:
    where = f"families.{key}"
    try:
        family = msgspec.convert(_merged(known, key) | {"name": key}, Family)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error), where=where) from None
    for name in family.quantities:
        quantity = family.quantity(name)
        if quantity is not None and quantity.type not in TYPES:
            raise ConfigurationError(f"{name}: type is {quantity.type!r}, not one of {', '.join(TYPES)}", where=where)
    return family


@cache
def bundled() -> Mapping[str, Any]:
    """The families that every city has: part of the package, like its code."""
    text = resources.files(__package__ or "").joinpath("families.toml").read_bytes()
    found: Mapping[str, Any] = msgspec.toml.decode(text)
    return found


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


def _merged(known: list[Mapping[str, Any]], key: str, first: int = 0, steps: int = 0) -> dict[str, Any]:
    """One family with what it is like. A family of the source may be ``like`` the bundled one of its own name."""
    for index in range(first, len(known)):
        raw = known[index].get(key)
        if raw is None:
            continue
        if not isinstance(raw, dict):
            raise ConfigurationError("a family is a table", where=f"families.{key}")
        like = raw.get("like")
        if not like:
            return dict(raw)
        if steps == _MOST_STEPS:
            raise ConfigurationError("the chain of like = … does not end", where=f"families.{key}")
        base = _merged(known, like, index + 1 if like == key else 0, steps + 1)
        own = {name: raw[name] for name in raw if name not in ("quantities", "ignore")}
        # what a family is known by is its own
        kept = {name: base[name] for name in base if name not in _OF_ONE}
        return {
            **kept,
            **own,
            "quantities": {**base.get("quantities", {}), **raw.get("quantities", {})},
            "ignore": [*base.get("ignore", ()), *raw.get("ignore", ())],
        }
    raise ConfigurationError(f"there is no family {key!r}", where=f"families.{key}")
