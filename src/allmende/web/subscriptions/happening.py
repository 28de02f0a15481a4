"""What can be told: one form for alerts, roadworks, changes of datasets and whatever comes later."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from django.utils.translation import get_language

KINDS = ("alerts", "features", "datasets", "stories")
"""Where something comes from; a selection chooses among them."""
State = Literal["on", "over", "cancelled"]
SEVERITIES = ("minor", "moderate", "severe", "extreme")
"""Of CAP 1.2, from the least to the worst."""
URGENT = ("severe", "extreme")

Texts = Mapping[str, str]
"""By language; under ``plain`` in simple German."""


class Happening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened or will happen, as everybody may know it. Times are microseconds, UTC."""

    id: str
    """Stays the same as long as it is known; its kind stands before the first colon."""
    title: Texts
    text: Texts = {}
    changed: int
    """When the house came to know it as it is now."""
    since: int | None = None
    until: int | None = None
    state: State = "on"
    """``cancelled``: it ended before the time that was said."""
    dataset: str = ""
    collection: str = ""
    alert: str = ""
    thing: str = ""
    streams: tuple[str, ...] = ()
    severity: str = ""
    place: Mapping[str, Any] | None = None
    """A GeoJSON geometry."""
    address: str = ""
    """Names of streets and places, as the source writes them."""
    page: str = ""
    """Path of its page in this house."""

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.id.partition(":")[0]

    @property
    def mark(self) -> str:
        """What has to be another for it to be told again."""
        return f"{self.state} {self.since} {self.until} {self.severity}"

    @property
    def urgent(self) -> bool:
        """Whether it is told at night, too, to who wants that."""
        return self.severity in URGENT and self.state == "on"


def say(texts: Texts, language: str | None = None) -> str:
    """The text in a language, else in the first there is; in simple German the plain one, where somebody wrote it."""
    wanted = language or get_language() or "de"
    plain = texts.get("plain", "") if wanted == "de-simple" else ""
    found = plain or texts.get(wanted.partition("-")[0], "")
    return found or next((text for key, text in texts.items() if key != "plain"), "")
