"""The shape of a city service, in the package or outside of it.

A service is a Python package, a Django app, named by an entry point of the group ``allmende.services``. Its
``__init__`` holds ``SERVICE = Service(…)`` and imports nothing heavy: every command reads it to learn what the city
can switch on. What the portal shows of a service stands in its AppConfig.
"""

import re

import msgspec

_PREFIX = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*/\Z")


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What the house has to know of a service before it loads it. Raises ValueError for a prefix that is no path."""

    name: str
    """The entry point's name; a city's profile switches the service on by it."""
    prefix: str
    """Path that its pages stand under, e.g. ``parking/``."""
    app: str
    """Dotted path of its Django app."""
    urls: str = ""
    """Dotted path of the module with its ``urlpatterns``; empty: ``urls`` in the app."""

    def __post_init__(self) -> None:
        if not _PREFIX.match(self.prefix):
            raise ValueError(f"service {self.name}: prefix {self.prefix!r} is no path like 'parking/'")
