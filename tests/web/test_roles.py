"""Who may do what."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from allmende.web.accounts.models import User
from allmende.web.accounts.roles import DEEDS, ROLES, asks_for, may

pytestmark = pytest.mark.django_db


def test_every_deed_asks_for_a_role_that_there_is():
    assert set(DEEDS.values()) <= set(ROLES)


def test_whoever_has_no_account_only_looks():
    assert not any(may(AnonymousUser(), deed) for deed in DEEDS)


def test_an_account_gives_data_and_does_not_release_it():
    anna = User.objects.create_user("anna")
    assert may(anna, "sensors.give")
    assert not may(anna, "release")


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
