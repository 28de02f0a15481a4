"""The audit log in the office: for stewards, by person, action, object and day."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from allmende.web.accounts.audit import record
from allmende.web.accounts.audit_views import PAGE
from allmende.web.accounts.models import AuditEntry, Membership, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward() -> Client:
    made = User.objects.create_user("stella")
    Membership.objects.create(user=made, role="steward")
    client = Client(headers={"accept-language": "en"})
    client.force_login(made)
    return client


def test_only_stewards_come_in(steward: Client) -> None:
    assert steward.get("/office/audit/").status_code == 200
    assert Client().get("/office/audit/").status_code == 302
    client = Client()
    client.force_login(User.objects.create_user("anna"))
    assert client.get("/office/audit/").status_code == 403


def test_it_finds_what_is_asked_for(steward: Client) -> None:
    record("user:anna", "grant.give", "dataset:inner", to="user:carl")
    record("user:bert", "grants.other", "dataset:else")
    today = timezone.localdate()
    for query, anna, bert in (
        ("", True, True),
        ("actor=user:anna", True, False),
        ("action=grant", True, False),
        ("object=dataset:else", False, True),
        (f"since={today}&until={today}", True, True),
        (f"until={today - timedelta(days=1)}", False, False),
        ("until=9999-12-31", True, True),
    ):
        page = steward.get(f"/office/audit/?{query}").content.decode().partition("</form>")[2]
        assert ("user:anna" in page, "user:bert" in page) == (anna, bert), query
    assert steward.get("/office/audit/?since=soon").status_code == 422


def test_pages_follow_each_other_and_the_erased_are_said_so(steward: Client) -> None:
    for number in range(PAGE + 1):
        record("user:anna", "test", f"thing:{number}.")
    AuditEntry.objects.erase("user:anna")
    record("user:bert", "test", "thing:last.")
    first = steward.get("/office/audit/?action=test").content.decode()
    assert first.count('<td class="kern-table__cell">erased</td>') == PAGE - 1
    address = first.partition("before=")[2].partition('"')[0]
    second = steward.get(f"/office/audit/?action=test&before={address}").content.decode()
    assert second.count(">erased<") == 2
    assert "before=" not in second
