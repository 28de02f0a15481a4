"""Accounts of people: registration, second factors, sessions, own tokens, and those who would get in by a trick."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.core import mail as outbox
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from allmende.domain.policy import COMMONS
from allmende.web.accounts import enrolment, mail
from allmende.web.accounts.models import AuditEntry, Invitation, LoggedIn, Token, User
from allmende.web.accounts.people import add_organisation, close_user, give_role, open_user
from allmende.web.accounts.roles import role_of
from allmende.web.accounts.tokens import create_token, find_token, known_reader, may_publish
from allmende.web.house import open_profile

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet river"
OTHER = "another long and quiet river"


@pytest.fixture(autouse=True)
def _fresh(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the right one is slow on purpose
    cache.clear()


@pytest.fixture
def configured(settings, monkeypatch):
    """``configured(name=value)`` changes settings of the house for one test."""
    import msgspec

    def change(**values):
        settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, **values)

    return change


@pytest.fixture
def with_mail(settings, configured):
    """A house that sends mail."""
    from allmende.web.identity import identity_settings

    configured(mail_url="smtp://mail.example", public_url="https://city.example/")
    for name, value in identity_settings(settings.ALLMENDE, ()).items():
        if name.startswith("ACCOUNT_"):
            setattr(settings, name, value)


@pytest.fixture
def anna() -> User:
    user = User.objects.create_user("anna", password=PASSWORD)
    give_role(user, "editor", actor="test")
    return user


def logged_in(name: str = "anna", password: str = PASSWORD) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": name, "password": password})
    assert answer.status_code == 302, answer.content.decode()
    return client


def sent() -> list:
    mail.await_sent()
    return outbox.outbox


def confirm(client: Client, password: str = PASSWORD) -> None:
    """Show once more that it is oneself."""
    assert client.post("/accounts/reauthenticate/", {"password": password}).status_code == 302


# --- registration


def test_nobody_registers_where_it_is_closed():
    client = Client()
    for answer in (client.get("/accounts/signup/"), client.post("/accounts/signup/", {"username": "bert"})):
        assert "geschlossen" in answer.content.decode()
    assert not User.objects.exists()


def test_whoever_registers_without_mail_waits(configured):
    configured(registration="open")
    client = Client()
    answer = client.post("/accounts/signup/", {"username": "bert", "password1": PASSWORD})
    assert answer["Location"] == "/accounts/inactive/"
    bert = User.objects.get()
    assert (bert.is_active, bert.waits) == (False, True)
    assert client.get("/accounts/").status_code == 302
    open_user(bert, actor="test")
    assert role_of(User.objects.get()) == "contributor"
    logged_in("bert")
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user.register", "user.role", "user.open", "login"]


@pytest.mark.parametrize("password", ["short", "password1234", "bertbertbert"])
def test_a_weak_password_is_refused(configured, password):
    configured(registration="open")
    answer = Client().post("/accounts/signup/", {"username": "bertbertbert", "password1": password})
    assert 'role="alert"' in answer.content.decode()
    assert not User.objects.exists()


def test_an_address_is_confirmed_before_the_first_log_in(configured, with_mail):
    configured(registration="open")
    client = Client()
    answer = client.post("/accounts/signup/", {"email": "bert@example.org", "password1": PASSWORD})
    assert answer["Location"] == "/accounts/confirm-email/"
    [message] = sent()
    bert = User.objects.get()
    assert "bert" not in bert.username
    login = {"login": "bert@example.org", "password": PASSWORD}
    assert client.post("/accounts/login/", login)["Location"] == "/accounts/confirm-email/"
    link = re.search(r"https://city\.example(/accounts/confirm-email/\S+)", message.body)[1]
    assert client.get(link).status_code == 200
    assert not EmailAddress.objects.get().verified  # a scanner of mails that opens links confirms nothing
    assert client.post(link).status_code == 302
    assert client.post("/accounts/login/", login)["Location"] == "/accounts/"
    assert role_of(User.objects.get()) == "contributor"


def test_nobody_learns_who_has_an_account(configured, with_mail):
    configured(registration="open")
    User.objects.create_user("anna", "anna@example.org", PASSWORD)
    forms = {
        "/accounts/signup/": lambda email: {"email": email, "password1": PASSWORD},
        "/accounts/password/reset/": lambda email: {"email": email},
        "/accounts/login/": lambda email: {"login": email, "password": "wrong"},
    }
    for path, form in forms.items():
        answers = []
        for email in ("anna@example.org", f"nobody{len(path)}@example.org"):
            cache.clear()
            answer = Client().post(path, form(email), follow=True)
            body = re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode()).replace(email, "")
            answers.append((answer.status_code, answer.redirect_chain, re.sub(r'data-now="[^"]*"', "", body)))
        assert answers[0] == answers[1], path
    told = sorted((message.to[0], message.subject) for message in sent())
    city = open_profile().name
    assert told == [
        ("anna@example.org", f"Ein neues Passwort für Allmende {city}"),
        ("anna@example.org", f"Sie haben schon ein Konto bei Allmende {city}"),
        ("nobody17@example.org", f"Ihre E-Mail-Adresse bei Allmende {city}"),
    ]


def test_an_invitation_opens_one_account(configured):
    configured(registration="invited")
    trees = add_organisation("trees", "Trees", actor="test")
    secret = enrolment.invite("editor", actor="test", days=3, organisation=trees)
    assert secret not in str(Invitation.objects.values())
    assert "geschlossen" in Client().get("/accounts/signup/").content.decode()
    first, second = Client(), Client()
    for client in (first, second):
        assert client.get(f"/accounts/invitation/{secret}/")["Location"] == "/accounts/signup/"
    answer = first.post("/accounts/signup/", {"username": "bert", "password1": PASSWORD})
    assert answer["Location"] == "/accounts/"
    bert = User.objects.get()
    assert (role_of(bert), role_of(bert, "trees")) == ("contributor", "editor")
    answer = second.post("/accounts/signup/", {"username": "carl", "password1": PASSWORD})
    assert "geschlossen" in answer.content.decode()
    assert Client().get(f"/accounts/invitation/{secret}/").status_code == 403
    assert User.objects.count() == 1


def test_an_invitation_ends_and_a_closed_house_takes_none(configured):
    configured(registration="invited")
    secret = enrolment.invite("editor", actor="test", days=3)
    Invitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert Client().get(f"/accounts/invitation/{secret}/").status_code == 403
    secret = enrolment.invite("editor", actor="test", days=3)
    configured(registration="closed")
    assert Client().get(f"/accounts/invitation/{secret}/").status_code == 403


def test_those_who_never_came_are_forgotten(anna, configured):
    long_ago = timezone.now() - timedelta(days=8)
    for name, verified in (("never", False), ("confirmed", True)):
        user = User.objects.create_user(name)
        EmailAddress.objects.create(user=user, email=f"{name}@example.org", verified=verified)
    waits = User.objects.create_user("waits", is_active=False, waits=True)
    User.objects.update(date_joined=long_ago)
    assert enrolment.prune() == 1
    User.objects.filter(pk=waits.pk).update(date_joined=long_ago - timedelta(days=90))
    assert enrolment.prune() == 1
    assert set(User.objects.values_list("username", flat=True)) == {"anna", "confirmed"}


# --- pages


FORBIDDEN = r"<script(?![^>]*(?:src=|type=.application/json))|<style|\sstyle=|\son[a-z]+="
"""What our policy stops: scripts and styles in the page."""


def pages() -> list[str]:
    """Every address of the accounts that takes no values."""
    from django.urls import get_resolver

    found = set()

    def walk(patterns, start: str) -> None:
        for each in patterns:
            path = start + re.sub(r"[\^$]|\\Z", "", str(each.pattern))
            if hasattr(each, "url_patterns"):
                walk(each.url_patterns, path)
            elif path.startswith("accounts/") and "<" not in path and "(" not in path:
                found.add(f"/{path}")

    walk(get_resolver().url_patterns, "")
    return sorted(found)


def test_every_page_is_in_the_houses_design(anna, configured, with_mail):
    configured(registration="open")
    client = logged_in()
    confirm(client)
    listed = pages()
    assert len(listed) > 25
    for visitor in (Client(), client):
        for path in listed:
            cache.clear()
            answer = visitor.get(path)
            if answer.status_code in (302, 405) or "text/html" not in answer["Content-Type"]:
                continue
            text = answer.content.decode()
            assert 'class="site-header"' in text, path
            assert not re.search(FORBIDDEN, text), path
            assert text.count("<h1") == 1, path


# --- log-in


def test_a_log_in_takes_no_session_that_was_there_before(anna):
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get("/accounts/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_page_leads_to_another_host(anna, target):
    login = {"login": "anna", "password": PASSWORD, "next": target}
    assert Client().post(f"/accounts/login/?next={target}", login)["Location"] == "/accounts/"
    client = logged_in()
    assert client.get("/accounts/login/", {"next": target})["Location"] == "/accounts/"
    answer = client.post(f"/accounts/reauthenticate/?next={target}", {"password": PASSWORD, "next": target})
    assert "evil" not in answer["Location"]
    assert "javascript" not in answer["Location"]
    assert client.post("/accounts/logout/", {"next": target})["Location"] == "/"


@pytest.mark.parametrize(
    "path", ["login/", "logout/", "tokens/new/", "delete/", "sessions/", "name/", "people/", "factors/totp/activate/"]
)
def test_a_form_of_another_site_does_nothing(anna, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    assert client.post(f"/accounts/{path}").status_code == 403


def test_an_account_that_was_closed_is_logged_out_at_once(anna):
    client = logged_in()
    _, secret = create_token("gate", actor="test", user=anna, may_write=True)
    close_user(anna, actor="test")
    assert client.get("/accounts/").status_code == 302
    assert find_token(secret) is None
    assert known_reader(secret) is None
    answer = Client().post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert answer.status_code in (302, 403)
    assert not LoggedIn.objects.exists()


def test_a_new_password_ends_all_other_sessions(anna):
    here, there = logged_in(), logged_in()
    confirm(here)
    form = {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert there.get("/accounts/").status_code == 302
    assert here.get("/accounts/").status_code == 200
    assert LoggedIn.objects.get().session == here.session.session_key


def test_a_forgotten_password_is_set_by_a_link_once(anna, with_mail):
    User.objects.filter(pk=anna.pk).update(email="anna@example.org")
    there = logged_in()
    Client().post("/accounts/password/reset/", {"email": "anna@example.org"})
    link = re.search(r"https://city\.example(/accounts/password/reset/key/\S+)", sent()[-1].body)[1]
    client = Client()
    form = {"password1": OTHER, "password2": OTHER}
    place = client.get(link)["Location"]
    assert link.split("-")[-1].strip("/") not in place  # the key is not shown to what the page asks for
    assert client.post(place, form).status_code == 302
    assert there.get("/accounts/").status_code == 302
    assert "nicht mehr" in Client().get(link, follow=True).content.decode()
    logged_in(password=OTHER)


def test_browsers_are_seen_and_ended_without_addresses(anna):
    here, there = logged_in(), logged_in()
    there.get("/accounts/", headers={"User-Agent": "x"})
    assert "127.0.0.1" not in str(LoggedIn.objects.values())
    other = LoggedIn.objects.exclude(session=here.session.session_key).get()
    here.post("/accounts/sessions/", {"number": other.pk})
    assert there.get("/accounts/").status_code == 302
    there = logged_in()
    stranger = User.objects.create_user("bert", password=PASSWORD)
    strangers = logged_in("bert")
    here.post("/accounts/sessions/", {"number": LoggedIn.objects.get(user=stranger).pk})
    here.post("/accounts/sessions/")
    assert there.get("/accounts/").status_code == 302
    assert strangers.get("/accounts/").status_code == 200
    here.post("/accounts/logout/")
    assert list(LoggedIn.objects.values_list("user__username", flat=True)) == ["bert"]


# --- second factor


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return f"{hotp_value(secret, counter):06d}"


def test_a_code_of_an_app_is_asked_for_and_holds_once(anna):
    secret = generate_totp_secret()
    TOTP.activate(anna, secret)
    client, code = Client(), code_of(secret)
    login = {"login": "anna", "password": PASSWORD}
    assert client.post("/accounts/login/", login)["Location"] == "/accounts/factors/authenticate/"
    assert client.get("/accounts/").status_code == 302  # not in yet
    assert client.post("/accounts/factors/authenticate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/factors/authenticate/", {"code": code})["Location"] == "/accounts/"
    assert client.get("/accounts/").status_code == 200
    again = Client()
    again.post("/accounts/login/", login)
    answer = again.post("/accounts/factors/authenticate/", {"code": code})
    assert answer.status_code == 200
    assert "schon benutzt" in answer.content.decode()


def test_keys_of_apps_lie_encrypted_and_another_secret_opens_nothing(anna, settings):
    secret = generate_totp_secret()
    TOTP.activate(anna, secret)
    kept = Authenticator.objects.get()
    assert secret not in str(kept.data)
    assert kept.wrap().validate_code(code_of(secret))
    cache.clear()
    settings.SECRET_KEY = "another secret of at least 32 characters"
    wrapped = Authenticator.objects.get().wrap()
    assert not any(wrapped.validate_code(code_of(guess)) for guess in (secret, ""))


def test_a_role_from_the_setting_upwards_asks_for_a_second_factor(anna, configured):
    configured(second_factor="editor")
    _, secret = create_token("gate", actor="test", user=anna, may_write=True, writes=[COMMONS])
    assert role_of(User.objects.get()) == "contributor"
    assert not known_reader(secret).may_write
    text = logged_in().get("/accounts/").content.decode()
    assert "zweiten Faktor" in text
    TOTP.activate(anna, generate_totp_secret())
    assert role_of(User.objects.get()) == "editor"
    Authenticator.objects.filter(user=anna).delete()
    assert role_of(User.objects.get()) == "contributor"


def test_where_there_is_https_a_steward_needs_a_second_factor(configured):
    head = User.objects.create_superuser("head", password=PASSWORD)
    assert role_of(User.objects.get()) == "administrator"
    configured(https=True)
    assert role_of(User.objects.get()) == "editor"
    client = Client()
    client.force_login(head)
    assert client.get("/accounts/people/")["Location"] == "/accounts/"


def test_what_changes_the_account_asks_for_the_password_again(anna):
    client = logged_in()
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    for path in ("tokens/new/", "delete/", "data/", "factors/totp/activate/", "factors/webauthn/add/"):
        assert client.get(f"/accounts/{path}")["Location"].startswith("/accounts/reauthenticate/"), path
    confirm(client)
    for path in ("tokens/new/", "delete/", "data/", "factors/totp/activate/", "factors/webauthn/add/"):
        assert client.get(f"/accounts/{path}").status_code == 200, path


# --- own tokens


def test_somebody_makes_a_token_that_is_shown_once(anna):
    client = logged_in()
    confirm(client)
    form = {"name": "gate", "days": 30, "writes": [COMMONS], "publishes": "on"}
    text = client.post("/accounts/tokens/new/", form).content.decode()
    secret = re.search(r"allmende_[\w-]+", text)[0]
    token = Token.objects.get()
    assert (token.name, token.writes, token.publishes) == ("anna/gate", [COMMONS], True)
    assert find_token(secret) == token
    assert secret not in client.get("/accounts/tokens/").content.decode()
    assert "schon" in client.post("/accounts/tokens/new/", form).content.decode()
    client.post(f"/accounts/tokens/{token.pk}/revoke/")
    assert find_token(secret) is None


def test_a_token_is_made_for_no_more_than_one_may(anna, configured):
    give_role(anna, "contributor", actor="test")
    configured(token_days=10, token_count=1)
    client = logged_in()
    confirm(client)
    form = {"name": "gate", "days": 5, "writes": [COMMONS], "publishes": "on", "reads": ["closed"]}
    client.post("/accounts/tokens/new/", form)
    token = Token.objects.get()
    assert (token.may_write, token.writes, token.publishes, token.datasets) == (False, [], False, [])
    assert client.post("/accounts/tokens/new/", {"name": "two", "days": 5}).status_code == 400
    token.delete()
    assert client.post("/accounts/tokens/new/", {"name": "two", "days": 11}).status_code == 400


def test_a_token_of_somebody_else_is_not_there(anna):
    bert = User.objects.create_user("bert", password=PASSWORD)
    token, _ = create_token("bert/gate", actor="test", user=bert)
    assert logged_in().post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404
    assert Token.objects.get().revoked is None


def test_a_lost_role_weakens_the_token_at_once(anna, django_capture_on_commit_callbacks):
    _token, secret = create_token("gate", actor="test", user=anna, may_write=True, writes=[COMMONS])
    assert known_reader(secret).may_write_to(COMMONS)
    assert may_publish(Token.objects.get())
    with django_capture_on_commit_callbacks(execute=True):
        give_role(anna, "reader", actor="test")
    assert not known_reader(secret).may_write
    assert not may_publish(Token.objects.select_related("user").get())


def test_a_token_writes_to_what_it_names():
    _, secret = create_token("gate", actor="test", may_write=True, datasets=["a"], writes=["b"])
    reader = known_reader(secret)
    assert [reader.may_write_to(name) for name in ("a", "b", COMMONS)] == [False, True, True]
    _, secret = create_token("eye", actor="test", datasets=["a"], writes=["b"])
    assert not known_reader(secret).may_write


# --- one's own data


def test_somebody_gets_their_data_and_goes(anna):
    client = logged_in()
    create_token("anna/gate", actor="user:anna", user=anna)
    confirm(client)
    data = client.get("/accounts/data/").json()
    assert data["account"][0]["username"] == "anna"
    assert [t["name"] for t in data["tokens"]] == ["anna/gate"]
    assert "argon2" not in str(data)
    assert client.post("/accounts/delete/").status_code == 400
    assert "gelöscht" in client.post("/accounts/delete/", {"sure": "yes"}).content.decode()
    assert not User.objects.exists()
    assert not Token.objects.exists()
    assert client.get("/accounts/").status_code == 302
    assert AuditEntry.objects.get(action="user.remove").actor.startswith("person:")
    assert not AuditEntry.objects.filter(actor="user:anna").exists()


def test_the_last_administrator_does_not_go():
    User.objects.create_superuser("head", password=PASSWORD)
    client = logged_in("head")
    confirm(client)
    assert client.post("/accounts/delete/", {"sure": "yes"}).status_code == 400
    assert User.objects.exists()


# --- looking after people


def test_an_administrator_opens_closes_and_gives_roles(anna, configured):
    User.objects.create_superuser("head", password=PASSWORD)
    add_organisation("trees", "Trees", actor="test")
    client = logged_in("head")
    confirm(client)
    assert "anna" in client.get("/accounts/people/").content.decode()
    assert "anna" not in client.get("/accounts/people/", {"text": "zzz"}).content.decode()
    page = f"/accounts/people/{anna.pk}/"
    client.post(page, {"do": "role", "role": "steward", "organisation": "trees"})
    assert role_of(User.objects.get(pk=anna.pk), "trees") == "steward"
    client.post(page, {"do": "role", "role": "none", "organisation": "trees"})
    assert role_of(User.objects.get(pk=anna.pk), "trees") == "editor"
    client.post(page, {"do": "close"})
    assert not User.objects.get(pk=anna.pk).is_active
    client.post(page, {"do": "open"})
    assert User.objects.get(pk=anna.pk).is_active
    client.post(page, {"do": "role", "role": "emperor"})
    assert role_of(User.objects.get(pk=anna.pk)) == "editor"
    configured(registration="invited")
    text = client.post("/accounts/people/", {"role": "editor"}).content.decode()
    assert re.search(r"http://testserver/accounts/invitation/[\w-]+/", text)
    client.post(f"{page}erase/")
    assert not User.objects.filter(pk=anna.pk).exists()


def test_others_do_not_look_after_people(anna):
    client = logged_in()
    assert client.get("/accounts/people/").status_code == 403
    assert client.post(f"/accounts/people/{anna.pk}/", {"do": "role", "role": "administrator"}).status_code == 403
    assert role_of(User.objects.get()) == "editor"
