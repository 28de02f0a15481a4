"""What every page gets: the city, the services that are switched on, where live values come from."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.http import HttpRequest

from allmende.domain.service import Service
from allmende.web.instruments.listing import namespaces
from allmende.web.security import websocket_url


def portal(request: HttpRequest) -> dict[str, Any]:
    """Values for the frame of every page; works without a house too, for error pages."""
    house, match = getattr(request, "house", None), getattr(request, "resolver_match", None)
    geography = house.profile.geography if house else None
    return {
        "city": house.profile if house else None,
        "datasets": house.datasets if house else [],
        "instrument_here": bool(match and match.namespace in namespaces()),
        "services": [describe(service, request.path) for service in settings.SERVICES],
        "live_url": websocket_url(settings.ALLMENDE, request.get_host(), request.is_secure()),
        "basemap_url": settings.ALLMENDE.base_map or (geography.base_map if geography else ""),
        "map_attribution": geography.attribution if geography else "",
    }


def describe(service: Service, path: str) -> dict[str, Any]:
    """A service for the navigation: its title, its address, whether ``path`` lies in it, its AppConfig."""
    config = app_of(service)
    address = f"/{service.prefix}"
    return {"title": config.verbose_name, "address": address, "here": path.startswith(address), "app": config}


def app_of(service: Service) -> AppConfig:
    """The AppConfig of a service; raises LookupError if its app is not installed."""
    for config in apps.get_app_configs():
        if config.name == service.app:
            return config
    raise LookupError(service.app)
