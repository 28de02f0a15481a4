"""What makes something more open takes a second person who knows it; going back is a new revision, no way around."""

import pytest
from django.utils import translation
from tests.web.office import RULE, living_in, make_town

from allmende.domain.errors import Conflict, Forbidden
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.house import open_profile
from allmende.web.office import revisions
from allmende.web.office.consequences import consequences
from allmende.web.office.openness import compare
from allmende.web.office.undoing import Overlaid

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(tmp_path, settings, db):
    with living_in(make_town(tmp_path / "town"), settings):
        yield


@pytest.fixture
def anna(db) -> User:
    return User.objects.create_superuser("anna")


@pytest.fixture
def bert(db) -> User:
    return User.objects.create_superuser("bert")


def counts(**changed):
    return {**(revisions.current("dataset", "counts") or {}), **changed}


def put(by: User, other: User, body, **more):
    draft = revisions.save_draft("dataset", "counts", body, by)
    return revisions.release(draft, other, seen=draft.turn, **more)[0]


CLOSED = {"access": "restricted"}
PEOPLE = {"personal": {"purpose": {"de": "x"}, "delete_after": "P30D"}}
OPENS = {**RULE, "opens": {"secret": "only sums are given"}}


@pytest.mark.parametrize(
    ("kind", "old", "new", "what"),
    [
        ("dataset", CLOSED, {}, ["access"]),
        ("dataset", {"access": "protected"}, CLOSED, ["access"]),
        ("dataset", {}, CLOSED, []),
        ("dataset", None, {}, []),
        ("dataset", CLOSED, {**CLOSED, "public_description": True}, ["known"]),
        ("dataset", {**CLOSED, "counts_of_people": 10}, {**CLOSED, "counts_of_people": 5}, ["counts"]),
        ("dataset", {**CLOSED, "counts_of_people": 10}, {}, ["access", "counts"]),
        ("dataset", PEOPLE, {"personal": {**PEOPLE["personal"], "delete_after": "P1Y"}}, ["forgets"]),
        ("dataset", PEOPLE, {"personal": {**PEOPLE["personal"], "delete_after": "P7D"}}, []),
        ("dataset", PEOPLE, {}, ["forgets"]),
        ("source", {"dataset": "secret"}, {"dataset": "counts"}, ["moved"]),
        ("source", {"dataset": "counts"}, {"dataset": "secret"}, []),
        ("rule", None, OPENS, ["opens"]),
        ("rule", OPENS, RULE, []),
        ("rule", {"suppress": {"below": 10}}, {"suppress": {"below": 10, "nearest": 5}}, ["suppress"]),
        ("rule", {"suppress": {"below": 10}}, {"suppress": {"below": 20}}, []),
        ("rule", {"suppress": {"below": 10}}, {}, ["suppress"]),
        ("rule", {"dataset": "secret"}, {"dataset": "counts"}, ["moved"]),
        ("dataset", CLOSED, None, []),
    ],
)
def test_what_is_more_open_is_known_by_the_tables(kind, old, new, what):
    found = compare(kind, "it", old, new, lambda dataset: 1 if dataset == "secret" else 0)
    assert [one.what for one in found] == what


def test_to_open_takes_a_second_person_who_says_that_they_know(town, anna, bert):
    put(anna, bert, counts(access="restricted"))
    draft = revisions.save_draft("dataset", "counts", counts(access="open"), anna)
    with translation.override("en"):
        told = consequences(draft)
    assert told.openings == ["“Counts” can be read by more people than now."]
    assert told.audiences[0].before == ["administrators of this house"]
    assert told.audiences[0].after == ["everybody, without an account"]
    with pytest.raises(Conflict, match="say that they know"):
        revisions.release(draft, bert, seen=1)
    with pytest.raises(Forbidden, match="second person"):
        revisions.release(draft, anna, seen=1, knowing=True)
    revisions.release(draft, bert, seen=1, knowing=True)
    assert open_profile().datasets["counts"].access == "open"
    assert AuditEntry.objects.filter(action="office.release").latest("id").detail["opens"] == ["dataset:counts access"]


@pytest.mark.parametrize("changed", [{}, {"four_eyes": False}])
def test_nobody_opens_alone_whatever_the_settings(tmp_path, settings, anna, changed):
    with living_in(make_town(tmp_path / "town"), settings, **changed):
        put(anna, anna, counts(access="restricted"))
        with pytest.raises(Forbidden, match="second person"):
            put(anna, anna, counts(access="open"), knowing=True)
        assert open_profile().datasets["counts"].access == "restricted"


def test_to_undo_what_had_closed_something_waits_for_a_second_person(town, anna, bert):
    closed = put(anna, bert, counts(access="restricted"))
    (waiting,) = revisions.undo(closed, bert, reason="a mistake")
    assert (waiting.state, open_profile().datasets["counts"].access) == ("proposed", "restricted")
    with pytest.raises(Conflict, match="there is a draft"):
        revisions.undo(closed, bert, reason="again")
    with pytest.raises(Forbidden):
        revisions.release(waiting, bert, seen=waiting.turn, knowing=True)
    revisions.release(waiting, anna, seen=waiting.turn, knowing=True)
    assert open_profile().datasets["counts"].access == "open"


def test_an_earlier_change_is_taken_back_alone_and_what_came_later_stays(town, anna, bert):
    first = put(anna, bert, counts(publisher="The city", contact={"name": "Office", "mail": "a@b.example"}))
    put(anna, bert, counts(attribution="The city of Town"))
    (made,) = revisions.take_back(first, bert, reason="wrong office")
    now = open_profile().datasets["counts"]
    assert (now.publisher, now.attribution, now.contact) == ("Town", "The city of Town", None)
    assert (made.number, made.reason, made.state) == (3, "wrong office", "released")


def test_what_was_changed_again_is_not_taken_back_and_it_is_said_by_what(town, anna, bert):
    first = put(anna, bert, counts(publisher="One", attribution="One"))
    put(anna, bert, counts(publisher="Two"))
    put(anna, bert, counts(access="restricted"))
    with pytest.raises(Overlaid) as told:
        revisions.take_back(first, bert, reason="wrong")
    assert told.value.places == {"publisher": [2]}
    assert open_profile().datasets["counts"].attribution == "One", "nothing is half done"
