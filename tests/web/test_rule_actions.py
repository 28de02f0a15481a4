"""What rules set going stands in the audit log, in the same transaction, and an operator sees it."""

import msgspec
import pytest
from tests.knowledge.town import COUNTED, doubled
from tests.support import create
from tests.web.simple import city, connector, lines

from allmende.domain.policy import house_reader
from allmende.domain.query import Query
from allmende.domain.rule_files import parse_rules
from allmende.knowledge.follow import Follower
from allmende.knowledge.prepare import prepare_rules
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import AuditEntry
from allmende.web.cli import main
from allmende.web.config import Config
from allmende.web.house import furnish, open_store
from allmende.web.observability.metrics import RULE_ACTIONS
from allmende.web.rules import RULES, AuditJournal
from allmende.web.worker.rules import RulesThread

TEXT = (
    doubled("counts", "count", more=COUNTED)
    + """
[rules.doubled.actions.gate]
capability = "gate"
when = "twice > 10"
parameters = { open = { expression = "twice > 12" } }
each = true
age = "P9999D"
limit = 2
dry_run = false

[rules.doubled.actions.trial]
capability = "gate"
when = "twice = 10"
parameters = { open = true }
age = "P9999D"
"""
)


@pytest.fixture
def town(db, monkeypatch, tmp_path):
    """A house with a gate; gives what takes in lines, and its follower."""
    _, rules = parse_rules({"rules/town.toml": TEXT.encode()})
    profile = msgspec.structs.replace(city(), rules=rules)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    monkeypatch.setattr("allmende.web.observability.logs.configure", lambda *_: None)
    monkeypatch.setattr("allmende.connectors.registry.connectors", lambda: {"simple": connector()})
    monkeypatch.setenv("ALLMENDE_DISK_FLOOR", "0")
    store = open_store()
    furnish(store, profile)
    gate = {
        "@iot.id": "gate",
        "name": "Gate",
        "description": "-",
        "taskingParameters": {"type": "DataRecord", "field": [{"name": "open", "type": "Boolean"}]},
        "Actuator": {"name": "Gate", "description": "-", "encodingType": "text/plain", "metadata": "-"},
        "Thing": {"name": "Gate", "description": "-"},
    }
    create(store, "TaskingCapability", gate, reader=house_reader("test"))

    def take(*rows: str) -> None:
        file = tmp_path / "rows.csv"
        file.write_bytes(lines(*rows))
        assert main(["import", "feed", str(file)]) == 0

    return profile, store, take


def tasks(store):
    rows = store.find(Query(entity="Task", reader=RULES, select=("taskingParameters",))).rows
    return {row[1]: msgspec.json.decode(row[2]) for row in rows}


def test_the_worker_acts_and_an_operator_sees_it(town, capsys, tmp_path):
    profile, store, take = town
    thread = RulesThread(store, profile, Config(home=tmp_path), stop=None)
    thread._follower.begin()
    take("a,1,5", "a,2,6", "a,3,7", "a,4,8")
    counter = RULE_ACTIONS.labels("doubled", "gate", "fired")
    before = counter._value.get()
    thread._note(thread._follower.step())
    assert counter._value.get() == before + 2
    entries = AuditEntry.objects.filter(actor="house:rules", action__startswith="rule.task.").order_by("id")
    told = [(entry.action, entry.object) for entry in entries]
    assert sorted(told) == [
        ("rule.task.dry", "rule:doubled/trial"),
        ("rule.task.fired", "rule:doubled/gate"),
        ("rule.task.fired", "rule:doubled/gate"),
        ("rule.task.limited", "rule:doubled/gate"),
    ]
    fired = [entry.detail for entry in entries if entry.action == "rule.task.fired"]
    assert tasks(store) == {detail["task"]: detail["parameters"] for detail in fired}
    assert [detail["parameters"] for detail in fired] == [{"open": False}, {"open": True}]

    capsys.readouterr()
    assert main(["rules", "--json"]) == 0
    gate, trial = msgspec.json.decode(capsys.readouterr().out)["actions"]
    assert gate["lately"] == {"fired": 2, "dry": 0, "limited": 1, "refused": 0}
    assert (gate["dry_run"], gate["limit"], gate["problems"]) == (False, 2, [])
    assert (trial["dry_run"], trial["lately"]["dry"], trial["deeds"][0]["parameters"]) == (True, 1, {"open": True})
    assert main(["rules"]) == 0
    said = capsys.readouterr().out
    assert "doubled/gate  gate(open=True)" in said
    assert "dry     doubled/trial" in said


def test_without_its_entry_there_is_no_task(town, monkeypatch):
    profile, store, take = town
    follower = Follower(store, prepare_rules(profile).rules, RULES, lambda: 10**15, journal=AuditJournal())
    follower.begin()
    take("a,1,6")

    def fall(*arguments, **detail):
        record(*arguments, **detail)
        raise OSError("the machine fell")

    monkeypatch.setattr("allmende.web.accounts.audit.record", fall)
    with pytest.raises(OSError, match="fell"):
        follower.step()
    assert (tasks(store), AuditEntry.objects.filter(action__startswith="rule.").count()) == ({}, 0)
    monkeypatch.undo()
    follower.step()
    assert (len(tasks(store)), AuditEntry.objects.filter(action="rule.task.fired").count()) == (1, 1)
