"""Which services the city has switched on."""

import tomllib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from allmende.domain.errors import ConfigurationError
from allmende.domain.service import Service

GROUP = "allmende.services"


def switched_on(city: Path) -> tuple[Service, ...]:
    """Services that ``city.toml`` in ``city`` names under ``services``, in its order.

    Raises ConfigurationError for a name that no installed package offers and for prefixes that collide.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    services = tuple(_load(name, found, city) for name in _names(city))
    seen: dict[str, str] = {}
    for service in services:
        if service.prefix in seen:
            raise ConfigurationError(
                f"{service.name} and {seen[service.prefix]} both want the path /{service.prefix}",
                where=f"{city / 'city.toml'}, services",
            )
        seen[service.prefix] = service.name
    return services


def _names(city: Path) -> list[str]:
    """``services = ["parking"]``, or one table a service: ``[services.parking]`` (``on = false`` switches it off)."""
    path = city / "city.toml"
    try:
        chosen = tomllib.loads(path.read_text("utf-8")).get("services", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=str(path)) from None
    if isinstance(chosen, dict):
        return [name for name, table in chosen.items() if not isinstance(table, dict) or table.get("on", True)]
    if isinstance(chosen, list) and all(isinstance(name, str) for name in chosen):
        return list(dict.fromkeys(chosen))
    raise ConfigurationError('has to be a list of names, e.g. ["parking"]', where=f"{path}, services")


def _load(name: str, found: dict[str, EntryPoint], city: Path) -> Service:
    where = f"{city / 'city.toml'}, services"
    if name not in found:
        raise ConfigurationError(
            f"no installed package offers the service {name!r}; known: {', '.join(sorted(found)) or 'none'}",
            where=where,
        )
    service = getattr(found[name].load(), "SERVICE", None)
    if not isinstance(service, Service):
        raise ConfigurationError(f"{found[name].value} has no SERVICE of the type Service", where=where)
    return service
