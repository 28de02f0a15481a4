"""The shape of a city service, in the package or outside of it.

A service is a Python package named by an entry point of the group ``allmende.services``. Its ``__init__`` holds
``SERVICE = Service(…)`` and imports nothing heavy: every command reads it to learn what the city can switch on.
"""

import re
from collections.abc import Mapping

import msgspec

_PREFIX = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*/\Z")


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What the house has to know of a service before it loads it."""

    name: str
    """The entry point's name; a city's profile switches the service on by it."""
    title: Mapping[str, str]
    """By language; ``de`` and ``en`` are asked for."""
    prefix: str
    """Path that its pages stand under, e.g. ``parken/``."""
    app: str
    """Dotted path of its Django app (the package, or its AppConfig)."""
    urls: str
    """Dotted path of the module with its ``urlpatterns``."""

    def __post_init__(self) -> None:
        if not _PREFIX.match(self.prefix):
            raise ValueError(f"service {self.name}: prefix {self.prefix!r} is no path like 'parken/'")
        if missing := {"de", "en"} - set(self.title):
            raise ValueError(f"service {self.name}: the title is missing in {', '.join(sorted(missing))}")
