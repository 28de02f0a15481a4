"""Notes that are committed with what they tell of, so that neither is there without the other."""

import msgspec


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has dealt with: of a broker's messages, which of them were taken.

    Marks of one name are numbered upwards by whoever writes them; one that is written again under its number is
    replaced.
    """

    name: str
    number: int
    body: bytes
    forget: int = 0
    """Marks of this name with a lower number go."""
