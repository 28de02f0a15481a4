"""Which services the city has switched on, and what their packages bring into its commons."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from allmende.domain.boards import FOLDER as BOARDS
from allmende.domain.commons import Commons
from allmende.domain.errors import ConfigurationError
from allmende.domain.profile import Profile
from allmende.domain.service import Service
from allmende.domain.stories import FOLDER as STORIES
from allmende.web.account_settings import ROLES
from allmende.web.files import Folder

GROUP = "allmende.services"
FOLDERS = (BOARDS, STORIES)
"""In a service's ``commons/``."""


def switched_on(city: Path) -> tuple[Service, ...]:
    """Services that the profile's file ``city`` names under ``services``, in its order.

    Raises ConfigurationError for a name that no installed package offers, for prefixes that collide, for a deed with a
    role that there is not, and for what ``[services.NAME]`` says that the service does not know.
    """
    found = _installed()
    tables = _tables(city)
    services = tuple(_load(name, found, city) for name in tables)
    seen: dict[str, str] = {}
    for service in services:
        where = f"{city}, services"
        if service.prefix in seen:
            raise ConfigurationError(
                f"{service.name} and {seen[service.prefix]} both want the path /{service.prefix}", where=where
            )
        seen[service.prefix] = service.name
        for deed, role in service.deeds.items():
            if role not in ROLES:
                raise ConfigurationError(
                    f"the service's deed {deed} asks for the role {role!r}; there are {', '.join(ROLES)}", where=where
                )
    return services


def commons_of(data: Mapping[str, Any]) -> list[Commons]:
    """What the packages of the services bring that a read ``city.toml`` names; of one that is not installed nothing
    (:func:`switched_on` says so)."""
    names = data.get("services")
    if not isinstance(names, Mapping) or not names:
        return []
    found = _installed()
    services = [_service_of(found[name]) for name in names if name in found]
    return [
        Commons(service=service.name, files=Folder(folder, FOLDERS), settings=service.settings)
        for service in services
        if service is not None and (folder := commons_folder(service)) is not None
    ]


def commons_folder(service: Service) -> Path | None:
    """The folder ``commons`` in the service's package, where it has one."""
    for folder in folders_of(service.app):
        if (folder / "commons").is_dir():
            return folder / "commons"
    return None


def folders_of(package: str) -> Iterator[Path]:
    """Where a package's files lie."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        return
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place)


def check_services(profile: Profile) -> None:
    """Let the services of a profile look at what it says of them. Raises ProfileError."""
    found = _installed()
    for name in profile.services:
        service = _service_of(found[name]) if name in found else None
        if service is not None and service.check:
            module, _, function = service.check.partition(":")
            getattr(import_module(module), function)(profile)


def watched_folders(services: Iterable[Service]) -> tuple[Path, ...]:
    """Folders whose files tell of services' commons: another file in one is another profile."""
    roots = [folder for each in services if (folder := commons_folder(each)) is not None]
    return tuple(place for root in roots for place in (root, *(root / name for name in FOLDERS)))


def installed_services() -> dict[str, Service]:
    """All services that installed packages offer, by their names; what cannot be loaded is left out."""
    loaded = ((name, _service_of(point)) for name, point in sorted(_installed().items()))
    return {name: service for name, service in loaded if service is not None}


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _tables(path: Path) -> dict[str, Any]:
    """One table a service: ``[services.NAME]``."""
    try:
        chosen = tomllib.loads(path.read_text("utf-8")).get("services", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=str(path)) from None
    if not isinstance(chosen, dict):
        raise ConfigurationError("is one table a service, written [services.NAME]", where=f"{path}, services")
    return chosen


def _service_of(point: EntryPoint) -> Service | None:
    service = getattr(point.load(), "SERVICE", None)
    return service if isinstance(service, Service) else None


def _load(name: str, found: dict[str, EntryPoint], city: Path) -> Service:
    where = f"{city}, services"
    if name not in found:
        raise ConfigurationError(
            f"no installed package offers the service {name!r}; known: {', '.join(sorted(found)) or 'none'}",
            where=where,
        )
    service = _service_of(found[name])
    if service is None:
        raise ConfigurationError(f"{found[name].value} has no SERVICE of the type Service", where=where)
    if service.name != name:
        raise ConfigurationError(f"{found[name].value} calls itself {service.name}, not {name}", where=where)
    return service
