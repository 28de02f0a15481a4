"""Log-in by an OpenID Connect provider, against a small one of our own."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client
from tests.web.openid_provider import CLIENT, SECRET, OpenIdProvider

from allmende.domain.errors import ConfigurationError
from allmende.web.accounts.models import Membership, User
from allmende.web.accounts.people import add_organisation, give_role
from allmende.web.accounts.roles import role_of
from allmende.web.identity import identity_settings
from allmende.web.oidc import Grant, Provider, read_providers

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet river"


@pytest.fixture
def keycloak(settings) -> Iterator[OpenIdProvider]:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    server = OpenIdProvider()
    server.claims = {"sub": "0815", "preferred_username": "anna", "email": "anna@example.org", "email_verified": True}
    configure(settings, server)
    yield server
    server.close()


def configure(settings, server: OpenIdProvider, **more: object) -> None:
    """Name the provider in the settings."""
    values = {
        "id": "city",
        "title": "Rathaus",
        "issuer": server.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "groups_claim": "realm_access.roles",
        "grants": (
            Grant(group="/data/editors", role="editor"),
            Grant(group="/data/heads", role="administrator"),
            Grant(group="/trees", role="steward", organisation="trees"),
            Grant(group="/trees", role="steward", organisation="no-such-office"),
        ),
    }
    provider = Provider(**{**values, **more})
    settings.OIDC_PROVIDERS = (provider,)
    settings.SOCIALACCOUNT_PROVIDERS = identity_settings(settings.ALLMENDE, (provider,))["SOCIALACCOUNT_PROVIDERS"]


def go(client: Client, path: str = "/accounts/oidc/city/login/", **data: str):
    """Through the provider and back; the answer of our address that it leads to."""
    page = client.post(path, data)
    assert page.status_code == 200  # a redirect would be against form-action in our policy
    away = page["Refresh"].partition("url=")[2]
    assert unescape(re.search(r'href="(http://127[^"]+)"', page.content.decode())[1]) == away
    back = requests.get(away, allow_redirects=False, timeout=10).headers["Location"]
    assert back.startswith("http://testserver/accounts/oidc/city/login/callback/")
    return client.get(back)


def test_somebody_comes_by_a_provider(keycloak):
    client = Client()
    assert go(client)["Location"] == "/accounts/"
    anna = User.objects.get()
    assert (anna.username, anna.email, anna.has_usable_password()) == ("anna", "anna@example.org", False)
    assert role_of(anna) == "reader"
    text = client.get("/accounts/").content.decode()
    assert "Verknüpfte Anmeldungen" in text
    assert go(Client())["Location"] == "/accounts/"
    assert User.objects.count() == 1


def test_groups_become_roles_and_are_taken_back(keycloak):
    add_organisation("trees", "Trees", actor="test")
    keycloak.claims["realm_access"] = {"roles": ["/data/heads", "/data/editors", "/trees", 7]}
    go(Client())
    anna = User.objects.get()
    assert (role_of(anna), role_of(anna, "trees"), anna.is_superuser) == ("administrator", "administrator", True)
    assert Membership.objects.get(organisation="trees").role == "steward"
    keycloak.claims["realm_access"] = {"roles": ["/data/editors"]}
    go(Client())
    anna = User.objects.get()
    assert (role_of(anna), role_of(anna, "trees"), anna.is_superuser) == ("editor", "editor", False)
    for shape in ("/data/heads-of-nothing", {"roles": "x"}, None, 5, ["a", ["b"]]):
        keycloak.claims["realm_access"] = shape
        go(Client())
        assert role_of(User.objects.get()) == "reader"


def test_a_role_given_by_hand_stays(keycloak):
    keycloak.claims["realm_access"] = {"roles": ["/data/editors"]}
    go(Client())
    Membership.objects.all().delete()
    give_role(User.objects.get(), "steward", actor="test")
    go(Client())
    assert role_of(User.objects.get()) == "steward"
    Membership.objects.all().delete()
    User.objects.update(is_superuser=True)  # made so by the command line of Django, without a role of ours
    go(Client())
    assert role_of(User.objects.get()) == "administrator"


@pytest.mark.parametrize("role", ["reader", "steward"])
def test_a_role_that_was_changed_by_hand_is_not_brought_back_by_a_group(keycloak, role):
    keycloak.claims["realm_access"] = {"roles": ["/data/editors"]}
    go(Client())
    give_role(User.objects.get(), role, actor="test")
    go(Client())
    assert role_of(User.objects.get()) == role


@pytest.mark.parametrize("verified", [True, False])
def test_nobody_takes_an_account_over_by_its_address(keycloak, verified):
    owner = User.objects.create_superuser("anna", "anna@example.org", PASSWORD)
    keycloak.claims["email_verified"] = verified
    client = Client()
    go(client)
    other = User.objects.exclude(pk=owner.pk).get()
    assert (other.username != "anna", other.email) == (True, "")
    assert role_of(other) == "reader"
    assert client.get("/accounts/people/").status_code == 403
    assert not SocialAccount.objects.filter(user=owner).exists()


def test_a_log_in_is_linked_by_those_who_are_logged_in(keycloak, settings):
    configure(settings, keycloak, register=False)
    assert "geschlossen" in go(Client()).content.decode()
    assert not User.objects.exists()
    owner = User.objects.create_user("bert", password=PASSWORD)
    client = Client()
    client.post("/accounts/login/", {"login": "bert", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert go(client, "/accounts/oidc/city/login/?process=connect")["Location"] == "/accounts/providers/"
    assert SocialAccount.objects.get().user == owner
    assert "Rathaus" in client.get("/accounts/providers/").content.decode()
    assert go(Client())["Location"] == "/accounts/"
    assert User.objects.count() == 1
    client.post("/accounts/providers/", {"account": SocialAccount.objects.get().pk})
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "signed",
    [
        None,
        {"iss": "https://elsewhere.example"},
        {"aud": "another-client"},
        {"aud": ["allmende", "another-client"], "azp": "another-client"},
        {"exp": 1_700_000_000},
        {"sub": "somebody else"},
    ],
)
def test_what_does_not_fit_together_opens_nothing(keycloak, signed):
    keycloak.signed = signed
    client = Client()
    assert "nicht geklappt" in go(client).content.decode()
    assert client.get("/accounts/").status_code == 302
    assert not User.objects.exists()


def test_a_provider_that_calls_itself_otherwise_is_not_taken(keycloak, settings):
    issuer, discovery = keycloak.issuer, keycloak.discovery
    keycloak.discovery = lambda: {**discovery(), "issuer": f"{issuer}/other"}
    keycloak.signed = {"iss": f"{issuer}/other"}
    assert "nicht geklappt" in go(Client()).content.decode()
    assert not User.objects.exists()


def test_an_address_is_confirmed_only_where_the_provider_says_so(keycloak):
    for number, said in enumerate((False, "false", "true", None, 1)):
        keycloak.claims |= {"sub": f"{number}", "email_verified": said}
        go(Client())
    assert set(User.objects.values_list("email", flat=True)) == {""}
    assert not EmailAddress.objects.exists()


def test_whom_a_provider_alone_knows_is_asked_there_before_something_dangerous(keycloak):
    client = Client()
    go(client)
    dangerous = ("/accounts/delete/", "/accounts/password/set/", "/accounts/tokens/new/", "/accounts/data/")
    for path in (*dangerous, "/accounts/factors/totp/activate/"):
        assert client.get(path)["Location"] == f"/accounts/again/?next={quote(path, safe='')}"
    assert client.post("/accounts/delete/", {"sure": "yes"})["Location"].startswith("/accounts/again/")
    page = client.get("/accounts/again/?next=/accounts/delete/").content.decode()
    action = unescape(re.search(r'action="(/accounts/oidc/[^"]+)"', page)[1])
    keycloak.age = 1000  # it let somebody pass who logged in there long ago
    answer = client.get(go(client, action)["Location"])
    assert "nicht neu gefragt" in answer.content.decode()
    assert User.objects.exists()
    keycloak.age, sub = 0, keycloak.claims["sub"]
    keycloak.claims["sub"] = "somebody else at this machine"
    assert "gehört zu einem anderen Konto" in client.get(go(client, action)["Location"]).content.decode()
    keycloak.claims["sub"] = sub
    assert client.post("/accounts/delete/", {"sure": "yes"})["Location"].startswith("/accounts/again/")
    back = go(client, action)["Location"]
    assert back == "/accounts/again/?next=%2Faccounts%2Fdelete%2F"
    assert "prompt=login" in next(asked for asked in reversed(keycloak.asked) if asked.startswith("/authorize"))
    assert "gelöscht" in client.get(back).content.decode(), "it goes on with what was sent before"
    assert not User.objects.exists()


def test_whoever_comes_back_without_having_been_asked_is_no_nearer(keycloak):
    client = Client()
    go(client)
    for query in ("?process=redirect&next=/accounts/delete/", "?process=login&next=/accounts/delete/"):
        assert go(client, f"/accounts/oidc/city/login/{query}")["Location"] == "/accounts/delete/"
        assert client.get("/accounts/delete/")["Location"].startswith("/accounts/again/")
    assert go(client, "/accounts/oidc/city/login/?process=redirect&next=https://evil.example/")["Location"] == "/"
    assert go(client, "/accounts/oidc/city/login/?next=//evil.example/")["Location"] == "/accounts/"


def test_those_with_a_password_are_not_sent_to_the_provider(keycloak):
    client = Client()
    go(client)
    anna = User.objects.get()
    anna.set_password(PASSWORD)
    anna.save()
    client.force_login(anna)
    assert client.get("/accounts/again/?next=/accounts/delete/")["Location"] == "/accounts/"
    assert client.get("/accounts/delete/")["Location"].startswith("/accounts/reauthenticate/")


def test_an_account_that_was_closed_stays_closed(keycloak):
    go(Client())
    User.objects.update(is_active=False)
    client = Client()
    assert go(client)["Location"] == "/accounts/inactive/"
    assert client.get("/accounts/").status_code == 302


def test_a_state_of_somebody_else_opens_nothing(keycloak):
    page = Client().post("/accounts/oidc/city/login/")
    back = requests.get(page["Refresh"].partition("url=")[2], allow_redirects=False, timeout=10).headers["Location"]
    victim = Client()
    answer = victim.get(back)
    assert victim.get("/accounts/").status_code == 302
    assert answer.status_code == 401 or "nicht geklappt" in answer.content.decode()
    assert not User.objects.exists()


def test_a_log_in_that_is_broken_off_or_fails_is_said(keycloak):
    keycloak.refuse = True
    client = Client()
    answer = go(client)
    text = client.get(answer["Location"]).content.decode() if answer.status_code == 302 else answer.content.decode()
    assert "abgebrochen" in text
    keycloak.close()
    answer = Client().post("/accounts/oidc/city/login/")
    assert answer.status_code == 502
    assert "nicht geklappt" in answer.content.decode()
    assert Client().post("/accounts/oidc/other/login/").status_code == 404
    assert Client().get("/accounts/oidc/city/login/").status_code == 405


def test_the_log_out_leads_to_the_provider(keycloak):
    client = Client()
    go(client)
    page = client.post("/accounts/logout/")
    assert page["Refresh"].startswith(f"0; url={keycloak.issuer}/end?client_id=allmende&post_logout_redirect_uri=http")
    assert client.get("/accounts/").status_code == 302


def test_a_provider_may_vouch_for_the_second_factor(keycloak, settings):
    import msgspec

    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, second_factor="editor")
    keycloak.claims["realm_access"] = {"roles": ["/data/editors"]}
    go(Client())
    assert role_of(User.objects.get()) == "contributor"
    configure(settings, keycloak, second_factor=True)
    assert role_of(User.objects.get()) == "editor"
    anna = User.objects.get()
    anna.set_password(PASSWORD)  # from now on the password alone opens the account
    anna.save()
    assert role_of(User.objects.get()) == "contributor"


# --- the operator's file


def test_providers_are_read_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    file = tmp_path / "oidc.toml"
    file.write_text(
        """
        [[provider]]
        id = "city"
        title = "Rathaus"
        issuer = "https://login.city.example/realms/city"
        client_id = "allmende"
        client_secret_file = "secret"
        groups_claim = "realm_access.roles"
        [[provider.grants]]
        group = "data"
        role = "editor"
        """
    )
    [provider] = read_providers(str(file))
    assert (provider.client_secret, provider.grants[0].role) == ("s3cret", "editor")
    assert read_providers("") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = 5", "unknown field"),
        ('[[provider]]\nid = "a"', "title"),
        ('[[provider]]\nid="a"\ntitle="a"\nissuer="http://city.example"\nclient_id="a"', "https"),
        ('[[provider]]\nid="A B"\ntitle="a"\nissuer="https://city.example"\nclient_id="a"', "small letters"),
        ('[[provider]]\nid="a"\ntitle="a"\nissuer="https://c.example"\nclient_id="a"\nrole="king"', "no role"),
        ('[[provider]]\nid="a"\ntitle="a"\nissuer="https://c.example"\nclient_id="a"\nscopes=["email"]', "openid"),
        ("[[", "ALLMENDE_OIDC"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path, text, says):
    file = tmp_path / "oidc.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_providers(str(file))
    assert says in str(raised.value) or says in str(getattr(raised.value, "where", ""))
