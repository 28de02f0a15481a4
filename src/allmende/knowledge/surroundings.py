"""Who reads what, kept true while things and streams come and go: shared by all that follow the change log with a
choice of streams of their own."""

from collections.abc import Sequence

from allmende.domain.logs import Change, EntityChange
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.knowledge.groups import Group, find_groups
from allmende.knowledge.prepare import Rule

_LINES = 5_000


class Surroundings:
    """The groups of rules, and by stream who reads it. Used by one thread."""

    def __init__(self, store: Store, rules: Sequence[Rule], reader: Reader) -> None:
        self._store = store
        self._rules = rules
        self._reader = reader
        self.groups: dict[str, dict[str, Group]] = {}
        """By rule and key."""
        self.readers: dict[str, set[tuple[str, str]]] = {}
        """By stream: rules and keys of their groups."""
        self.problems: list[str] = []
        """What keeps streams out of groups, in words."""
        self._entities: int | None = None
        """The last line of the log of entities that was looked at."""
        self._looked_at: set[str] = set()
        """Ids of streams that spoke since, whether a rule reads them or not."""
        self._standing: set[str] = set()

    def look(self, changes: Sequence[Change] = ()) -> bool:
        """Find the groups again where a stream speaks that nobody looked at yet, or something changed that may matter;
        whether it was done.

        Behind the reading of the change log: whoever's readings are in it is there by now. That a stream is new is seen
        by its readings, since the newest line of the log of entities may hide one that is committed later.
        """
        speaking = {change.stream for change in changes}
        fresh = bool(speaking - self._looked_at)
        # No log tells of entities that went.
        if self._entities is None or fresh or any(change.kind == "deletion" for change in changes):
            # What is there by now is found; a line that is not visible yet has a higher number.
            self._entities = self._store.newest_entity_change()
            matters = True
        else:
            matters = self._hear()
        if matters:
            self._find()
        self._looked_at |= speaking
        return matters

    def _hear(self) -> bool:
        """Read the log of entities to its end; whether anything of it matters."""
        assert self._entities is not None
        matters = False
        while lines := self._store.entity_changes(self._entities, _LINES):
            matters = matters or any(map(self._matters, lines))
            self._entities = lines[-1].number
            if len(lines) < _LINES:
                break
        return matters

    def _find(self) -> None:
        self.problems = []
        self._standing = set()
        self.readers = {}
        for rule in self._rules:
            found = find_groups(self._store, self._reader, rule)
            self.groups[rule.id] = found.groups
            self._standing |= found.standing
            self.problems += found.problems
            for key, group in found.groups.items():
                for stream in group.streams:
                    self.readers.setdefault(stream, set()).add((rule.id, key))

    def _matters(self, line: EntityChange) -> bool:
        """Whether groups may be others by it. Vehicles move all the time: where most things are does not matter."""
        if line.entity == "Thing" and line.fields == ("Locations",):
            return line.id in self._standing
        return line.entity in ("Datastream", "ObservedProperty", "Thing")
