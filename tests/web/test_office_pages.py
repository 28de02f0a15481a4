"""The office's pages: who may see them, forms that show and keep a table, errors beside their fields, the deeds."""

import pytest
from django.test import Client
from tests.web.office import TOWN, living_in, make_town, rewrite
from tests.web.simple import connector, lines, payload

from allmende.web.accounts.models import Membership, User
from allmende.web.house import furnish, open_profile, open_sources, open_store
from allmende.web.intake import Intake
from allmende.web.live import live
from allmende.web.office import revisions
from allmende.web.office.durations import in_words, join, split
from allmende.web.office.models import Revision

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(tmp_path, settings, monkeypatch):
    monkeypatch.setattr("allmende.connectors.registry.connectors", lambda: {"simple": connector()})
    folder = make_town(tmp_path / "town")
    with living_in(folder, settings):
        yield folder


def person(name: str, role: str) -> Client:
    user = User.objects.create_user(name)
    if role != "contributor":
        Membership.objects.create(user=user, role=role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def anna(town) -> Client:
    return person("anna", "editor")


@pytest.fixture
def bert(town) -> Client:
    return person("bert", "steward")


DATASET = {
    "title.de": "Zählungen",
    "title.en": "Counts",
    "description.de": "Gezählt.",
    "description.en": "Counted.",
    "publisher": "Town",
    "licence": "CC0-1.0",
    "attribution": "Town",
    "access": "open",
    "seen": "0",
}
SOURCE = {"title.de": "Zähler", "title.en": "Counter", "enabled": "1", "dataset": "counts", "seen": "0"}
ROWS = {"contract.ranges.rows": "0"}
UNITS = {f"contract.{name}.unit": "D" for name in ("interval", "late_after", "missing_after", "frozen_after")}


def deed(client: Client, kind: str, key: str, word: str, **sent: object) -> str:
    answer = client.post(f"/office/{kind}/{key}/do/", {"deed": word, **sent}, follow=True)
    assert answer.status_code == 200
    return answer.text


def test_whoever_may_not_enter_finds_no_door(town):
    assert Client().get("/office/").status_code == 302
    carl = person("carl", "contributor")
    assert carl.get("/office/").status_code == 403
    assert "/office/" not in carl.get("/sources/").text


def test_two_persons_change_a_dataset_and_undo_it(anna, bert):
    assert 'href="/office/"' in anna.get("/sources/").text
    sent = {**DATASET, "publisher": "The city", "reason": "new name", "propose": "1"}
    answer = anna.post("/office/dataset/counts/edit/", sent, follow=True)
    assert "Proposed for release." in answer.text
    assert "<del>Town</del>" in answer.text
    assert open_profile().datasets["counts"].publisher == "Town"
    assert "Release</span>" not in answer.text, "an editor does not release"
    assert "new name" in bert.get("/office/").text
    assert "say why" in deed(bert, "dataset", "counts", "decline", seen="1")
    assert "Released." in deed(bert, "dataset", "counts", "release", seen="1")
    assert open_profile().datasets["counts"].publisher == "The city"
    assert "why it is undone" in deed(bert, "dataset", "counts", "undo", in_force="1")
    assert "Undone." in deed(bert, "dataset", "counts", "undo", in_force="1", reason="not yet")
    assert open_profile().datasets["counts"].publisher == "Town"
    page = bert.get("/office/dataset/counts/").text
    assert "Revision 1" in page
    assert "released by bert" in page


def test_an_editor_does_neither_release_nor_undo(anna):
    anna.post("/office/dataset/counts/edit/", {**DATASET, "publisher": "x"})
    assert "may not do this" in deed(anna, "dataset", "counts", "release", seen="1")
    assert Revision.objects.get().state == "draft"
    assert "Withdrawn." in deed(anna, "dataset", "counts", "withdraw", seen="1")


def test_a_form_changes_what_it_shows_and_keeps_the_rest(town, anna):
    rewrite(town, TOWN.replace('dataset = "counts"\n\n[ret', 'dataset = "counts"\nsettings = { word = "x" }\n\n[ret'))
    live().expire()
    before = revisions.current("source", "feed")
    page = anna.get("/office/source/feed/edit/")
    assert page.status_code == 200
    answer = anna.post("/office/source/feed/edit/", {**SOURCE, **ROWS, **UNITS, "interval": "", "interval.unit": "M"})
    assert answer.status_code == 302, answer.text
    assert Revision.objects.get().body == before, "nothing was changed, nothing is said anew"


def test_ranges_and_times_of_a_source(anna, bert):
    rows = {"contract.ranges.rows": "2", "contract.ranges.0.key": "count", "contract.ranges.0.low": "0"}
    rows |= {"contract.ranges.0.high": "12,5", "contract.ranges.1.key": "", "contract.ranges.1.low": ""}
    times = {**UNITS, "contract.interval": "15", "contract.interval.unit": "M", "contract.frozen_after.unit": "never"}
    sent = {**SOURCE, **rows, **times, "address": "https://x.example/", "interval": "5", "interval.unit": "M"}
    answer = anna.post("/office/source/feed/edit/", sent, follow=True)
    draft = Revision.objects.get()
    assert draft.body["contract"] == {
        "interval": "PT15M",
        "frozen_after": "never",
        "ranges": {"count": {"low": 0, "high": 12.5}},
    }
    assert draft.body["interval"] == "PT5M"
    assert "5 minutes" in answer.text
    assert "Plausible values: count, To" in answer.text
    deed(bert, "source", "feed", "release", seen="1")
    assert open_sources()["feed"].source.contract.ranges["count"].high == 12.5
    page = anna.get("/office/source/feed/edit/").text
    assert 'name="contract.ranges.0.high" type="text" inputmode="decimal" value="12.5"' in page


@pytest.mark.parametrize(
    ("changed", "words", "field"),
    [
        ({"interval": "soon"}, "no whole number", "id_interval"),
        ({"title.en": ""}, "has to be filled in", "id_title-en"),
        ({"address": "ftp://x"}, "is no address", "id_address"),
        ({"responsible": "anna"}, "no e-mail address", "id_responsible"),
        ({"contract.per_day": "-5"}, "readings a day cannot be", "id_contract-per_day"),
        ({"contract.ranges.0.high": "much", "contract.ranges.0.key": "x"}, "no number", "id_contract-ranges-0-high"),
        ({"contract.ranges.0.high": "1", "contract.ranges.0.key": "x", "contract.ranges.0.low": "2"}, "above high",
         "id_contract-ranges"),
    ],
)  # fmt: skip
def test_an_error_stands_beside_its_field(anna, changed, words, field):
    sent = {**SOURCE, **UNITS, "contract.ranges.rows": "1", "interval.unit": "M", **changed}
    answer = anna.post("/office/source/feed/edit/", sent)
    assert answer.status_code == 422
    error = answer.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
    assert words in error
    assert not Revision.objects.exists()


def test_nothing_typed_is_lost_when_somebody_was_faster(anna, bert):
    bert.post("/office/dataset/counts/edit/", {**DATASET, "publisher": "Bert's"})
    answer = anna.post("/office/dataset/counts/edit/", {**DATASET, "publisher": "Anna's"})
    assert answer.status_code == 409
    assert "<del>Bert&#x27;s</del>" in answer.text
    assert 'value="Anna&#x27;s"' in answer.text
    assert 'name="seen" value="1"' in answer.text
    assert Revision.objects.get().body["publisher"] == "Bert's"
    assert anna.post("/office/dataset/counts/edit/", {**DATASET, "publisher": "Anna's", "seen": "1"}).status_code == 302
    assert "anna saved this draft" in deed(bert, "dataset", "counts", "release", seen="1")


def test_a_rule_of_retention_is_made_and_says_what_it_would_take(town, anna, bert, settings):
    furnish(open_store(), open_profile())
    intake = Intake(open_store(), open_profile(), settings.ALLMENDE, follow=open_sources)
    intake.take("feed", payload(lines("a,1,5", "a,2,6")))
    sent = {"new.id": "short", "dataset": ["counts"], "keep": "1", "keep.unit": "Y", "thin.rows": "1",
            "thin.0.after": "30", "thin.0.after.unit": "D", "thin.0.bucket": "1", "thin.0.bucket.unit": "H",
            "thin.0.take": "mean", "seen": "0"}  # fmt: skip
    answer = anna.post("/office/new/retention/", sent, follow=True)
    assert Revision.objects.get().body == {
        "dataset": ["counts"],
        "keep": "P1Y",
        "thin": [{"after": "P30D", "bucket": "PT1H"}],
    }
    assert "2 readings would go, 0 would come" in answer.text
    deed(bert, "retention", "short", "release", seen="1")
    assert list(open_profile().retention) == ["short", "all"]
    assert anna.post("/office/new/retention/", {**sent, "new.id": "short"}).status_code == 422
    assert "An id has" in anna.post("/office/new/retention/", {**sent, "new.id": "No id"}).text
    page = anna.get("/office/retention/short/edit/").text
    assert 'value="30"' in page
    assert "its removal is proposed" in deed(bert, "retention", "short", "remove", seen="0").lower()


def test_what_is_not_there_is_not_found(anna):
    for path in ("nothing/", "dataset/none/", "dataset/none/edit/", "rule/x/edit/", "new/source/", "new/city/"):
        assert anna.get(f"/office/{path}").status_code == 404, path
    assert anna.post("/office/dataset/counts/do/", {"deed": "burn"}).status_code == 404
    assert "Somebody was faster" in deed(anna, "dataset", "counts", "release", seen="1")


@pytest.mark.parametrize("kind", ["dataset", "source", "retention", "rule", "groups", "thing"])
def test_every_kind_is_listed(anna, kind):
    assert anna.get(f"/office/{kind}/").status_code == 200


def test_jena_s_tables_all_open_and_save_as_they_are(settings, tmp_path):
    """No form loses or changes anything of what a real profile says."""
    from allmende.web.office.forms import TableForm
    from allmende.web.office.tables import FORMS

    with living_in("jena", settings):
        profile, plain = open_profile(), live().plain()
        for kind in FORMS:
            for key, body in plain.bodies(kind).items():
                form = TableForm(kind, key, body, profile)
                from django.http import QueryDict

                sent = QueryDict(mutable=True)
                for control in form.controls:
                    for one in control.every():
                        if one.shape == "file":
                            continue
                        if one.shape == "rows":
                            sent[f"{one.name}.rows"] = str(len(one.rows))
                        elif one.shape == "many":
                            sent.setlist(one.name, list(one.value))
                        elif one.shape != "yes" or one.value:
                            sent[one.name] = str(one.value)
                        if one.shape == "duration":
                            sent[f"{one.name}.unit"] = one.unit
                assert TableForm(kind, key, body, profile, sent).body() == body, (kind, key)


@pytest.mark.parametrize(
    ("text", "parts", "words"),
    [
        ("PT5M", ("5", "M"), "5 minutes"),
        ("PT90M", ("90", "M"), "90 minutes"),
        ("P14D", ("2", "W"), "2 weeks"),
        ("P1Y", ("1", "Y"), "1 year"),
        ("P18M", ("18", "mon"), "18 months"),
        ("PT1.5S", None, "PT1.5S"),
    ],
)
def test_durations_are_said_as_people_do(text, parts, words):
    assert split(text) == parts
    assert in_words(text) == words or parts is not None
    if parts is not None:
        assert split(join(*parts)) == parts
