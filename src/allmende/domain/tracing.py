"""Where a kept reading came from."""

import msgspec

from allmende.domain.records import Json


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A reading, and where it came from. Times are microseconds, UTC."""

    time: int
    result: Json
    flag: str
    """"" where it is plausible."""
    origin: str
    """The source's id, ``rule/ID`` or ``rerun/ID``, or the client's name."""
    version: str
    """Of the connector or rule that made it; "" where it has none."""
    received_at: int
    corrections: int
    """How often another value stood in its place before."""


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """A value that stood in a reading's place before a correction."""

    result: Json
    origin: str
    """As in a :class:`Trace`."""
    received_at: int
    replaced_at: int
