"""Rules changed in the browser: drafted, looked at, proposed, released by another, undone, run over the past."""

import threading
from pathlib import Path

import pytest
from django.test import Client
from tests.knowledge.town import COUNTED, NOW, Clock, doubled, send, settle
from tests.web.office import RULE, living_in, make_town

from allmende.domain.times import MINUTE
from allmende.knowledge.follow import Follower
from allmende.knowledge.prepare import prepare_rules
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.config import load_config
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.office import revisions
from allmende.web.rulebook.form import to_fields
from allmende.web.rulebook.models import RuleRun
from allmende.web.rulebook.runs import RunsThread
from allmende.web.rules import RULES

pytestmark = pytest.mark.django_db
WORD = "a long enough word"
TEXT = doubled("counts", "count", of="ticks", more=COUNTED.replace("twice", "doubled"))
SPAN = {"from": "2026-05-31", "to": "2026-06-02"}


@pytest.fixture
def town(tmp_path: Path, settings):
    folder = make_town(tmp_path / "town")
    (folder / "rules" / "town.toml").write_text(TEXT)
    with living_in(folder, settings):
        store = open_store()
        furnish(store, open_profile())
        rules = prepare_rules(open_profile()).rules
        follower = Follower(store, rules, RULES, Clock())
        follower.begin()
        for thing in ("a", "b"):
            send(store, f"{thing}~ticks", {NOW + n * MINUTE: n for n in range(3)}, observed="ticks", dataset="counts")
        settle(follower)
        yield store


def person(name: str) -> Client:
    User.objects.create_superuser(name, "", WORD)
    client = Client(headers={"accept-language": "de"})
    assert client.login(username=name, password=WORD)
    return client


def typed(**changed: str) -> dict[str, str]:
    body = revisions.current("rule", "doubled")
    assert body is not None
    return {**to_fields(body), **changed}


def test_those_who_may_not_are_kept_out(town):
    for path in ("/rules/new/", "/rules/doubled/edit/", "/rules/doubled/history/", "/rules/count/"):
        assert Client().get(path).status_code == 302
    User.objects.create_user("otto", "", WORD)
    otto = Client(headers={"accept-language": "de"})
    assert otto.login(username="otto", password=WORD)
    assert otto.get("/rules/doubled/edit/").status_code == 403
    assert otto.post("/rules/doubled/decide/", {"do": "release"}).status_code == 403
    assert otto.post("/rules/doubled/run/", SPAN).status_code == 403
    assert "Bearbeiten" not in otto.get("/rules/doubled/").text


def test_a_change_goes_its_way(town):
    anna, bert = person("anna"), person("bert")
    changed = typed(**{"output-0-expression": "count * 3", "reason": "dreifach"})
    answer = anna.post("/rules/doubled/edit/", {**changed, "seen": "0", "do": "check"})
    assert "Noch ist nichts gespeichert" in answer.text
    assert revisions.open_revision("rule", "doubled") is None
    answer = anna.post("/rules/doubled/edit/", {**changed, "seen": "0", "do": "propose"}, follow=True)
    assert "Die Änderung ist vorgeschlagen" in answer.text
    assert "outputs.twice.expression" in answer.text
    assert "Jemand anderes muss sie freigeben" in answer.text
    draft = revisions.open_revision("rule", "doubled")
    assert draft.body["version"] == 2, "another word is another version"

    past = bert.get("/rules/doubled/history/", SPAN).text
    assert "<path" in past
    assert past.count("ändert sich") == 2, "of the first group; nothing stays nothing"
    assert "ändert sich" not in bert.get("/rules/doubled/history/", {**SPAN, "which": "force"}).text

    answer = bert.post("/rules/doubled/decide/", {"do": "release", "seen": str(draft.turn)}, follow=True)
    assert "Die Änderung gilt" in answer.text
    assert open_profile().rules["doubled"].outputs["twice"].expression == "count * 3"
    assert "Fassung 1, freigegeben" in Client(headers={"accept-language": "de"}).get("/rules/doubled/").text
    answer = bert.post("/rules/doubled/decide/", {"do": "undo"}, follow=True)
    assert "Es ist wieder wie zuvor" in answer.text
    assert open_profile().rules["doubled"].version == 1


def test_what_is_wrong_is_told_at_its_place_in_the_text(town):
    anna = person("anna")
    answer = anna.post("/rules/doubled/edit/", {**typed(**{"output-0-expression": "count * * 2"}), "do": "save"})
    assert answer.status_code == 422
    assert 'aria-describedby=" error-output-0-expression"' in answer.text
    assert "count * <mark>*</mark> 2" in answer.text
    answer = anna.post("/rules/doubled/edit/", {**typed(**{"input-0-unit": "furlong"}), "do": "save"})
    assert 'id="error-input-0-unit"' in answer.text
    answer = anna.post("/rules/doubled/edit/", {**typed(parameters="limit"), "do": "save"})
    assert "Zeile 1: Schreiben Sie Name = Wert" in answer.text
    assert revisions.open_revision("rule", "doubled") is None


def test_two_who_save_at_once_are_told(town):
    anna, bert = person("anna"), person("bert")
    assert anna.post("/rules/doubled/edit/", {**typed(), "seen": "0", "do": "save"}).status_code == 302
    late = bert.post("/rules/doubled/edit/", {**typed(**{"title-de": "Anders"}), "seen": "0", "do": "save"})
    assert late.status_code == 409
    assert "anna hat diesen Entwurf" in late.text
    assert 'value="Anders"' in late.text, "what was typed is not lost"


def test_a_new_rule_is_made(town):
    anna, bert = person("anna"), person("bert")
    assert "Zurzeit passen 2 Reihen" in anna.get(
        "/rules/count/", {"n": "0", "input-0-way": "property", "input-0-selector": "ticks"}
    ).text  # fmt: skip
    fields = to_fields({**RULE, "inputs": {"count": {"property": "ticks"}}})
    assert anna.post("/rules/new/", {**fields, "key": "New One", "do": "save"}).status_code == 422
    assert "gibt es schon" in anna.post("/rules/new/", {**fields, "key": "doubled", "do": "save"}).text
    answer = anna.post("/rules/new/", {**fields, "key": "again", "do": "save"}, follow=True)
    assert "Diese Regel gilt nicht" in answer.text
    assert Client().get("/rules/again/").status_code == 404
    assert "again" in bert.get("/rules/").text
    draft = revisions.open_revision("rule", "again")
    bert.post("/rules/again/decide/", {"do": "release", "seen": str(draft.turn)})
    assert Client().get("/rules/again/").status_code == 200


def test_the_worker_works_the_past_out_anew(town, settings):
    anna = person("anna")
    target = revisions.current("rule", "doubled")
    target["outputs"]["twice"]["expression"] = "count * 5"
    draft = revisions.save_draft("rule", "doubled", target, "cli:anna")
    revisions.release(draft, "cli:anna", seen=draft.turn)
    wrong = anna.post("/rules/doubled/run/", {"from": "2026-06-02", "to": "2026-06-01"}, follow=True)
    assert "der letzte Tag liegt vor dem ersten" in wrong.text
    assert anna.post("/rules/doubled/run/", SPAN).status_code == 302
    assert "wartet auf den Hintergrunddienst" in anna.get("/rules/doubled/").text
    thread = RunsThread(town, open_profile(), load_config(), threading.Event())
    assert thread.step()
    assert not thread.step()
    run = RuleRun.objects.get()
    assert (run.state, run.given, run.corrected, run.unchanged) == ("done", 0, 4, 2)
    assert "4 anders" in anna.get("/rules/doubled/").text
    assert AuditEntry.objects.filter(action="rule.run", actor="user:anna").count() == 1
    made = Client(headers={"accept-language": "de"}).get("/rules/doubled/value/", {"stream": "a~ticks~doubled"}).text
    assert "<strong>10 </strong>" in made


def test_a_run_that_cannot_be_done_says_why(town):
    RuleRun.objects.create(rule="gone", start="2026-05-31T00:00Z", end="2026-06-01T00:00Z")
    thread = RunsThread(town, open_profile(), load_config(), threading.Event())
    assert thread.step()
    assert "no rule" in RuleRun.objects.get().fault


def test_what_a_rule_sets_going_is_typed_and_told_before_it_does_so_for_real(town):
    anna, bert = person("anna"), person("bert")
    page = anna.get("/rules/doubled/edit/").text
    assert 'name="action-0-capability"' in page
    action = {
        "action-0-name": "open",
        "action-0-capability": "valve",
        "action-0-when": "count > ",
        "action-0-real": "on",
    }
    answer = anna.post("/rules/doubled/edit/", {**typed(**action), "do": "save"})
    assert answer.status_code == 422
    assert 'id="error-action-0-when"' in answer.text
    action |= {"action-0-when": "count > 1", "action-0-limit": "3"}
    page = anna.post("/rules/doubled/edit/", {**typed(**action), "do": "propose"}, follow=True).text
    assert "valve" in page
    assert "bis zu 3" in page, "whoever releases is told that it is for real"
    bert.post("/rules/doubled/decide/", {"do": "release", "seen": "1"})
    made = open_profile().rules["doubled"].actions["open"]
    assert (made.capability, made.when, made.limit, made.dry_run) == ("valve", "count > 1", 3, False)
    assert "valve" in bert.get("/rules/doubled/").text
