"""The shape of a city service, in the package or outside of it.

A service is a Python package, a Django app, named by an entry point of the group ``allmende.services``. Its
``__init__`` holds ``SERVICE = Service(…)`` and imports nothing heavy: every command reads it to learn what the city
can switch on. What the portal shows of a service stands in its AppConfig; docs/service.md tells how to make one.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z", re.ASCII)
_PREFIX = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*/\Z", re.ASCII)
_SHARED = re.compile(r"[a-z0-9*_-][a-z0-9*._-]*(?:/[a-z0-9*_-][a-z0-9*._-]*)*/?\Z", re.ASCII)
ORIGIN = "service/"
"""Before a service's name: whence readings are that a service gave."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What the house has to know of a service before it loads it. Raises ValueError that says what would be right."""

    name: str
    """The entry point's name; a city's profile switches the service on by it."""
    prefix: str
    """Path that its pages stand under, e.g. ``fountains/``."""
    app: str
    """Dotted path of its Django app."""
    urls: str = ""
    """Dotted path of the module with its ``urlpatterns``; empty: ``urls`` in the app."""
    deeds: Mapping[str, str] = {}
    """What not everybody may do in it -> the least role for it, e.g. ``{"fountains.open": "editor"}``. A deed begins
    with the service's name."""
    shared: tuple[str, ...] = ()
    """Addresses under the prefix that pages of other hosts may read (CORS), ``*`` for anything: ``("*.json",)``. They
    are read as by nobody known, without cookies."""
    settings: Mapping[str, Any] = {}
    """What ``[services.NAME]`` of a profile may say, with what holds where it does not say it."""
    check: str = ""
    """``package.module:function`` that looks at what a Profile says of it and raises ProfileError where that is wrong:
    a house does not start on it, and a running one keeps the last good profile. It needs no Django."""

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"{self.name!r} is no name of a service: small letters, digits, underscores between")
        if not _PREFIX.match(self.prefix):
            raise ValueError(f"service {self.name}: prefix {self.prefix!r} is no path like 'fountains/'")
        for deed in self.deeds:
            if not deed.startswith(f"{self.name}.") or deed == f"{self.name}.":
                raise ValueError(f"service {self.name}: deed {deed!r} has to begin with '{self.name}.'")
        for pattern in self.shared:
            if not _SHARED.match(pattern):
                raise ValueError(f"service {self.name}: {pattern!r} is no address like '*.json'")

    @property
    def origin(self) -> str:
        """Whence readings are that it gave: their source in every list."""
        return f"{ORIGIN}{self.name}"

    def shared_addresses(self) -> str:
        """A regular expression for what is shared, from the address's first slash on; empty where nothing is."""
        if not self.shared:
            return ""
        said = "|".join(re.escape(pattern).replace(r"\*", ".*") for pattern in self.shared)
        return rf"/{re.escape(self.prefix)}(?:{said})\Z"
