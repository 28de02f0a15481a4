"""Who may do what in the office: by a role in the house, and by one in the organisation whose table it is."""

import itertools

import pytest
from django.test import Client
from tests.web.office import TOWN, living_in, make_town

from allmende.domain.errors import Forbidden
from allmende.web.accounts.models import User
from allmende.web.accounts.people import add_organisation, give_role
from allmende.web.house import open_profile
from allmende.web.office import revisions
from allmende.web.office.models import Revision
from allmende.web.office.rights import may_edit, may_look, may_make, may_release

pytestmark = pytest.mark.django_db
PARKS = """
[organisations.parks]
name = "Parks Department"

[datasets.trees]
title = { de = "Bäume", en = "Trees" }
description = { de = "Bäume.", en = "Trees." }
publisher = "Parks Department"
licence = "CC0-1.0"
attribution = "Parks Department"
access = "restricted"

[datasets.ponds]
title = { de = "Teiche", en = "Ponds" }
description = { de = "Teiche.", en = "Ponds." }
publisher = "Water Board"
licence = "CC0-1.0"
attribution = "Water Board"

[sources.tree-feed]
connector = "simple"
title = { de = "Baumzähler", en = "Tree counter" }
enabled = true
dataset = "trees"
"""
ROLES = ("contributor", "editor", "steward")
PLACES = (None, "parks", "water")


@pytest.fixture
def town(tmp_path, settings, db):
    # Known to the profile by its id, and to the accounts alone by its title.
    add_organisation("parks", "The gardeners", actor="test")
    add_organisation("water", "Water Board", actor="test")
    with living_in(
        make_town(tmp_path / "town", TOWN.replace("[retention.all]", f"{PARKS}\n[retention.all]")), settings
    ):
        yield


def person(role: str, place: str | None, name: str = "") -> User:
    from allmende.web.accounts.models import Organisation

    user = User.objects.create_user(name or f"{role}-{place}")
    give_role(user, role, actor="test", organisation=Organisation.objects.get(pk=place) if place else None)
    return User.objects.get(pk=user.pk)


TABLES = {
    ("dataset", "counts"): None,
    ("source", "feed"): None,
    ("retention", "all"): None,
    ("rule", "doubled"): None,
    ("dataset", "trees"): "parks",
    ("source", "tree-feed"): "parks",
    ("dataset", "ponds"): "water",
}
"""Whose each table is; None: the house's, or nobody's whom the house knows."""


def test_the_matrix_of_roles_places_and_tables(town):
    for role, place in itertools.product(ROLES, PLACES):
        user = person(role, place)
        reaches = {table for table, owner in TABLES.items() if place in (None, owner)}
        edited = {table for table in TABLES if may_edit(user, *table)}
        released = {table for table in TABLES if may_release(user, *table)}
        looked_at = {table for table in TABLES if may_look(user, *table)}
        said = f"{role} of {place or 'the house'}"
        assert edited == (set() if role == "contributor" else reaches), said
        assert released == (reaches if role == "steward" else set()), said
        assert looked_at == edited, said
        assert may_make(user, "dataset") == (role != "contributor"), said
        assert may_make(user, "rule") == (role != "contributor" and place is None), said


def test_a_role_in_an_organisation_changes_its_tables_and_no_others(town):
    anna, bert = person("editor", "parks"), person("steward", "parks")
    trees = revisions.current("dataset", "trees")
    draft = revisions.save_draft("dataset", "trees", {**trees, "attribution": "The gardeners"}, anna)
    with pytest.raises(Forbidden):
        revisions.release(draft, anna, seen=1)
    with pytest.raises(Forbidden):
        revisions.release(draft, person("steward", "water"), seen=1)
    revisions.release(draft, bert, seen=1)
    assert open_profile().datasets["trees"].attribution == "The gardeners"
    revisions.undo(revisions.released("dataset", "trees"), bert, reason="no")
    assert open_profile().datasets["trees"].attribution == "Parks Department"
    with pytest.raises(Forbidden):
        revisions.save_draft("dataset", "ponds", revisions.current("dataset", "ponds"), anna)
    assert Revision.objects.filter(key="ponds").count() == 0


def test_nothing_is_taken_from_others_or_slipped_to_them(town):
    anna = person("editor", "parks")
    trees, feed = revisions.current("dataset", "trees"), revisions.current("source", "tree-feed")
    for kind, key, body in (
        ("dataset", "trees", {**trees, "publisher": "Water Board"}),
        ("dataset", "ponds", {**revisions.current("dataset", "ponds"), "publisher": "Parks Department"}),
        ("dataset", "fresh", {**trees, "publisher": "Town"}),
        ("source", "tree-feed", {**feed, "dataset": "ponds"}),
        ("source", "feed", {**revisions.current("source", "feed"), "dataset": "trees"}),
        ("source", "fresh", {**feed, "dataset": "counts"}),
        ("retention", "trees", {"dataset": "trees", "keep": "P1D"}),
    ):
        with pytest.raises(Forbidden):
            revisions.save_draft(kind, key, body, anna)
    assert not Revision.objects.exists()
    revisions.save_draft("dataset", "fresh", {**trees, "title": {"de": "Neu", "en": "New"}}, anna)


def test_secrets_are_sent_elsewhere_by_the_house_alone(town):
    anna, bert, house = person("editor", "parks"), person("steward", "parks"), person("steward", None)
    feed = {**revisions.current("source", "tree-feed"), "address": "https://a.example/x", "interval": "PT5M"}
    draft = revisions.save_draft("source", "tree-feed", {**feed, "headers": {"X-Key": "${SOURCE_KEY}"}}, anna)
    with pytest.raises(Forbidden, match="secret"):
        revisions.release(draft, bert, seen=1)
    revisions.release(draft, house, seen=1)


def test_the_pages_show_an_organisation_its_own_and_nothing_of_others(town):
    client = Client(headers={"accept-language": "en"})
    client.force_login(person("editor", "parks"))
    page = client.get("/office/").text
    assert "Datasets (1)" in page
    assert "Retention" not in page
    assert "Ponds" not in client.get("/office/dataset/").text
    assert client.get("/office/dataset/trees/edit/").status_code == 200
    absent = client.get("/office/dataset/nothing/").status_code
    assert absent == 404
    for path in ("dataset/ponds/", "dataset/ponds/edit/", "dataset/counts/", "source/feed/", "retention/", "rule/"):
        assert client.get(f"/office/{path}").status_code == absent, path
    chosen = client.get("/office/source/tree-feed/edit/").text
    assert '<option value="trees" selected>' in chosen
    person("steward", None, name="sue")
    closed = {**revisions.current("dataset", "counts"), "access": "restricted"}
    (made,) = revisions.release(revisions.save_draft("dataset", "counts", closed, "cli:x"), "cli:x", seen=1)
    assert made.state == "released"
    assert 'value="counts"' not in client.get("/office/source/tree-feed/edit/").text
    forged = {"title.de": "x", "title.en": "x", "dataset": "counts", "seen": "0"}
    answer = client.post("/office/source/tree-feed/edit/", forged)
    assert answer.status_code == 422
    assert "Please choose from the list." in answer.text
    told = client.post("/office/source/tree-feed/edit/", {**forged, "dataset": "nothing"}).text
    assert "there are" not in told
    answer = client.post("/office/dataset/ponds/do/", {"deed": "remove", "seen": "0"}, follow=True)
    assert "You may not do this" in answer.text or answer.status_code == 404
