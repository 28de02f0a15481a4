"""The two logs of what changed, and the names under which those who follow them keep their places."""

from typing import NamedTuple

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the change log: readings of one stream in a span of time, committed together."""

    number: int
    stream: str
    kind: str
    """``append``, ``correction``, ``deletion`` or ``retention`` (see :data:`RETENTION`)."""
    start: int
    end: int
    count: int
    origin: str
    received_at: int
    entity: str = "Datastream"
    """What the stream is: a ``Datastream`` or a ``MultiDatastream``."""


class Stamp(NamedTuple):
    """How what is kept stands: another one as soon as a change is committed, whatever the order of their numbers. Only
    for comparing. Two processes over one database read the same one.

    A deleted entity alone (a thing without readings) does not show, since no log tells of it.
    """

    readings: tuple[int, ...]
    entities: tuple[int, ...]
    open: tuple[int, ...]
    """Which datasets everybody may read."""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What a follower of the change log has not dealt with."""

    since: int
    """When the first change of it came, in microseconds."""
    held_by: str = ""
    """Not empty: it may not be read yet, since a transaction that began before it has not ended; who has it open, in
    the words of the database."""


RETENTION = "retention"
"""The kind of a change that is no news of the world: readings went by their age, or were merged to fewer. What was
derived of them stays as it is."""


ENTITY_FOLLOWER = "entities:"
"""Names of followers that begin so read the log of entities, all others that of observations."""


TIME_FOLLOWER = "time:"
"""Names of cursors that begin so hold no place in a log but a time: how far a follower has come by the clock."""


class EntityChange(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log of entities: one that is no Observation was created or changed. Deletions are not logged.

    Collections and their features are in it too: ``Collection`` with its id, ``Feature`` with both, ``trees/27077``.
    What changes of a feature are ``geometry``, ``properties`` and ``validTime``, and ``gone``: it went, or came back.
    """

    number: int
    entity: str
    id: str
    kind: str
    """``create`` or ``update``."""
    fields: tuple[str, ...]
    """The attributes and relations that an update changed."""
    logged_at: int
