"""What citizens' sensors can measure, and the names that devices have for it."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

OWN_PROPERTY = "citizen-quantity"
"""The observed property of what stands in no vocabulary. Properties are seen by all, so that what a giver calls
theirs stands in the stream alone, which nobody sees before it was looked at."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,29}\Z", re.ASCII)
"""What a quantity is called where it is sent."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity. ``unit`` is UCUM, ``shown`` how people write it; ``low`` and ``high`` bound what is plausible."""

    property: str
    de: str
    en: str
    unit: str
    shown: str = ""
    low: float | None = None
    high: float | None = None
    other: tuple[str, ...] = ()


@cache
def vocabulary() -> Mapping[str, Measure]:
    """Every quantity by the name that it is sent under."""
    text = resources.files(__package__ or "").joinpath("vocabulary.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, Measure])


def same_name(text: str) -> str:
    """A name as it is compared: devices write ``PM2.5``, ``soil-moisture``, ``Temperature``."""
    return text.strip().casefold().replace("-", "_").replace(".", "_").replace(" ", "_")
