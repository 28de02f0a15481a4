"""Who may come in: tokens, log-in pages, the audit log."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.db import models
from django.test import Client, RequestFactory
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from allmende.domain.errors import Conflict, NotFound
from allmende.domain.policy import ANONYMOUS
from allmende.web.accounts.audit import record
from allmende.web.accounts.authentication import (
    WrongToken,
    authenticate_mqtt,
    may_publish_mqtt,
    may_subscribe_mqtt,
    reader_of,
)
from allmende.web.accounts.models import AuditEntry, LoggedIn, Membership, Token, User
from allmende.web.accounts.tokens import PREFIX, create_token, find_token, known_reader, revoke_token
from allmende.web.citizens.models import OwnSensor
from allmende.web.office.models import Revision

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet river"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.fixture(autouse=True)
def _no_attempts():
    cache.clear()


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", password=PASSWORD)


def asked(**headers):
    request = RequestFactory().get("/", headers=headers)
    return reader_of(request)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


# --- tokens


def test_a_token_is_kept_as_its_hash_alone():
    token, secret = create_token("gate", actor="test")
    assert secret.startswith(PREFIX)
    assert len(secret) > 43
    kept = " ".join(str(getattr(token, field.name)) for field in Token._meta.fields)
    assert secret not in kept
    assert secret.removeprefix(PREFIX) not in kept
    assert secret not in str(AuditEntry.objects.values_list())
    assert find_token(secret) == token


def test_a_token_gives_its_rights():
    _, secret = create_token("gate", actor="test", may_write=True, datasets=["b", "a", "b"])
    reader = asked(**bearer(secret))
    assert (reader.name, reader.may_write, reader.datasets) == ("token:gate", True, frozenset({"a", "b"}))
    assert not reader.sees_all
    _, secret = create_token("eye", actor="test")
    assert not asked(**bearer(secret)).may_write


def test_a_token_comes_as_the_password_of_basic_too():
    _, secret = create_token("gate", actor="test")
    encoded = base64.b64encode(f"anybody:{secret}".encode()).decode()
    assert asked(Authorization=f"Basic {encoded}").name == "token:gate"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer wrong",
        f"Bearer {PREFIX}wrong",
        "Bearer \udcff",
        "Basic",
        "Basic !",
        "Basic /w==",
        "Digest x",
        " ",
    ],
)
def test_a_wrong_header_is_not_taken_for_anybody(header):
    with pytest.raises(WrongToken):
        asked(Authorization=header)


def test_an_expired_or_revoked_token_opens_nothing(anna):
    token, secret = create_token("gate", actor="test", user=anna, expires=timezone.now() + timedelta(days=1))
    assert find_token(secret)
    models.QuerySet.update(Token.objects.all(), expires=timezone.now() - timedelta(seconds=1))
    assert find_token(secret) is None
    models.QuerySet.update(Token.objects.all(), expires=None)
    anna.is_active = False
    anna.save()
    assert find_token(secret) is None
    anna.is_active = True
    anna.save()
    assert find_token(secret)
    revoke_token(token.name, actor="test")
    assert find_token(secret) is None
    revoke_token(token.name, actor="test")
    assert [e.action for e in AuditEntry.objects.order_by("id")] == ["token.create", "token.revoke"]


def test_a_token_is_looked_up_once_a_second(monkeypatch, django_assert_num_queries):
    _, secret = create_token("gate", actor="test", may_write=True)
    now = [100.0]
    monkeypatch.setattr("allmende.web.accounts.tokens.time.monotonic", lambda: now[0])
    reader = known_reader(secret)
    assert reader is not None
    assert (reader.name, reader.may_write) == ("token:gate", True)
    with django_assert_num_queries(0):
        assert known_reader(secret) is reader
    models.QuerySet.update(Token.objects.all(), revoked=timezone.now())  # by another process
    now[0] += 1
    assert known_reader(secret) is None
    assert known_reader(PREFIX + "unknown") is None


def test_a_token_that_is_revoked_here_ends_at_once():
    _, secret = create_token("gate", actor="test")
    assert known_reader(secret) is not None
    revoke_token("gate", actor="test")
    assert known_reader(secret) is None


def test_a_token_ends_with_the_account(anna):
    _, secret = create_token("gate", actor="test", user=anna)
    anna.delete()
    assert find_token(secret) is None


def test_names_are_taken_once():
    create_token("gate", actor="test")
    with pytest.raises(Conflict, match="gate"):
        create_token("gate", actor="test")
    with pytest.raises(NotFound, match="nobody"):
        revoke_token("nobody", actor="test")


def test_the_last_use_is_kept_by_the_hour(django_assert_num_queries):
    _, secret = create_token("gate", actor="test")
    find_token(secret)
    used = Token.objects.get().last_used
    assert (used.minute, used.second, used.microsecond) == (0, 0, 0)
    with django_assert_num_queries(1):
        find_token(secret)


# --- requests


def test_a_wrong_token_is_answered_with_401():
    answer = Client().get("/sta/v1.1/Things", headers=bearer("wrong"))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "allmende token create" in answer.json()["message"]


def test_machines_are_asked_for_no_token_of_ours():
    assert Client().get("/health", headers=bearer("wrong")).status_code == 200


def test_a_session_reads_and_does_not_write(anna, settings):
    client = Client()
    client.force_login(anna)
    request = client.get("/accounts/login/").wsgi_request
    reader = reader_of(request)
    assert (reader.name, reader.may_write, reader.datasets) == ("user:anna", False, frozenset())


def test_an_administrator_sees_what_is_not_open(monkeypatch):
    from tests.web.simple import city

    monkeypatch.setattr("allmende.web.house.open_profile", city)
    client = Client()
    client.force_login(User.objects.create_superuser("chief", password=PASSWORD))
    reader = reader_of(client.get("/accounts/login/").wsgi_request)
    assert (reader.datasets, reader.sees_all) == (frozenset({"closed"}), False)


def test_anybody_is_anonymous(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert asked() is ANONYMOUS


# --- MQTT


def test_devices_come_in_with_a_token():
    _, secret = create_token("gate", actor="test", may_write=True)
    client = authenticate_mqtt("any", secret)
    assert client.name == "token:gate"
    assert authenticate_mqtt("any", "wrong") is None
    assert may_publish_mqtt(client, "application/1/device/2/event/up")
    assert not may_subscribe_mqtt(client, "application/#")
    revoke_token("gate", actor="test")
    assert not may_publish_mqtt(client, "application/1/device/2/event/up")


def test_a_broker_of_ones_own_asks_by_http(anna):
    _, secret = create_token("gate", actor="test", may_write=True)
    _, eye = create_token("eye", actor="test")
    _, weak = create_token("weak", actor="test", may_write=True, user=anna)  # who may not feed herself
    tried = {("gate", secret): "allow", ("other", secret): "deny", ("gate", "x"): "deny", ("eye", eye): "deny"}
    for (name, password), expected in {**tried, ("weak", weak): "deny"}.items():
        answer = Client().post("/accounts/broker/", {"username": name, "password": password})
        assert answer.json() == {"result": expected}, name


def test_a_token_that_only_reads_publishes_nothing():
    _, secret = create_token("eye", actor="test")
    assert not may_publish_mqtt(authenticate_mqtt("", secret), "application/1")


# --- log-in pages


def test_the_page_to_log_in_can_be_used_without_sight():
    text = Client().get("/accounts/login/").content.decode()
    for field in ("username", "password"):
        assert f'for="id_{field}"' in text
        assert f'id="id_{field}"' in text
    assert 'autocomplete="current-password"' in text


def test_log_in_and_out(anna):
    client = Client()
    answer = client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/")
    assert AuditEntry.objects.get().actor == "user:anna"
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/accounts/").status_code == 302


def test_log_in_leads_to_no_other_site(anna):
    data = {"login": "anna", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/accounts/login/", data)["Location"] == "/accounts/"


def test_a_wrong_password_is_said_and_counted(anna):
    client = Client()
    for _ in range(8):
        answer = client.post("/accounts/login/", {"login": "Anna", "password": "wrong"})
        assert answer.status_code == 403
        assert 'role="alert"' in answer.content.decode()
    answer = client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert answer.status_code == 403
    assert "Viertelstunde" in answer.content.decode()
    assert not AuditEntry.objects.exists()
    cache.clear()
    assert client.post("/accounts/login/", {"login": "anna", "password": PASSWORD}).status_code == 302


# --- the audit log


def test_the_audit_log_is_only_added_to():
    with bound_contextvars(request_id="abc12345"):
        record("user:anna", "test", "thing:1", word="x")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.detail, entry.request_id) == ("user:anna", {"word": "x"}, "abc12345")
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor="nobody"),
        lambda: AuditEntry.objects.bulk_update([entry], ["actor"]),
    ):
        with pytest.raises(TypeError, match="audit log"):
            attempt()
    assert AuditEntry.objects.prune(timezone.now() - timedelta(days=1)) == 0
    assert AuditEntry.objects.prune(timezone.now() + timedelta(days=1)) == 1


def test_personal_data_stands_in_the_docs():
    text = (DOCS / "personal-data.md").read_text("utf-8")
    for model, fields in {
        EmailAddress: ("email", "verified", "primary"),
        Authenticator: ("type", "data", "created_at", "last_used_at"),
        SocialAccount: ("provider", "uid", "extra_data", "last_login", "date_joined"),
    }.items():
        own = {field.name for field in model._meta.fields} - {"id", "user"}
        assert own == set(fields), model  # a new version of the library may keep more
        assert all(f"`{field}`" in text for field in fields)
    for model, fields in {
        User: ("username", "email", "first_name", "last_name", "password", "last_login", "date_joined"),
        Membership: ("user", "organisation", "role", "since"),
        Token: ("user", "last_used"),
        LoggedIn: ("user", "session", "browser", "since", "seen"),
        AuditEntry: ("actor", "object", "detail"),
        Revision: ("author", "releaser"),
        OwnSensor: ("user", "name", "description", "shown_name", "lon", "lat", "district", "told_silent"),
    }.items():
        for field in fields:
            assert model._meta.get_field(field)
            assert f"``{field}``" in model.__doc__, field
            assert f"`{field}`" in text, field
