"""What rules set going: a Task for a TaskingCapability, in the transaction that keeps the values it comes from.

An action looks at the values of a group in the order of their times, and at each of them once: how far it has come is
kept with the values. What comes behind a value that it has looked at, what is too far from the present, and what a
re-run gives is passed over, so that nothing is opened today for the sake of yesterday.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from allmende.domain.batch import Batch, Ref
from allmende.domain.creation import plan_creation
from allmende.domain.errors import AllmendeError, InvalidInput, StorageError
from allmende.domain.logs import TIME_FOLLOWER
from allmende.domain.policy import Reader
from allmende.domain.query import Expand, Query
from allmende.domain.rules import micros
from allmende.domain.store import Store
from allmende.domain.tasking import check_parameters, check_steerable
from allmende.domain.times import HOUR, format_instant
from allmende.knowledge.actions import Action, Wish
from allmende.knowledge.evaluate import Outcome
from allmende.knowledge.groups import Group
from allmende.knowledge.prepare import Rule
from allmende.knowledge.write import filled

Fate = Literal["fired", "dry", "limited", "refused"]
FATES: tuple[Fate, ...] = ("fired", "dry", "limited", "refused")
Span = tuple[int, int]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an action's wish."""

    rule: str
    action: str
    fate: Fate
    """``fired``: the task was written; ``dry``: it would have been; ``limited``: there were too many within the hour;
    ``refused``: the capability is not there, or does not take it."""
    group: str
    time: int
    """Of the value, as the rule's streams bear it."""
    version: str
    capability: str
    parameters: Any
    task: str = ""
    """The task's id, where one was written."""
    reason: str = ""


class Journal(Protocol):
    """Where it is written down what rules did; in the transaction that is open, as part of it."""

    def lately(self, rule: str, action: str, since: int) -> Mapping[str, int]:
        """How often there was each fate since a time."""

    def note(self, deed: Deed) -> None:
        """Write down one. Of those that are limited, one within an hour is handed in."""


class _Memory(NamedTuple):
    """How far an action has come with a group."""

    end: int
    holds: bool
    tried: bool
    """Whether something came of the value at ``end``."""


class Actor:
    """Does what the actions of rules ask for. To be used within the transaction that keeps the values."""

    def __init__(self, store: Store, reader: Reader, journal: Journal, clock: Callable[[], int]) -> None:
        self._store = store
        self._reader = reader
        self._journal = journal
        self._clock = clock

    def act(self, rule: Rule, group: Group, outcome: Outcome, live: Sequence[Span]) -> list[Deed]:
        """What came of an outcome; ``live`` are the spans of values that are due to what came in, not to a re-run."""
        deeds: list[Deed] = []
        for name, action in rule.actions.items():
            place = f"{TIME_FOLLOWER}act/{rule.id}/{name}/{group.key}"
            before = memory = _unpack(self._store.cursor(place))
            for stamp, wish in zip(outcome.times, outcome.wishes[name], strict=True):
                if not any(low <= wish.end <= high for low, high in live):
                    continue
                memory, wanted = self._look(rule, action, memory, wish)
                if wanted:
                    deeds += self._do(rule, name, group, stamp, wish)
            if memory != before:
                self._store.set_cursor(place, _pack(memory))
        return deeds

    def _look(self, rule: Rule, action: Action, memory: _Memory, wish: Wish) -> tuple[_Memory, bool]:
        """What is remembered after a look at a value, and whether it is wanted that something happens."""
        late = self._clock() - wish.end - micros(rule.profile.window.grace)
        if wish.end < memory.end or late < -action.age:
            return memory, False
        again = wish.end == memory.end
        if late > action.age:
            # What is too old opens nothing; but where it is over, it may become true again.
            return (memory if wish.holds else _Memory(wish.end, False, again and memory.tried)), False
        changes = wish.holds and not memory.holds
        wanted = changes or (wish.holds and action.profile.each and not again)
        wanted = wanted and not (again and memory.tried)
        return _Memory(wish.end, wish.holds, wanted or (again and memory.tried)), wanted

    def _do(self, rule: Rule, name: str, group: Group, stamp: int, wish: Wish) -> list[Deed]:
        action = rule.actions[name].profile
        task = _task_id(rule.id, name, group.key, stamp)
        if self._store.find(Query(entity="Task", reader=self._reader, id=task, select=("id",), simulated=True)).rows:
            return []  # written by somebody whose memory was lost: read back from a backup
        capability = filled(action.capability, rule, group)
        done = self._journal.lately(rule.id, name, self._clock() - HOUR)
        deed = Deed(
            rule=rule.id,
            action=name,
            fate="dry" if action.dry_run else "fired",
            group=group.key,
            time=stamp,
            version=rule.edition,
            capability=capability,
            parameters=wish.parameters,
        )
        if sum(done.get(fate, 0) for fate in FATES if fate != "limited") >= action.limit:
            deed = msgspec.structs.replace(deed, fate="limited", reason=f"{action.limit} within the hour were done")
            if not done.get("limited"):
                self._journal.note(deed)
            return [deed]
        try:
            check_task(self._store, self._reader, capability, wish.parameters)
            if not action.dry_run:
                self._write(rule, capability, task, wish.parameters)
                deed = msgspec.structs.replace(deed, task=task)
        except StorageError:
            raise
        except AllmendeError as error:
            deed = msgspec.structs.replace(deed, fate="refused", reason=str(error))
        self._journal.note(deed)
        return [deed]

    def _write(self, rule: Rule, capability: str, task: str, parameters: Any) -> None:
        now = self._clock()
        body = {"@iot.id": task, "taskingParameters": parameters}
        entities = plan_creation("Task", body, now=now, links={"TaskingCapability": Ref(id=capability)})
        self._store.append(
            Batch(
                origin=rule.origin,
                version=rule.edition,
                dataset=rule.profile.dataset,
                reader=self._reader,
                received_at=now,
                entities=entities,
            )
        )


class Foreseen(NamedTuple):
    """What an action would have had at a time, had the rule worked then: no age and no limit is looked at."""

    action: str
    group: str
    time: int
    capability: str
    parameters: Any


class Foresight:
    """What actions would have done over a past that is shown in pieces, each group's in the order of time."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._held: dict[tuple[str, str], bool] = {}

    def look(self, group: Group, outcome: Outcome) -> list[Foreseen]:
        """What would have come of a piece."""
        found: list[Foreseen] = []
        for name, wishes in outcome.wishes.items():
            action = self._rule.actions[name].profile
            held = self._held.get((name, group.key), False)
            for stamp, wish in zip(outcome.times, wishes, strict=True):
                if wish.holds and (action.each or not held):
                    capability = filled(action.capability, self._rule, group)
                    found.append(Foreseen(name, group.key, stamp, capability, wish.parameters))
                held = wish.holds
            self._held[name, group.key] = held
        return found


def check_task(store: Store, reader: Reader, capability: str, parameters: Any) -> None:
    """Raise InvalidInput for a task that the capability would not take, Forbidden where its thing is only read."""
    description = _description(store, reader, capability)
    check_parameters(description, parameters, "parameters")


def find_problems(store: Store, reader: Reader, rule: Rule, groups: Mapping[str, Group]) -> list[str]:
    """What keeps actions of a rule from being done, in words, whatever its values are."""
    problems: dict[str, None] = {}
    for name, action in rule.actions.items():
        for group in list(groups.values())[:_LOOKED_AT]:
            try:
                _description(store, reader, filled(action.profile.capability, rule, group))
            except StorageError:
                raise
            except AllmendeError as error:
                problems[f"{rule.profile.place}.actions.{name}: {error}"] = None
    return list(problems)


_LOOKED_AT = 100
"""Groups whose capabilities are looked for before anything is asked of them."""


def _description(store: Store, reader: Reader, capability: str) -> dict[str, Any]:
    """What a capability takes. Raises InvalidInput where it is not there, Forbidden where its thing is only read."""
    thing = Query(entity="Thing", reader=reader, select=("properties",), simulated=True)
    question = Query(
        entity="TaskingCapability",
        reader=reader,
        id=capability,
        select=("taskingParameters",),
        expand=(Expand(relation="Thing", query=thing),),
        simulated=True,
    )
    page = store.find(question)
    if not page.rows:
        raise InvalidInput(f'there is no TaskingCapability "{capability}"')
    pk, _, description = page.rows[0][:3]
    properties = page.expanded["Thing"][pk].rows[0][2]
    check_steerable(msgspec.json.decode(properties) if properties else {}, f"TaskingCapability {capability}")
    decoded: dict[str, Any] = msgspec.json.decode(description)
    return decoded


def _task_id(rule: str, action: str, group: str, stamp: int) -> str:
    """The same for the same value, whoever evaluates it, and however often."""
    said = msgspec.json.encode([rule, action, group, stamp])
    return f"{rule}~{action}~{format_instant(stamp)}~{blake2b(said, digest_size=6).hexdigest()}"


def _unpack(number: int | None) -> _Memory:
    return (
        _Memory(-(2**60), False, False) if number is None else _Memory(number >> 2, bool(number & 2), bool(number & 1))
    )


def _pack(memory: _Memory) -> int:
    """As the number of a cursor: a time, and two bits."""
    return memory.end * 4 + 2 * memory.holds + memory.tried
