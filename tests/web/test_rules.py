"""The worker's thread of rules, and the commands, over a small city."""

import json
import threading

import msgspec
import pytest
from tests.knowledge.town import COUNTED, doubled
from tests.web.simple import city, lines, make_intake, payload

from allmende.domain.rule_files import parse_rules
from allmende.web.accounts.models import AuditEntry
from allmende.web.cli import main
from allmende.web.config import Config
from allmende.web.house import furnish, open_store
from allmende.web.worker.rules import RulesThread

RULES = (
    doubled("counts", "count", more=COUNTED).encode()
    + b"""
[rules.wrong]
version = 1
title = { de = "Falsch", en = "Wrong" }
dataset = "counts"
[rules.wrong.inputs.count]
property = "count"
[rules.wrong.outputs.twice]
property = { id = "twice", name = { de = "Doppelt", en = "Twice" } }
expression = "count * 2 +"
"""
)
WORDS = "rules/town.toml: rules.wrong.outputs.twice.expression: line 1, column 12: it ends too early"


@pytest.fixture
def profile():
    _, rules = parse_rules({"rules/town.toml": RULES})
    return msgspec.structs.replace(city(), rules=rules)


def test_the_thread_follows_and_ends(tmp_path, profile, monkeypatch):
    monkeypatch.setattr("allmende.web.worker.rounds.close_old_connections", lambda: None)
    intake = make_intake(tmp_path, profile=profile)
    over = threading.Event()
    thread = RulesThread(intake.store, profile, Config(home=tmp_path), over)
    thread._follower.begin()
    intake.take("feed", payload(lines("a,1,5", "a,2,6")))
    thread.start()
    for _ in range(400):
        states = intake.store.sources()
        if "rule/doubled" in states:
            break
        over.wait(0.02)
    over.set()
    thread.join(10)
    assert not thread.is_alive()
    assert states["rule/doubled"].accepted == 2
    assert [rule.id for rule in thread.rules] == ["doubled"], "a rule that is wrong keeps nobody from the others"


@pytest.fixture
def run(db, monkeypatch, capsys, profile):
    """A house in the tests' database; gives exit code and output, read as JSON."""
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    monkeypatch.setattr("allmende.web.observability.logs.configure", lambda *_: None)
    monkeypatch.setenv("ALLMENDE_DISK_FLOOR", "0")
    furnish(open_store(), profile)

    def call(*arguments: str):
        code = main([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out.splitlines()[0])

    return call


def test_rules_are_listed_previewed_and_run(run, tmp_path, monkeypatch):
    from tests.web.simple import connector

    monkeypatch.setattr("allmende.connectors.registry.connectors", lambda: {"simple": connector()})
    file = tmp_path / "a.csv"
    file.write_bytes(lines("a,1,5", "a,2,6"))
    assert run("import", "feed", str(file))[0] == 0

    code, listed = run("rules")
    assert code == 0
    assert {one["id"]: one["problem"] for one in listed["rules"]} == {"doubled": "", "wrong": WORDS}

    span = ("--from", "2023-11-14", "--to", "2023-11-16")
    code, found = run("rule", "preview", "doubled", *span)
    assert (code, [one["values"] for one in found["values"]]) == (0, [{"twice": 10}, {"twice": 12}])
    assert found["actions"] == []
    assert open_store().cursor("rules") is None, "a preview leaves no trace"

    assert run("rule", "run", "doubled", *span) == (0, {"given": 2, "corrected": 0, "gone": 0, "unchanged": 0})
    assert run("rule", "run", "doubled", *span) == (0, {"given": 0, "corrected": 0, "gone": 0, "unchanged": 2})
    assert AuditEntry.objects.filter(action="rule.run", object="rule:doubled").count() == 2
    one, _ = run("rules")[1]["rules"]
    assert (one["streams"], one["given"], one["newest"]) == (1, 2, "2023-11-14T22:13:22.000Z")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rule", "run", "nobody", "--from", "2023-11-14"), "no rule"),
        (("rule", "run", "wrong", "--from", "2023-11-14"), "ends too early"),
        (("rule", "preview", "doubled", "--from", "yesterday"), "neither a day"),
        (("rule", "preview", "doubled", "--from", "2023-11-14", "--group", "x"), "no group"),
    ],
)
def test_what_is_wrong_is_told(run, arguments, words):
    code, told = run(*arguments)
    assert code != 0
    assert words in told["error"]
