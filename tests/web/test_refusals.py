"""What a check finds is said in the reader's language, with its place as a clerk knows it; English stays as it was."""

import ast

import pytest
from django.utils import translation
from tests.web.office import RULE, living_in, make_town
from tools.messages import CHECKED

from allmende.domain.errors import AllmendeError, LimitExceeded
from allmende.web.office import revisions
from allmende.web.office.refusals import refusal, say_error
from allmende.web.office.undoing import Overlaid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def town(tmp_path, settings, db):
    with living_in(make_town(tmp_path / "town"), settings), translation.override("de"):
        yield


def told(kind: str, key: str, **changed: object) -> AllmendeError:
    body = {**(revisions.current(kind, key) or {}), **changed}
    with pytest.raises(AllmendeError) as caught:
        revisions.save_draft(kind, key, body, "cli:x")
    return caught.value


@pytest.mark.parametrize(
    ("kind", "key", "changed", "words", "english"),
    [
        ("dataset", "counts", {"themes": ["X"]}, "„X“ ist nichts davon: ", '"X" is none of '),
        ("dataset", "counts", {"counts_of_people": 2.5}, "erwartet wird `int`", "expected `int`, got `float`"),
        ("dataset", "counts", {"access": "shut"}, "gehört nicht zu den möglichen", "invalid enum value 'shut'"),
        ("dataset", "counts", {"title": {"de": "x"}}, "fehlt: Jede Sprache", "is missing: every language"),
        ("source", "feed", {"dataset": "x"}, "es gibt keinen Datensatz „x“; es gibt counts", "there is no dataset"),
        ("source", "feed", {"contract": {"interval": "x"}}, "'x' ist keine Dauer", "'x' is no ISO 8601 duration"),
        ("retention", "all", {"keep": "long"}, "ist keine Dauer nach ISO 8601", "is no ISO 8601"),
        ("rule", "doubled", {**RULE, "steps": {"a": "count *"}}, "Zeile 1, Spalte", "line 1, column"),
        (
            "rule",
            "doubled",
            {**RULE, "steps": {"a": "cuont"}},
            "nichts heißt hier „cuont“",
            'nothing is called "cuont"',
        ),
    ],
)
def test_a_mistake_of_a_clerk_is_told_in_german(kind, key, changed, words, english):
    error = told(kind, key, **changed)
    assert words in say_error(error)
    assert english in str(error)
    with translation.override("en"):
        assert say_error(error) == error.message


def test_a_place_in_another_table_is_called_as_a_clerk_calls_it():
    revisions.release(
        revisions.save_draft("rule", "doubled", {**RULE, "steps": {"a": "count"}}, "cli:x"), "cli:x", seen=1
    )
    draft = revisions.save_draft("dataset", "fresh", revisions.current("dataset", "counts"), "cli:x", bundle="b")
    source = {**revisions.current("source", "feed"), "dataset": "fresh"}
    revisions.release(revisions.save_draft("source", "feed", source, "cli:x", bundle="b"), "cli:x", seen=1)
    with pytest.raises(AllmendeError) as caught:
        revisions.undo(revisions.released("dataset", "fresh"), "cli:x")
    assert draft.key == "fresh"
    assert refusal(caught.value) == (
        "Das passt nicht zum Übrigen: Quelle „Zähler“, Datensatz: es gibt keinen Datensatz „fresh“; es gibt counts"
    )


def test_what_was_changed_again_is_told_with_the_revision():
    told = refusal(Overlaid("dataset", {"publisher": [2], "title.de": [3, 4]}))
    assert "Herausgeber (durch Fassung 2); Titel (Deutsch) (durch Fassung 3, 4)" in told
    assert "Nehmen Sie zuerst die spätere Änderung zurück" in told


def test_a_limit_names_its_setting():
    assert say_error(LimitExceeded("x", setting="ALLMENDE_X")) == "x (Grenze: ALLMENDE_X)"


def test_no_message_of_a_check_is_glued_together():
    """What is glued together cannot be found in a catalogue."""
    glued = [
        f"{path.name}:{node.lineno}"
        for path in CHECKED
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("ProfileError", "RuleError", "_fail")
        and any(isinstance(each, ast.JoinedStr) for each in node.args[int(node.func.id != "RuleError") :][:1])
    ]
    assert glued == []
