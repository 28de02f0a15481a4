"""Changes of the profile made in the browser: checked, released by a second person, undone, followed."""

import pytest
from django.utils import translation
from tests.web.office import RULE, TOWN, living_in, make_town, rewrite

from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden, LimitExceeded, NotFound
from allmende.domain.profile_checks import ProfileError
from allmende.knowledge.prepare import prepare_rules
from allmende.web import live
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.house import open_profile, open_sources
from allmende.web.office import revisions
from allmende.web.office.files import prune
from allmende.web.office.models import Revision, StoredFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(tmp_path, settings, db):
    folder = make_town(tmp_path / "town")
    with living_in(folder, settings):
        yield folder


@pytest.fixture
def anna(db) -> User:
    return User.objects.create_superuser("anna")


@pytest.fixture
def bert(db) -> User:
    return User.objects.create_superuser("bert")


def said(kind: str, key: str, **changed):
    return {**(revisions.current(kind, key) or {}), **changed}


def put(by: User, other: User, kind: str, key: str, body, **more) -> Revision:
    draft = revisions.save_draft(kind, key, body, by, **more)
    (revision, *_) = revisions.release(draft, other, seen=draft.turn)
    return revision


def test_a_change_is_drafted_proposed_released_and_undone(town, anna, bert):
    body = said("dataset", "counts", publisher="The city")
    draft = revisions.save_draft("dataset", "counts", body, anna, reason="renamed")
    assert open_profile().datasets["counts"].publisher == "Town", "a draft is nobody's business"
    (proposal,) = revisions.propose(draft, anna, seen=1)
    with pytest.raises(Forbidden, match="Four eyes"):
        revisions.release(proposal, anna, seen=1)
    assert revisions.needs_other(proposal, anna)
    assert not revisions.needs_other(proposal, bert)
    (revision,) = revisions.release(proposal, bert, seen=1)
    assert open_profile().datasets["counts"].publisher == "The city"
    assert [tuple(each) for each in revisions.changes_of(revision)] == [("publisher", "Town", "The city")]
    revisions.undo(revision, bert)
    assert open_profile().datasets["counts"].publisher == "Town"
    actions = list(AuditEntry.objects.order_by("id").values_list("action", "actor", "detail"))
    assert [(action, actor) for action, actor, _ in actions] == [
        ("office.draft", "user:anna"),
        ("office.propose", "user:anna"),
        ("office.release", "user:bert"),
        ("office.undo", "user:bert"),
    ]
    assert all(detail["changed"] == ["publisher"] for _, _, detail in actions)
    assert [each.state for each in revisions.history("dataset", "counts")] == ["released", "replaced"]


def test_what_an_earlier_revision_said_comes_back(town, anna, bert):
    for name in ("one", "two", "three"):
        last = put(anna, bert, "dataset", "counts", said("dataset", "counts", publisher=name))
    (undone,) = revisions.undo(last, bert)
    assert open_profile().datasets["counts"].publisher == "two"
    revisions.undo(undone, bert, to=1)
    assert open_profile().datasets["counts"].publisher == "one"
    revisions.undo(revisions.released("dataset", "counts"), bert, to=0)
    assert open_profile().datasets["counts"].publisher == "Town"
    with pytest.raises(ChangedMeanwhile):
        revisions.undo(last, bert)


def test_undo_is_no_way_around_the_four_eyes(town, anna, bert):
    revision = put(anna, bert, "dataset", "counts", said("dataset", "counts", publisher="one"))
    draft = revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="mine"), bert)
    with pytest.raises(NotFound, match="in force"):
        revisions.undo(revision, bert, to=draft.number)
    revisions.withdraw(draft, bert, seen=draft.turn)
    with pytest.raises(NotFound, match="in force"):
        revisions.undo(revision, bert, to=draft.number)
    assert open_profile().datasets["counts"].publisher == "one"


def test_a_table_that_is_new_goes_again(town, anna, bert):
    body = {"connector": "simple", "title": {"de": "Neu", "en": "New"}, "enabled": True, "dataset": "counts"}
    revision = put(anna, bert, "source", "fresh", body)
    assert list(open_sources()) == ["feed", "fresh"]
    revisions.undo(revision, bert)
    assert list(open_sources()) == ["feed"]
    removed = put(anna, bert, "source", "fresh", None)
    assert removed.removes
    assert revisions.current("source", "fresh") is None


def test_alone_one_may_release_and_the_audit_log_says_so(town, anna):
    User.objects.create_user("carl")  # may not release
    put(anna, anna, "dataset", "counts", said("dataset", "counts", publisher="x"))
    assert AuditEntry.objects.get(action="office.release").detail["alone"] is True


def test_four_eyes_may_be_switched_off(tmp_path, settings, anna, bert):
    with living_in(make_town(tmp_path / "town"), settings, four_eyes=False):
        put(anna, anna, "dataset", "counts", said("dataset", "counts", publisher="x"))
    assert AuditEntry.objects.get(action="office.release").detail["four_eyes"] is False


def test_whoever_may_not_changes_nothing(town, anna):
    carl = User.objects.create_user("carl")
    with pytest.raises(Forbidden):
        revisions.save_draft("dataset", "counts", said("dataset", "counts"), carl)
    draft = revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="x"), anna)
    for deed in (revisions.propose, revisions.release, revisions.withdraw):
        with pytest.raises(Forbidden):
            deed(draft, carl, seen=1)
    assert revisions.open_revision("dataset", "counts").state == "draft"


PEOPLE = {"purpose": {"de": "Zählen", "en": "to count"}, "delete_after": "P30D"}
BASIS = {"legal_basis": {"de": "Satzung", "en": "a bylaw"}}


@pytest.mark.parametrize(
    ("kind", "key", "body", "place"),
    [
        ("dataset", "counts", {"publisher": 5}, "datasets.counts"),
        ("dataset", "counts", {"title": {"de": "x"}}, "datasets.counts.title.en"),
        ("dataset", "No id", {}, "datasets.No id"),
        ("source", "feed", {"dataset": "nowhere"}, "sources.feed.dataset"),
        ("source", "feed", {"interval": "often"}, "sources.feed.interval"),
        ("source", "feed", {"settings": {"table": "lost.csv"}}, "sources.feed.settings.table"),
        ("source", "feed", {"settings": {"x": float("nan")}}, "sources.feed.settings.x"),
        ("source", "feed", {"responsible": "a\0b"}, "sources.feed.responsible"),
        ("rule", "doubled", {**RULE, "by": "nobody"}, "rules/doubled.toml: rules.doubled.by"),
        ("retention", "all", {"keep": "long"}, "retention.all.keep"),
        ("dataset", "counts", {"personal": PEOPLE}, "datasets.counts.legal_basis.de"),
        ("dataset", "counts", {"personal": {**PEOPLE, "purpose": {}}, **BASIS}, "datasets.counts.personal.purpose.de"),
        ("dataset", "counts", {"personal": {"purpose": {"de": "x", "en": "x"}}, **BASIS}, "datasets.counts"),
        ("weather", "x", {}, "weather"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(town, anna, kind, key, body, place):
    known = revisions.current(kind, key) if kind != "weather" else None
    with pytest.raises(ProfileError) as told:
        revisions.save_draft(kind, key, {**(known or {}), **body}, anna)
    assert told.value.place.startswith(place)
    assert not Revision.objects.exists()


def test_an_expression_is_compiled_and_its_error_found_in_the_table(town, anna):
    wrong = {**RULE, "outputs": {"twice": {**RULE["outputs"]["twice"], "expression": "count * 2 +"}}}
    with pytest.raises(ProfileError, match="ends too early") as told:
        revisions.save_draft("rule", "doubled", wrong, anna)
    assert revisions.place_in("rule", "doubled", told.value.place) == "outputs.twice.expression"


def test_a_draft_that_somebody_else_saved_is_not_overwritten(town, anna, bert):
    draft = revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="a"), anna)
    with pytest.raises(ChangedMeanwhile, match="anna"):
        revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="b"), bert)
    again = revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="c"), bert, seen=draft.turn)
    with pytest.raises(ChangedMeanwhile, match="bert"):
        revisions.release(draft, anna, seen=draft.turn)
    assert again.body["publisher"] == "c"
    revisions.withdraw(again, anna, seen=again.turn)
    with pytest.raises(ChangedMeanwhile, match="withdrawn"):
        revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="d"), bert, seen=again.turn)


def test_a_proposal_is_declined_with_a_reason_and_goes_on_as_a_draft(town, anna, bert):
    draft = revisions.save_draft("dataset", "counts", said("dataset", "counts", publisher="a"), anna)
    revisions.propose(draft, anna, seen=1)
    with pytest.raises(Conflict, match="say why"):
        revisions.decline(draft, bert, seen=1, answer=" ")
    revisions.decline(draft, bert, seen=1, answer="too short")
    known = revisions.open_revision("dataset", "counts")
    assert (known.state, known.answer) == ("draft", "too short")


def test_a_bundle_goes_together(town, anna, bert):
    dataset = {**said("dataset", "counts"), "title": {"de": "Neu", "en": "New"}}
    source = {"connector": "simple", "title": {"de": "Neu", "en": "New"}, "enabled": True, "dataset": "fresh"}
    with pytest.raises(ProfileError, match="no dataset"):
        revisions.save_draft("source", "fresh", source, anna, bundle="wizard")
    revisions.save_draft("dataset", "fresh", dataset, anna, bundle="wizard")
    draft = revisions.save_draft("source", "fresh", source, anna, bundle="wizard")
    assert [each.kind for each in revisions.propose(draft, anna, seen=1)] == ["dataset", "source"]
    both = revisions.release(draft, bert, seen=1)
    assert open_profile().sources["fresh"].dataset == "fresh"
    with pytest.raises(ProfileError, match="no dataset"):
        revisions.undo(both[0], bert)
    revisions.undo(both[0], bert, whole=True)
    assert "fresh" not in open_profile().datasets


def test_files_come_along_within_limits(town, settings, anna, bert, tmp_path):
    source = {**said("source", "feed"), "settings": {"table": "feed-means.csv"}}
    put(anna, bert, "source", "feed", source, files={"feed-means.csv": b"a,b\n1,2\n"})
    assert open_profile().sources["feed"].tables == {"feed-means.csv": b"a,b\n1,2\n"}
    put(anna, bert, "source", "feed", {**source, "enabled": False})
    assert open_profile().sources["feed"].tables, "files of the revision before are kept"
    other = {**source, "title": {"de": "x", "en": "x"}}
    with pytest.raises(ProfileError, match="its own name"):
        revisions.save_draft("source", "second", other, anna, files={"feed-means.csv": b"other"})
    with pytest.raises(ProfileError, match=r"no file's name"):
        revisions.save_draft("source", "second", source, anna, files={"../x": b""})
    assert (StoredFile.objects.count(), prune(Revision.objects.latest("pk").changed)) == (1, 0)
    with living_in(town, settings, office_file_bytes=1024), pytest.raises(LimitExceeded, match="OFFICE_FILE_BYTES"):
        revisions.save_draft("source", "third", source, anna, files={"third.csv": b"x" * 1025})


def test_a_warning_tells_of_secrets_that_leave(town, anna):
    body = {**said("source", "feed"), "address": "https://a.example/x", "headers": {"X-Key": "${SOURCE_KEY}"}}
    with translation.override("en"):
        warnings = revisions.check("source", "feed", {**body, "interval": "PT5M"})
    assert "it sends SOURCE_KEY to a.example" in warnings


def test_what_is_restricted_is_so_with_the_release(town, anna, bert):
    put(anna, bert, "dataset", "counts", said("dataset", "counts", access="restricted"))
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT access FROM dataset WHERE id = 'counts'")
        assert cursor.fetchone()[0] == "restricted"


def test_the_folder_is_followed_and_a_broken_one_changes_nothing(town, anna, bert):
    put(anna, bert, "source", "feed", said("source", "feed", enabled=False))
    first = open_profile()
    assert open_profile() is first
    rewrite(town, TOWN.replace('publisher = "Town"', 'publisher = "Village"'))
    live.live().expire()
    assert open_profile().datasets["counts"].publisher == "Village"
    assert not open_profile().sources["feed"].enabled, "releases lie over the folder"
    rewrite(town, "this is no TOML")
    live.live().expire()
    assert open_profile().datasets["counts"].publisher == "Village"
    assert "no TOML" in next(live.problems())
    with pytest.raises(Exception, match="no TOML"):
        revisions.save_draft("dataset", "counts", said("dataset", "counts"), anna)
    rewrite(town, TOWN)
    live.live().expire()
    assert open_profile().datasets["counts"].publisher == "Town"
    assert list(live.problems()) == []


def test_a_file_that_is_being_written_is_waited_for(town):
    open_profile()
    (town / "city.toml").write_text(TOWN.replace('name = "Town"', 'name = "City"'))
    live.live().expire()
    assert open_profile().name == "Town"
    live.live().expire()
    assert open_profile().name == "City"


def test_a_look_costs_one_query_and_that_once_a_second(town, django_assert_num_queries):
    open_profile()
    with django_assert_num_queries(0):
        open_profile()
    live.live().expire()
    with django_assert_num_queries(1):
        open_profile()
        open_profile()


def test_what_somebody_wrote_first_stays_first(town, anna, bert):
    output = {**RULE["outputs"]["twice"], "expression": "aa"}
    body = {**RULE, "outputs": {"twice": output}}
    body["steps"] = {"twice_the_count": "count * 2", "b": "twice_the_count + 1", "aa": "b * 2"}
    revision = put(anna, bert, "rule", "doubled", body)
    assert list(Revision.objects.get(pk=revision.pk).body["steps"]) == ["twice_the_count", "b", "aa"]
    live.forget()
    prepared = prepare_rules(open_profile())
    assert prepared.problems == {}, "a step reads those before it"
