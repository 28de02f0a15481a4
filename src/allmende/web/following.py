"""Following the logs of what was committed, from durable cursors: what the embedded broker and the publisher share."""

import msgspec
import structlog

from allmende.domain.logs import ENTITY_FOLLOWER, RETENTION, Change, EntityChange
from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Query
from allmende.domain.store import Store
from allmende.domain.times import SECOND
from allmende.web.config import Config

FOLLOWER = "mqtt"
ENTITIES = f"{ENTITY_FOLLOWER}{FOLLOWER}"
POLL_SECONDS = 0.25
_MOST, _MOST_CHANGES = 500, 2_000
"""Lines of each log in a step."""

OPEN_READINGS = Query(entity="Observation", reader=ANONYMOUS)
"""What anybody may read."""


log = structlog.get_logger("allmende.following")


class Step(msgspec.Struct, frozen=True):
    """What came since the step before, each in its order."""

    entities: list[EntityChange]
    changes: list[Change]

    def __bool__(self) -> bool:
        return bool(self.entities or self.changes)


def adopt_logs(store: Store) -> None:
    """Before anybody follows the logs, or writes: a database that was read from another one's dump counts changes anew,
    and its cursors would stand too high for ever."""
    count = store.adopt_logs()
    if count:
        log.warning("the database comes from another cluster; its changes are counted anew", changed=count)


class Logs:
    """Both logs, each from a cursor that is moved when everything before it was dealt with."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cursors = {ENTITIES: 0, FOLLOWER: 0}
        self._kept = dict(self._cursors)

    def begin(self) -> None:
        """Go on where the last follower stopped; the first one begins with what comes from now on."""
        adopt_logs(self._store)
        newest = {ENTITIES: self._store.newest_entity_change, FOLLOWER: self._store.newest_change}
        for name, ask in newest.items():
            known = self._store.cursor(name)
            if known is None:
                known = ask()
                self._store.set_cursor(name, known)
            self._cursors[name] = self._kept[name] = known

    def read(self) -> Step:
        """What comes behind the cursors, so far as it is settled."""
        entities = self._store.entity_changes(self._cursors[ENTITIES], _MOST)
        return Step(entities, self._store.changes(self._cursors[FOLLOWER], _MOST_CHANGES))

    def move(self, step: Step, *, keep: bool = True) -> None:
        """Everything of the step was dealt with; ``keep`` remembers that for the next start."""
        for name, lines in ((ENTITIES, step.entities), (FOLLOWER, step.changes)):
            if lines:
                self._cursors[name] = lines[-1].number
        if keep:
            self.keep()

    def keep(self) -> None:
        """Remember how far we have come."""
        for name, number in self._cursors.items():
            if number != self._kept[name]:
                self._store.set_cursor(name, number)
                self._kept[name] = number


def worth_telling(change: Change, config: Config) -> Change | None:
    """The part of a change of which others are told: nothing that was deleted, and of a source nothing old."""
    if change.kind in ("deletion", RETENTION):
        return None
    if change.origin == ANONYMOUS.name or ":" in change.origin:  # a client; a source's id holds no colon
        return change
    oldest = change.received_at - round(config.publish_max_age * SECOND)
    return msgspec.structs.replace(change, start=max(change.start, oldest)) if change.end >= oldest else None
