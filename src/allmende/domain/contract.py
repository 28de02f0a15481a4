"""What a source promises: how often it speaks, what it says, and from when on its silence or sameness is trouble.

A connector's manifest holds what is true of the source everywhere (``[contract]``), a city's profile what is true of
its own (``[sources.x.contract]``), key by key. What comes is held to it by :mod:`allmende.domain.watch`.
Durations are ISO 8601; ``never`` says that no length of time is trouble.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.domain.errors import InvalidInput
from allmende.domain.times import parse_duration

NEVER = "never"
DURATIONS = ("interval", "late_after", "missing_after", "frozen_after", "ahead", "behind")


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a property's results lie between; both ends belong to it. None: no end."""

    low: float | None = None
    high: float | None = None


class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is expected of one source. An empty duration is not said: the default of each stands beside it."""

    interval: str = ""
    """Between two readings of one stream, as the source means it; ``never`` where it speaks when something happens."""
    late_after: str = ""
    """The source is late when nothing came of it for so long. Not said: three times ``interval``."""
    missing_after: str = ""
    """It, or one of its streams, is missing when silent for so long. Not said: four times ``late_after``."""
    frozen_after: str = ""
    """A stream is frozen when its value was the same for so long, with readings all the while. Not said: never."""
    resting: list[str] = []
    """Ids of properties whose value may rest for any time, e.g. a battery's level."""
    columns: list[str] | None = None
    """What ``parse`` relies on: columns of a table, keys of JSON from the top with slashes (``deviceInfo/devEui``,
    steps into a list are left out), names of XML elements (attributes ``element@name``). Without prefix. Empty where
    the payload has no names; None is not said."""
    new_columns: bool = False
    """Whether a name that was never seen before is trouble too, and not only one that is lost."""
    ranges: dict[str, Range] = {}
    """By id of the property; goes before the bounds that the connector declares. Outside, a reading is flagged."""
    implausible: float = 0.05
    """The share of flagged readings that is no trouble yet."""
    ahead: str = "PT5M"
    """How far a reading's time may lie ahead of its receipt."""
    behind: str = ""
    """How far the newest reading may lie behind its receipt. Not said: never too far."""
    repeats: float = 1.0
    """The share of readings that may be deliveries of what was there; 1 where the source tells all each time."""
    per_day: int | None = None
    """Readings that are expected a day, of the whole source; 0 where nobody can say. None is not said."""

    def micros(self, name: str) -> int | None:
        """A duration in microseconds; None where no time is too long. Missing ones follow from the others."""
        text = getattr(self, name)
        if text == NEVER:
            return None
        if text:
            return parse_duration(text)
        base = {"late_after": ("interval", 3), "missing_after": ("late_after", 4)}.get(name)
        if base is None:
            return None
        known = self.micros(base[0])
        return None if known is None else known * base[1]


def check_contract(raw: Mapping[str, Any]) -> Contract:
    """The contract of plain data. Raises InvalidInput that names the key in ``where``."""
    try:
        contract = msgspec.convert(dict(raw), Contract)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error), where="contract") from None
    for name in DURATIONS:
        text = getattr(contract, name)
        if text in ("", NEVER):
            continue
        try:
            length = parse_duration(text)
        except InvalidInput as error:
            raise InvalidInput('%(error)s, or "%(never)s"', where=name, error=error, never=NEVER) from None
        if length <= 0:
            raise InvalidInput('"%(text)s" is no time at all', where=name, text=text)
    for name in ("implausible", "repeats"):
        if not 0 <= getattr(contract, name) <= 1:
            raise InvalidInput("%(share)s is no share: from 0 to 1", where=name, share=f"{getattr(contract, name):g}")
    if (contract.per_day or 0) < 0:
        raise InvalidInput("%(per_day)s readings a day cannot be", where="per_day", per_day=contract.per_day)
    for name, bounds in contract.ranges.items():
        if bounds.low is not None and bounds.high is not None and bounds.low > bounds.high:
            raise InvalidInput(
                "low %(low)s lies above high %(high)s",
                where=f"ranges.{name}",
                low=f"{bounds.low:g}",
                high=f"{bounds.high:g}",
            )
    return contract


def unsaid(contract: Contract) -> list[str]:
    """The keys that a complete contract says and this one does not."""
    texts = [name for name in ("interval", "late_after", "frozen_after", "behind") if not getattr(contract, name)]
    return texts + [name for name in ("columns", "per_day") if getattr(contract, name) is None]
