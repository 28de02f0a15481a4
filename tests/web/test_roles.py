"""Who may do what."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from allmende.domain.errors import Conflict
from allmende.web.accounts.models import Membership, Organisation, User
from allmende.web.accounts.people import add_organisation, give_role, remove_user
from allmende.web.accounts.roles import (
    DEEDS,
    ROLES,
    asks_for,
    may,
    organisations_of,
    organisations_where,
    role_of,
)

pytestmark = pytest.mark.django_db


def test_every_deed_asks_for_a_role_that_there_is():
    assert set(DEEDS.values()) <= set(ROLES)


def test_whoever_has_no_account_only_looks():
    assert not any(may(AnonymousUser(), deed) for deed in DEEDS)


def test_an_account_alone_gives_nothing():
    anna = User.objects.create_user("anna")
    assert not any(may(anna, deed) for deed in DEEDS)


def test_a_role_has_what_those_before_it_have():
    anna = User.objects.create_user("anna")
    for role in ROLES:
        give_role(User.objects.create_user(role), role, actor="test")
        found = {deed for deed in DEEDS if may(User.objects.get(username=role), deed)}
        assert found == {deed for deed, least in DEEDS.items() if ROLES.index(least) <= ROLES.index(role)}
    give_role(anna, "contributor", actor="test")
    assert may(anna, "sensors.give")
    give_role(anna, "steward", actor="test")
    assert may(anna, "release")
    assert Membership.objects.filter(user=anna).count() == 1


def test_a_role_in_an_organisation_is_none_in_the_house(django_assert_num_queries):
    anna = User.objects.create_user("anna")
    give_role(anna, "reader", actor="test")
    give_role(anna, "steward", actor="test", organisation=add_organisation("trees", "Trees", actor="test"))
    give_role(anna, "contributor", actor="test", organisation=add_organisation("water", "Water", actor="test"))
    anna = User.objects.get()
    with django_assert_num_queries(1):
        assert (role_of(anna), role_of(anna, "trees"), role_of(anna, "fire")) == ("reader", "steward", "reader")
        assert organisations_of(anna) == {"trees", "water"}
        assert organisations_where(anna, "release") == {"trees"}
        assert not may(anna, "release")
        assert may(anna, "release", "trees")
        assert not may(anna, "release", "water")
    view = asks_for("release", somewhere=True)(lambda request: HttpResponse("done"))
    request = RequestFactory().get("/office/")
    request.user = anna
    assert view(request).content == b"done"
    Organisation.objects.get(pk="trees").delete()
    request.user = User.objects.get()
    with pytest.raises(PermissionDenied):
        view(request)


def test_the_last_administrator_stays():
    anna, bert = User.objects.create_user("anna"), User.objects.create_user("bert")
    give_role(anna, "administrator", actor="test")
    for attempt in (lambda: give_role(anna, "steward", actor="test"), lambda: remove_user(anna, actor="test")):
        with pytest.raises(Conflict, match="last administrator"):
            attempt()
    give_role(bert, "administrator", actor="test")
    give_role(anna, "steward", actor="test")
    assert not User.objects.get(username="anna").is_superuser


def test_a_word_of_a_later_version_is_no_role():
    anna = User.objects.create_user("anna")
    Membership.objects.create(user=anna, role="emperor")
    assert role_of(anna) == "reader"


def test_an_account_that_was_closed_may_nothing():
    assert not may(User(username="anna", is_superuser=True, is_active=False), "sensors.give")


def test_a_guarded_view_leads_to_the_log_in_or_refuses():
    view = asks_for("release")(lambda request: HttpResponse("done"))
    request = RequestFactory().get("/office/")
    request.user = AnonymousUser()
    assert view(request).status_code == 302
    request.user = User.objects.create_user("anna")
    with pytest.raises(PermissionDenied):
        view(request)
    request.user = User.objects.create_superuser("head")
    assert view(request).content == b"done"
