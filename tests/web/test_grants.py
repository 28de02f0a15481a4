"""Who may read what is not open: to whom it is granted, for what, until when."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from allmende.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from allmende.domain.profile import Profile
from allmende.web.accounts.access import datasets_of
from allmende.web.accounts.models import AuditEntry, Membership, Organisation, User
from allmende.web.accounts.tokens import create_token, reader_of_token
from allmende.web.grants import views
from allmende.web.grants.grants import grant, granted, recipients, recipients_before, withdraw
from allmende.web.grants.models import KEPT_DAYS, Grant
from allmende.web.house import open_profile

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
PURPOSE = "to plan the bus lines of 2027"


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch) -> Profile:
    """The city's, with a dataset of each class."""
    some = next(iter(open_profile().datasets.values()))
    made = replace(
        open_profile(),
        datasets={
            "open": replace(some, id="open", access="open"),
            "inner": replace(some, id="inner", access="restricted"),
            "people": replace(some, id="people", access="protected"),
        },
    )
    monkeypatch.setattr(views, "open_profile", lambda: made)
    return made


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def steward() -> User:
    made = User.objects.create_user("stella")
    Membership.objects.create(user=made, role="steward")
    return made


def soon(days: int = 30):
    return timezone.localdate() + timedelta(days=days)


def test_without_a_grant_nothing_is_seen(profile, anna):
    assert granted(anna) == frozenset()


def test_a_person_sees_what_was_granted_until_it_is_taken_back(profile, anna, steward):
    made = grant(profile, "inner", by=steward, user=anna, purpose=PURPOSE, until=soon())
    assert granted(anna) == {"inner"}
    withdraw(made.pk, by=steward)
    assert granted(anna) == frozenset()
    with pytest.raises(Conflict):
        withdraw(made.pk, by=steward)
    told = AuditEntry.objects.filter(action__startswith="grant.").order_by("id")
    assert [(each.action, each.actor, each.detail["to"]) for each in told] == [
        ("grant.give", "user:stella", "user:anna"),
        ("grant.withdraw", "user:stella", "user:anna"),
    ]


def test_a_grant_ends_behind_its_last_day(profile, anna, steward):
    made = grant(profile, "inner", by=steward, user=anna, purpose=PURPOSE, until=soon(0))
    assert granted(anna) == {"inner"}
    Grant.objects.filter(pk=made.pk).update(until=soon(-1))
    assert granted(anna) == frozenset()


def test_an_account_that_was_closed_sees_nothing(profile, anna, steward):
    grant(profile, "inner", by=steward, user=anna, purpose=PURPOSE, until=soon())
    anna.is_active = False
    assert granted(anna) == frozenset()


def test_organisations_and_roles(profile, anna, steward):
    office, other = (Organisation.objects.create(id=name, title=name.title()) for name in ("traffic", "parks"))
    Membership.objects.create(user=anna, organisation=office, role="contributor")
    made = grant(profile, "inner", by=steward, organisation=other, purpose=PURPOSE, until=soon())
    assert granted(anna) == frozenset()
    withdraw(made.pk, by=steward)
    made = grant(profile, "inner", by=steward, organisation=office, role="editor", purpose=PURPOSE, until=soon())
    assert granted(User.objects.get(username="anna")) == frozenset()
    Membership.objects.filter(user=anna).update(role="editor")
    assert granted(User.objects.get(username="anna")) == {"inner"}
    withdraw(made.pk, by=steward)
    grant(profile, "inner", by=steward, role="editor", purpose=PURPOSE, until=soon())
    assert granted(User.objects.get(username="anna")) == frozenset(), "an editor of an office is none of the house"
    sister = User.objects.create_user("sister")
    Membership.objects.create(user=sister, role="steward")
    assert granted(sister) == {"inner"}
    assert granted(User.objects.get(username="stella")) == frozenset(), "nobody grants anything to themselves"


def test_what_becomes_protected_is_closed_to_those_who_were_not_named(profile, anna, steward, monkeypatch):
    office = Organisation.objects.create(id="traffic", title="Amt für Verkehr")
    Membership.objects.create(user=anna, organisation=office, role="reader")
    bert = User.objects.create_user("bert")
    grant(profile, "inner", by=steward, organisation=office, purpose=PURPOSE, until=soon())
    grant(profile, "inner", by=steward, user=bert, purpose=PURPOSE, until=soon())
    assert granted(anna) == granted(bert) == {"inner"}
    datasets = {**profile.datasets, "inner": replace(profile.datasets["inner"], access="protected")}
    monkeypatch.setattr("allmende.web.grants.grants.open_profile", lambda: replace(profile, datasets=datasets))
    assert (granted(anna), granted(bert)) == (frozenset(), {"inner"})
    assert recipients(["inner"]) == {"inner": [("", PURPOSE, soon())]}
    assert recipients_before(["inner"]) == {"inner": [("Amt für Verkehr", PURPOSE, soon(0), soon(0))]}


@pytest.mark.parametrize(
    ("said", "error", "where"),
    [
        ({"dataset": "none"}, NotFound, ""),
        ({"dataset": "open"}, InvalidInput, "dataset"),
        ({"purpose": "because"}, InvalidInput, "purpose"),
        ({"until": timedelta(days=-1)}, InvalidInput, "until"),
        ({"until": timedelta(days=4000)}, InvalidInput, "until"),
        ({"user": None}, InvalidInput, "user"),
        ({"role": "editor"}, InvalidInput, "user"),
        ({"user": None, "role": "king"}, InvalidInput, "role"),
        ({"user": None, "role": "editor", "dataset": "people"}, InvalidInput, "user"),
    ],
)
def test_what_cannot_be_granted(profile, anna, steward, said, error, where):
    asked = {"dataset": "inner", "user": anna, "purpose": PURPOSE, "until": timedelta(days=3), **said}
    asked["until"] = timezone.localdate() + asked["until"]
    with pytest.raises(error) as raised:
        grant(profile, asked.pop("dataset"), by=steward, **asked)
    assert raised.value.where == where
    assert not Grant.objects.exists()


def test_nobody_grants_to_themselves_or_without_the_right(profile, anna, steward):
    for by, to in ((steward, steward), (anna, steward)):
        with pytest.raises(Forbidden):
            grant(profile, "inner", by=by, user=to, purpose=PURPOSE, until=soon())
    made = grant(profile, "inner", by=steward, user=anna, purpose=PURPOSE, until=soon())
    with pytest.raises(Forbidden):
        withdraw(made.pk, by=anna)


def test_the_public_hears_of_organisations_and_of_no_person(profile, anna, steward):
    office = Organisation.objects.create(id="traffic", title="Amt für Verkehr")
    grant(profile, "inner", by=steward, organisation=office, purpose=PURPOSE, until=soon(20))
    grant(profile, "inner", by=steward, user=anna, purpose=PURPOSE, until=soon(30))
    assert recipients(["inner", "people"]) == {
        "inner": [("Amt für Verkehr", PURPOSE, soon(20)), ("", PURPOSE, soon(30))]
    }


def test_grants_go_long_after_their_end(profile, anna, steward):
    for days in (-KEPT_DAYS - 2, -KEPT_DAYS + 5):
        made = grant(profile, "inner", by=steward, user=anna, purpose=PURPOSE, until=soon())
        Grant.objects.filter(pk=made.pk).update(until=soon(days))
    assert Grant.prune() == 1
    assert Grant.objects.count() == 1


def test_the_steward_grants_and_takes_back_by_the_page(profile, anna, steward):
    client = Client()
    client.force_login(steward)
    assert "inner" in client.get("/office/access/").content.decode()
    said = {"user": "anna", "purpose": PURPOSE, "until": soon().isoformat()}
    assert client.post("/office/access/inner/", said).status_code == 302
    assert granted(anna) == {"inner"}
    page = client.get("/office/access/inner/").content.decode()
    assert "anna" in page
    assert PURPOSE in page
    (made,) = Grant.objects.all()
    assert client.post(f"/office/access/{made.pk}/withdraw/").status_code == 302
    assert granted(anna) == frozenset()


def test_mistakes_stand_beside_the_field_and_what_was_typed_stays(profile, steward):
    client = Client()
    client.force_login(steward)
    answer = client.post("/office/access/inner/", {"user": "nobody", "purpose": "x", "until": "soon"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="error-user"' in page
    assert 'id="error-until"' in page
    assert 'value="nobody"' in page
    assert client.get("/office/access/open/").status_code == 404


def test_only_stewards_come_in(profile, anna):
    client = Client()
    assert client.get("/office/access/").status_code == 302
    client.force_login(anna)
    for path in ("/office/access/", "/office/access/inner/"):
        assert client.get(path).status_code == 403
    assert client.post("/office/access/1/withdraw/").status_code == 403


def test_personal_data_of_grants_stands_in_the_docs():
    text = (DOCS / "personal-data.md").read_text("utf-8")
    for field in ("user", "granted_by", "withdrawn_by"):
        assert Grant._meta.get_field(field)
        assert f"``{field}``" in Grant.__doc__
        assert f"`{field}`" in text


def test_whoever_was_granted_access_reads_by_session_and_by_token(profile, anna, steward, monkeypatch):
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    assert datasets_of(anna) == frozenset()
    head = User.objects.create_superuser("head")
    assert datasets_of(head) == {"inner"}, "what is protected is granted by name, to an administrator too"
    made = grant(profile, "people", by=steward, user=anna, purpose=PURPOSE, until=soon())
    assert datasets_of(anna) == {"people"}
    token, _ = create_token("annas", actor="test", datasets=["people"], user=anna)
    assert reader_of_token(token).datasets == {"people"}
    withdraw(made.pk, by=steward)
    assert reader_of_token(token).datasets == frozenset()
