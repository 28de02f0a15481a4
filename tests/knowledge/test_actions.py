"""Actions of rules: tasks that are written once, at the right time, within their bounds, or not at all."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from allmende.domain.errors import StorageBusy
from allmende.domain.profile_checks import ProfileError
from allmende.domain.retention import Retention, parse_retention
from allmende.domain.rule_files import parse_rules
from allmende.domain.store import Store
from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.acting import Deed, Foresight
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.follow import Follower
from allmende.knowledge.prepare import Rule, prepare_rules
from allmende.knowledge.rerun import run_again, work_out
from allmende.storage.retention import RetentionWork
from tests.knowledge.town import NOW, Clock, profile, readings, ready, send, settle
from tests.storage.conftest import store as store
from tests.support import HOUSE, ask, create

RULE = """
[rules.watering]
version = 1
title = { de = "Gießen", en = "Watering" }
dataset = "parking"
by = "thing"
[rules.watering.inputs.level]
property = "level"
single = true
[rules.watering.outputs.dryness]
property = { id = "dryness", name = { de = "Trockenheit", en = "Dryness" } }
expression = "100 - level"
"""
VALVE = """
[rules.watering.actions.open]
capability = "{thing}-valve"
when = "dryness > 50"
dry_run = false
[rules.watering.actions.open.parameters]
state = "open"
minutes = { expression = "round((100 - level) / 10)" }
"""
FIELDS = [
    {"name": "state", "type": "Category", "constraint": {"type": "AllowedTokens", "value": ["open", "shut"]}},
    {"name": "minutes", "type": "Count", "constraint": {"interval": [0, 9]}, "optional": True},
]


class Journal:
    """What was noted; takes part in no transaction."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.noted: list[tuple[int, Deed]] = []

    def lately(self, rule: str, action: str, since: int) -> Counter[str]:
        return Counter(d.fate for at, d in self.noted if at >= since and (d.rule, d.action) == (rule, action))

    def note(self, deed: Deed) -> None:
        self.noted.append((self.clock(), deed))

    @property
    def fates(self) -> list[str]:
        return [deed.fate for _, deed in self.noted]


class Garden:
    """A store with valves, a follower that acts, and what it noted."""

    def __init__(self, store: Store, rules: list[Rule], limits: Limits | None = None) -> None:
        self.store, self.rules, self.clock, self.limits = store, rules, Clock(), limits
        self.journal = Journal(self.clock)
        self.follower = self.start()

    def start(self) -> Follower:
        follower = Follower(
            self.store, self.rules, HOUSE, self.clock, journal=self.journal, limits=self.limits or Limits()
        )
        follower.begin()
        self.follower = follower
        return follower

    def measure(self, *readings: tuple[int, Any], stream: str = "a~level") -> list[str]:
        """Readings come in; gives the fates of what the rules did then."""
        before = len(self.journal.noted)
        send(self.store, stream, list(readings), at=self.clock())
        settle(self.follower)
        return [deed.fate for _, deed in self.journal.noted[before:]]

    def tasks(self) -> list[dict[str, Any]]:
        rows = ask(self.store, "Task", select=("taskingParameters",), top=100).rows
        return [msgspec.json.decode(row[2]) for row in rows]


def plant(store: Store, *things: str, kind: str = "bed", fields: list[Any] = FIELDS) -> None:
    for thing in things:
        send(store, f"{thing}~level", {NOW - 24 * HOUR: 99}, properties={"kind": kind})
        body = {
            "@iot.id": f"{thing}-valve",
            "name": "Valve",
            "description": "lets water flow",
            "taskingParameters": {"type": "DataRecord", "field": fields},
            "Actuator": {"name": "Valve", "description": "-", "encodingType": "text/plain", "metadata": "-"},
            "Thing": {"@iot.id": thing},
        }
        create(store, "TaskingCapability", body, dataset="parking")


@pytest.fixture
def garden(store: Store) -> Callable[..., Garden]:
    def make(action: str = VALVE, *things: str, limits: Limits | None = None) -> Garden:
        plant(store, *(things or ("a",)))
        made = Garden(store, ready(RULE + action), limits)
        settle(made.follower)
        return made

    return make


def test_a_task_is_written_when_it_becomes_true(garden: Callable[..., Garden]) -> None:
    town = garden()
    assert town.measure((NOW, 60)) == []
    town.clock.now += MINUTE
    assert town.measure((NOW + MINUTE, 40)) == ["fired"]
    assert town.tasks() == [{"state": "open", "minutes": 6}], "a whole number, as a Count asks for"
    assert town.measure((NOW + MINUTE + 1, 30)) == [], "it is true still"
    assert town.measure((NOW + MINUTE + 2, 60), (NOW + MINUTE + 3, 40)) == ["fired"], "it became true again"
    deed = town.journal.noted[0][1]
    row = ask(town.store, "Task", id=deed.task, select=("id",)).rows
    assert row, "the journal says which task"
    assert (deed.group, deed.time, deed.capability) == ("a", NOW + MINUTE, "a-valve")
    assert deed.version == town.rules[0].edition


def test_with_each_value_where_that_is_said(garden: Callable[..., Garden]) -> None:
    town = garden(VALVE.replace("dry_run = false", "dry_run = false\neach = true"))
    assert town.measure((NOW, 40), (NOW + 1, 41), (NOW + 2, 90), (NOW + 3, 45)) == ["fired"] * 3
    assert town.measure((NOW + 3, 44)) == [], "a value that is corrected is one value"
    assert len(town.tasks()) == 3


def test_a_dry_run_writes_nothing_but_says_so(garden: Callable[..., Garden]) -> None:
    town = garden(VALVE.replace("dry_run = false", ""))
    assert town.measure((NOW, 40)) == ["dry"]
    assert town.tasks() == []
    deed = town.journal.noted[0][1]
    assert (deed.parameters, deed.task) == ({"state": "open", "minutes": 6}, "")
    town.measure((NOW + 1, 90))
    assert town.measure((NOW + 2, 0)) == ["refused"], "ten minutes are too many: a dry run tells that, too"


def test_what_exceeds_the_limit_is_told_and_not_done_later(garden: Callable[..., Garden]) -> None:
    town = garden(VALVE.replace("dry_run = false", "dry_run = false\neach = true\nlimit = 2"), "a", "b")
    assert town.measure((NOW, 40), (NOW + 1, 40)) == ["fired", "fired"]
    assert town.measure((NOW, 40), stream="b~level") == ["limited"], "one limit for all groups"
    assert town.measure((NOW + 1, 40), stream="b~level") == [], "it is written down once an hour …"
    send(town.store, "b~level", {NOW + 2: 40})
    assert [deed.fate for deed in town.follower.step().deeds] == ["limited"], "… and counted each time"
    settle(town.follower)
    town.clock.now += HOUR + MINUTE
    settle(town.start())
    assert len(town.tasks()) == 2, "nothing was waiting"
    assert town.measure((town.clock(), 40)) == ["fired"]


def test_late_data_and_data_of_the_future_fire_nothing(garden: Callable[..., Garden]) -> None:
    town = garden()
    town.clock.now = NOW + HOUR
    assert town.measure((NOW + HOUR - 16 * MINUTE, 40)) == [], "too old"
    assert town.measure((NOW + HOUR + 16 * MINUTE, 40)) == [], "too far ahead"
    assert town.measure((NOW + HOUR, 40)) == ["fired"], "neither keeps the present from it"
    assert town.measure((NOW + HOUR - MINUTE, 90), (NOW + HOUR - MINUTE + 1, 40)) == [], "behind what was looked at"
    town.clock.now += HOUR
    assert town.measure((NOW + HOUR + 30 * MINUTE, 90)) == []
    assert town.measure((NOW + 2 * HOUR, 40)) == ["fired"], "that it was over was told late, but told"


def test_a_correction_of_the_newest_value_is_seen_once(garden: Callable[..., Garden]) -> None:
    town = garden()
    assert town.measure((NOW, 60)) == []
    assert town.measure((NOW, 40)) == ["fired"]
    assert town.measure((NOW, 60)) == []
    assert town.measure((NOW, 40)) == [], "one value fires once, however often it changes"
    assert town.measure((NOW + 1, 60), (NOW + 2, 40)) == ["fired"]


def test_what_is_read_again_fires_nothing(garden: Callable[..., Garden]) -> None:
    town = garden()
    assert town.measure((NOW, 40)) == ["fired"]
    town.store.set_cursor("rules", 0)
    settle(town.start())
    assert town.journal.fates == ["fired"]
    town.store.set_cursor("time:act/watering/open/a", 0)
    town.store.set_cursor("rules", 0)
    settle(town.start())
    assert (len(town.tasks()), town.journal.fates) == (1, ["fired"]), "the task says that it was written"


def test_a_re_run_fires_nothing(store: Store) -> None:
    chained = RULE.replace('property = "level"', 'rule = "raw.level"')
    raw = RULE.replace("watering", "raw").replace("dryness", "level").replace('"100 - level"', '"level + EXTRA"')
    raw = raw.replace('id = "level"', 'id = "raw-level"').replace(
        "outputs.level]", 'outputs.level]\nstream = "{thing}~raw"'
    )
    plant(store, "a")
    town = Garden(store, ready(raw.replace("EXTRA", "50") + chained + VALVE))
    assert town.measure((NOW - MINUTE, 40), (NOW, 40)) == []
    # The new rule says otherwise of the same readings, which are young.
    town.rules = ready(raw.replace("EXTRA", "0") + chained + VALVE)
    first = next(rule for rule in town.rules if rule.id == "raw")
    last = next(rule for rule in town.rules if rule.id == "watering")
    town.start()
    for rule in (first, last):
        run_again(store, HOUSE, rule, NOW - HOUR, NOW + HOUR, town.clock, Limits(), most=1000)
        settle(town.follower)
    assert town.journal.fates == []
    assert town.measure((NOW + 1, 40)) == ["fired"]


def test_what_retention_takes_is_no_news(garden: Callable[..., Garden]) -> None:
    town = garden(VALVE.replace("dryness > 50", "dryness > 50 or not known(dryness)"))
    assert town.measure(*((NOW + n, 60) for n in range(5))) == []
    kept = readings(town.store, "a~dryness")
    rules = parse_retention({"short": {"stream": "a~level", "keep": "P1D"}})
    store: Any = town.store
    work = RetentionWork(store._connections, store._engine, Retention(rules, "UTC"))
    gone = [work.apply(found, NOW + 2 * 24 * HOUR) for found in work.streams()]
    assert sum(one.gone for one in gone) == 6
    settle(town.start())
    assert readings(town.store, "a~dryness") == kept
    assert town.journal.fates == []


def test_a_fault_at_the_commit_loses_and_doubles_nothing(
    garden: Callable[..., Garden], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = garden()
    keep = town.store.set_cursor
    send(town.store, "a~level", {NOW: 40})

    def break_down(name: str, number: int) -> None:
        if name == "rules":
            raise StorageBusy("the machine fell")
        keep(name, number)

    monkeypatch.setattr(town.store, "set_cursor", break_down)
    with pytest.raises(StorageBusy):
        town.follower.step()
    assert town.journal.fates == ["fired"], "it had come to that"
    assert town.tasks() == [], "the task, the values and the cursor are one transaction"
    monkeypatch.undo()
    town.journal.noted.clear()  # the real one is in that transaction, too
    settle(town.start())
    assert (town.journal.fates, len(town.tasks())) == (["fired"], 1)
    settle(town.start())
    assert len(town.tasks()) == 1


def test_without_a_journal_nothing_is_done(store: Store) -> None:
    plant(store, "a")
    follower = Follower(store, ready(RULE + VALVE), HOUSE, Clock())
    follower.begin()
    send(store, "a~level", {NOW: 40})
    settle(follower)
    assert ask(store, "Task", select=("id",)).rows == []


@pytest.mark.parametrize("mode", ["dry_run = false", "dry_run = true"])
def test_traffic_signals_are_refused(garden: Callable[..., Garden], mode: str) -> None:
    town = garden(VALVE.replace("dry_run = false", mode))
    # A thing that becomes a signal behind its capability's back.
    send(town.store, "a~level", {NOW: 60}, properties={"kind": "traffic-signals"})
    settle(town.start())
    send(town.store, "a~level", {NOW + 1: 40}, properties={"kind": "traffic-signals"})
    settle(town.follower)
    assert town.journal.fates == ["refused"]
    assert "is only read here" in town.journal.noted[0][1].reason
    assert any("is only read here" in problem for problem in town.follower.problems)
    assert town.tasks() == []


def test_a_capability_that_is_not_there_is_told(garden: Callable[..., Garden]) -> None:
    town = garden(VALVE.replace("{thing}-valve", "valv"))
    assert town.measure((NOW, 40)) == ["refused"]
    assert town.follower.problems == [
        'rules/town.toml: rules.watering.actions.open: there is no TaskingCapability "valv"'
    ]


def test_windows_are_judged_by_their_end(garden: Callable[..., Garden]) -> None:
    hourly = RULE.replace('by = "thing"', 'by = "thing"\nwindow = { every = "PT1H", grace = "PT30M" }')
    hourly = hourly.replace("single = true", 'take = "readings"').replace("100 - level", "100 - mean(level)")
    valve = VALVE.replace("(100 - level) / 10", "dryness / 10")
    town = garden(valve)
    town.rules = ready(hourly + valve)
    town.start()
    send(town.store, "a~level", {NOW: 40, NOW + MINUTE: 50})
    town.clock.now = NOW + HOUR + 31 * MINUTE
    settle(town.follower)
    assert town.journal.fates == ["fired"], "an hour after its beginning, as soon as it is over"
    assert town.journal.noted[0][1].time == NOW


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("limit", "limit = 0"), "actions.open.limit: is how many"),
        (("age", 'age = "soon"'), "actions.open.age"),
        (("until", "until = 3"), "actions.open.until: is no known key"),
    ],
)
def test_a_wrong_key_is_named(change: tuple[str, str], words: str) -> None:
    text = RULE + VALVE.replace("dry_run = false", change[1])
    with pytest.raises(ProfileError, match=f"rules/town.toml: rules.watering.{words}"):
        parse_rules({"rules/town.toml": text.encode()})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dryness > 50", "dryness", "actions.open.when: is true or false"),
        ("dryness > 50", "wetness > 1", 'actions.open.when: line 1, column 1: nothing is called "wetness"'),
        ("round((100 - level) / 10)", "1 +", "actions.open.parameters.minutes.expression: line 1"),
    ],
)
def test_a_wrong_expression_is_named(old: str, new: str, words: str) -> None:
    problems = prepare_rules(profile(RULE + VALVE.replace(old, new))).problems
    assert problems["watering"].startswith(f"rules/town.toml: rules.watering.{words}")


def test_actions_do_not_change_what_a_rule_gives() -> None:
    plain, acting = (ready(text)[0] for text in (RULE, RULE + VALVE))
    assert plain.edition == acting.edition


def test_a_look_at_the_past_says_what_would_have_been_done(garden: Callable[..., Garden]) -> None:
    town = garden()
    told = {NOW + n * MINUTE: level for n, level in enumerate((60, 40, 30, 70, 20))}
    send(town.store, "a~level", told)
    foresight = Foresight(town.rules[0])
    pieces = work_out(town.store, HOUSE, town.rules[0], NOW, NOW + HOUR, Limits(), most=100)
    found = [one for piece in pieces for one in foresight.look(*piece)]
    assert [(one.time - NOW, one.parameters["minutes"]) for one in found] == [(MINUTE, 6), (4 * MINUTE, 8)]
    assert {one.capability for one in found} == {"a-valve"}
    assert town.tasks() == []
