"""Which services the city has switched on."""

import tomllib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from allmende.domain.errors import ConfigurationError
from allmende.domain.service import Service

GROUP = "allmende.services"


def switched_on(city: Path) -> tuple[Service, ...]:
    """Services that the profile's file ``city`` names under ``services``, in its order.

    Raises ConfigurationError for a name that no installed package offers and for prefixes that collide.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    services = tuple(_load(name, found, city) for name in _names(city))
    seen: dict[str, str] = {}
    for service in services:
        if service.prefix in seen:
            raise ConfigurationError(
                f"{service.name} and {seen[service.prefix]} both want the path /{service.prefix}",
                where=f"{city}, services",
            )
        seen[service.prefix] = service.name
    return services


def _names(path: Path) -> list[str]:
    """One table a service: ``[services.parking]``."""
    try:
        chosen = tomllib.loads(path.read_text("utf-8")).get("services", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=str(path)) from None
    if not isinstance(chosen, dict):
        raise ConfigurationError("is one table a service, e.g. [services.parking]", where=f"{path}, services")
    return list(chosen)


def _load(name: str, found: dict[str, EntryPoint], city: Path) -> Service:
    where = f"{city}, services"
    if name not in found:
        raise ConfigurationError(
            f"no installed package offers the service {name!r}; known: {', '.join(sorted(found)) or 'none'}",
            where=where,
        )
    service = getattr(found[name].load(), "SERVICE", None)
    if not isinstance(service, Service):
        raise ConfigurationError(f"{found[name].value} has no SERVICE of the type Service", where=where)
    return service
