"""The instruments that make knowledge from the city's data, on one page. An application that is one says so in its
AppConfig: ``instrument = Instrument(…)``."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Instrument:
    """What the overview shows of an instrument."""

    title: str | Promise
    """Translated lazily, as is ``summary``: one sentence in plain words."""
    summary: str | Promise
    address: str
    """Name of the view that it begins with, e.g. ``explorer:start``; its namespace tells which pages are its own."""
    order: int = 50
    """Place in the overview: small numbers first, what all need before what few need."""
