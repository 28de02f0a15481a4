"""Topics that somebody listens to, by what they ask for: once for all clients with the same rights."""

from collections.abc import Callable, Mapping

import msgspec

from allmende.domain.errors import AllmendeError
from allmende.domain.face import FaceLimits
from allmende.domain.policy import Reader
from allmende.faces.sensorthings.topics import ERRORS, Stream, Subscription, parse_subscription

ReaderOf = Callable[[str], Reader | None]
"""What the client of this name may read now; None for one that may no longer come in."""


class Watch(msgspec.Struct, kw_only=True):
    """A topic, asked with the rights of those who listen to it."""

    subscription: Subscription
    clients: frozenset[str]
    key: tuple[str, frozenset[str]]
    """The topic and the rights."""

    @property
    def topics(self) -> dict[str, frozenset[str]]:
        """The topic with its listeners."""
        return {self.subscription.topic: self.clients}


class Watches:
    """All of them, by what a change may concern."""

    def __init__(self, listeners: Mapping[str, frozenset[str]], reader_of: ReaderOf, limits: FaceLimits) -> None:
        """``listeners`` are the names of clients by topic."""
        self.entities: dict[str, list[Watch]] = {}
        """By entity type; Observations have a log of their own."""
        self.streams: dict[Stream, list[Watch]] = {}
        """Readings of one stream."""
        self.readings: list[Watch] = []
        """Observations by any other question."""
        self.computed: dict[tuple[str, str | None], list[Watch]] = {}
        """Properties that follow from observations, by the stream; with None for those of any."""
        for topic, names in listeners.items():
            if topic != ERRORS:
                for watch in _watches(topic, names, reader_of, limits):
                    self._add(watch)

    def _add(self, watch: Watch) -> None:
        asked = watch.subscription
        if asked.canonical and asked.stream is not None:
            self.streams.setdefault(asked.stream, []).append(watch)
        elif asked.entity == "Observation":
            self.readings.append(watch)
        else:
            self.entities.setdefault(asked.entity, []).append(watch)
            if asked.computed:
                self.computed.setdefault((asked.entity, asked.address.id), []).append(watch)


def _watches(topic: str, names: frozenset[str], reader_of: ReaderOf, limits: FaceLimits) -> list[Watch]:
    found: dict[frozenset[str], Watch] = {}
    for name in sorted(names):
        reader = reader_of(name)
        if reader is None:
            continue
        known = found.get(reader.datasets)
        if known is not None:
            known.clients |= {name}
            continue
        try:
            asked = parse_subscription(topic, reader=reader, limits=limits)
        except AllmendeError:  # looked at when it began; it stays, and gets nothing
            return []
        found[reader.datasets] = Watch(subscription=asked, clients=frozenset({name}), key=(topic, reader.datasets))
    return list(found.values())
