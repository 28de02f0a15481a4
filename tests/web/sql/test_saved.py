"""Questions that are kept: whose they are, their versions, publishing, and what becomes of them."""

import json
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from allmende.domain import holdings
from allmende.domain.boards import Tile
from allmende.domain.holdings import Subject, Wishes
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.boards.kinds import find
from allmende.web.sql.holdings import Questions
from allmende.web.sql.models import SavedQuery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dumped")]
FORM = {
    "title": "Größte Auslastung",
    "text": "SELECT thing, max(result) AS most FROM parking GROUP BY thing",
    "kind": "bar",
    "x": "thing",
    "y": "most",
}


def keep(client: Client, **more: str) -> SavedQuery:
    answer = client.post("/sql/saved/", {**FORM, **more})
    assert answer.status_code == 302, answer.content
    return SavedQuery.objects.get(key=answer["Location"].split("/")[-2])


def test_one_keeps_changes_and_deletes_ones_own(somebody: Any) -> None:
    anna, berta = somebody("anna"), somebody("berta")
    kept = keep(anna)
    address = f"/sql/saved/{kept.key}/"
    assert b"sql-chart__bar" in Client().get(address).content  # whoever knows the address
    assert Client().get("/sql/saved/0123456789abcdef/").status_code == 404
    for stranger in (berta, Client()):
        assert stranger.post(f"{address}edit/", FORM).status_code in (302, 404)
        assert stranger.post(f"{address}drop/").status_code in (302, 404)
    assert anna.post(f"{address}edit/", {**FORM, "text": "SELECT 2 AS two"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.version, [each.text for each in kept.versions.all()]) == (2, ["SELECT 2 AS two", FORM["text"]])
    assert anna.post(f"{address}edit/", {**FORM, "text": " "}).status_code == 422
    assert anna.post(f"{address}drop/").status_code == 302
    assert not SavedQuery.objects.exists()
    assert [each.action for each in AuditEntry.objects.filter(action__startswith="query.").order_by("id")] == [
        "query.keep", "query.change", "query.drop",
    ]  # fmt: skip


def test_what_is_published_has_an_address_that_lasts(somebody: Any) -> None:
    anna, desk = somebody("anna"), somebody("desk", "editor")
    kept = keep(anna)
    assert anna.post(f"/sql/saved/{kept.key}/publish/").status_code == 404
    assert desk.post(f"/sql/saved/{kept.key}/publish/").status_code == 302
    slug = "groesste-auslastung"
    answer = Client().get(f"/sql/published/{slug}.json")
    assert sorted(json.loads(answer.content)["rows"])[0][1] == 12
    again = Client().get(f"/sql/published/{slug}.json", headers={"if-none-match": answer["ETag"]})
    assert again.status_code == 304
    assert Client().get(f"/sql/published/{slug}.csv").content.startswith(b"thing,most")
    assert kept.title in Client().get(f"/sql/published/{slug}/").content.decode()
    assert kept.title in Client().get("/sql/").content.decode()
    assert any(f"/sql/published/{slug}/" in found for found in _found("Auslastung"))
    # what is public is changed by who may publish
    assert anna.post(f"/sql/saved/{kept.key}/edit/", FORM).status_code == 404
    assert desk.post(f"/sql/saved/{kept.key}/edit/", {**FORM, "text": "SELECT 3 AS three"}).status_code == 302
    assert json.loads(Client().get(f"/sql/published/{slug}.json").content)["rows"] == [[3]]
    assert desk.post(f"/sql/saved/{kept.key}/drop/").status_code == 302
    assert SavedQuery.objects.count() == 1
    desk.post(f"/sql/saved/{kept.key}/publish/", {"back": "1"})
    assert Client().get(f"/sql/published/{slug}.json").status_code == 404
    other = keep(desk)
    desk.post(f"/sql/saved/{other.key}/publish/")
    other.refresh_from_db()
    assert other.slug == f"{slug}-2"


def _found(words: str) -> list[str]:
    return [Client().get("/search/", {"q": words}).content.decode()]


def test_published_questions_are_read_where_one_may_not_ask(somebody: Any, settings: Any) -> None:
    desk = somebody("desk", "editor")
    desk.post(f"/sql/saved/{keep(desk).key}/publish/", {"slug": "Parken Heute!"})
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, sql="accounts")
    assert Client().get("/sql/published/parken-heute.json").status_code == 200
    assert b"sql-chart__bar" in Client().get("/sql/published/parken-heute/").content
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, sql="nobody")
    assert Client().get("/sql/published/parken-heute.json").status_code == 403


def test_a_published_question_is_a_tile(somebody: Any, rf: Any) -> None:
    desk = somebody("desk", "editor")
    desk.post(f"/sql/saved/{keep(desk).key}/publish/")
    kind = find("query")
    form = kind.form({"query": "groesste-auslastung"}, request=None)
    assert form.is_valid()
    assert not kind.form({"query": "another"}, request=None).is_valid()
    drawn = kind.render(rf.get("/"), Tile(id="q", kind="query", settings=form.settings(), title="Parken"))
    assert drawn.count("sql-chart__bar") == 2
    assert "<table" not in drawn
    full = kind.render(
        rf.get("/"), Tile(id="q", kind="query", settings={"query": "groesste-auslastung", "table": True})
    )
    assert ">goethe" in full.lower()
    assert "<table" not in kind.render(rf.get("/"), Tile(id="q", kind="query", settings={"query": "gone"}))


def test_one_keeps_so_many(somebody: Any, settings: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, sql_saved=1)
    anna = somebody("anna")
    keep(anna)
    assert anna.post("/sql/saved/", FORM).status_code == 422
    assert Client().post("/sql/saved/", FORM).status_code == 302
    assert SavedQuery.objects.count() == 1


def test_what_nobody_opens_goes_and_what_was_published_stays(somebody: Any) -> None:
    desk = somebody("desk", "editor")
    desk.post(f"/sql/saved/{keep(desk).key}/publish/")
    old = keep(desk)
    SavedQuery.objects.update(opened=timezone.now() - timedelta(days=800))
    assert SavedQuery.prune() > 0
    assert not SavedQuery.objects.filter(key=old.key).exists()
    assert SavedQuery.objects.filter(published=True).exists()


def test_a_person_who_goes_leaves_what_was_published_without_a_name(somebody: Any) -> None:

    desk = somebody("desk", "editor")
    desk.post(f"/sql/saved/{keep(desk).key}/publish/")
    keep(desk)
    [holding] = [each for each in holdings.holdings() if isinstance(each, Questions)]
    user = User.objects.get(username="desk")
    subject = Subject(user=user.pk, name="desk")
    assert holding.count(subject) == 2
    [left] = holding.erase(subject, Wishes(pseudonym="nobody"))
    assert FORM["title"] in left.what
    assert [(each.user_id, each.published) for each in SavedQuery.objects.all()] == [(None, True)]
    assert re.fullmatch(r"[a-z-]+", SavedQuery.objects.get().slug or "")
