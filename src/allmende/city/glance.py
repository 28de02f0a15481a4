"""What a service shows of itself on the home page: its AppConfig carries one as the attribute ``glance``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise


@dataclass(frozen=True)
class Glance:
    """How things stand in a service now."""

    summary: str | Promise
    """One sentence in plain words, translated lazily."""
    template: str
    """Shows the values; gets the request's context too."""
    values: Callable[[HttpRequest], dict[str, Any]]
    """Reads what the template shows."""
