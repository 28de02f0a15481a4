"""Accounts as people use them: registration, log-in with a passkey and with codes of an app, own tokens, roles."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import ClassVar

import pytest
from allauth.mfa.totp.internal.auth import hotp_value
from playwright.sync_api import Page

from tests.browser.conftest import COMMAND, ROOT, Site
from tests.browser.looking import PASSWORD, audit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Person:
    """Somebody at a browser, who looks at each page on a phone and on a desk, light and dark."""

    seen: ClassVar[set[object]] = set()

    def __init__(self, page: Page, site: str, axe: str) -> None:
        self.page, self.site, self.axe = page, site, axe
        self.found: list[str] = []

    def open(self, path: str) -> None:
        self.page.goto(self.site + path)
        self.look()

    def press(self, name: str) -> None:
        """Press a button and look at what comes."""
        with self.page.expect_navigation():  # a passkey's form is sent a moment later
            self.page.locator("main").get_by_role("button", name=name).first.click()
        self.page.wait_for_load_state("networkidle")
        self.look()

    def look(self) -> None:
        """Once at each page, and at each thing that it says is wrong."""
        what = (re.sub(r"[0-9]+", "", self.page.url), self.heading(), self.page.get_by_role("alert").count())
        if what in self.seen:
            return
        self.seen.add(what)
        for width, scheme in ((390, "light"), (1280, "dark")):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.wait_for_timeout(60)
            name = self.page.url.removeprefix(self.site)
            self.found += [f"{name} {width} {scheme}: {fault}" for fault in audit(self.page, self.axe)]
        self.page.set_viewport_size({"width": 320, "height": 640})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > 320:
            self.found.append(f"{self.page.url}: {wide} pixels wide")
        self.page.set_viewport_size({"width": 390, "height": 844})

    def log_in(self, name: str) -> None:
        self.open("/accounts/login/")
        self.page.locator("#id_username").fill(name)
        self.page.locator("#id_password").fill(PASSWORD)
        self.page.locator("main").get_by_role("button", name="Anmelden", exact=True).click()
        self.page.wait_for_load_state("networkidle")

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def confirm_if_asked(self) -> None:
        if self.heading() == "Sind Sie es?":
            self.look()
            self.page.locator("#id_password").fill(PASSWORD)
            self.press("Weiter")


@pytest.fixture
def command(served: Site):
    """Runs a command of the house."""
    if served.environment is None:
        pytest.skip("a house that is given is looked after by somebody else")

    def run(*arguments: str, said: str = "") -> None:
        done = subprocess.run(
            [COMMAND, *arguments], env=served.environment, input=said, capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture
def person(visit, served: Site, axe: str) -> Iterator[Person]:
    """Under the name localhost: browsers give passkeys to names, and not to addresses."""
    visitor = visit()
    visitor.site = served.url.replace("127.0.0.1", "localhost")
    someone = Person(visitor.open("/accounts/login/"), visitor.site, axe)
    yield someone
    assert someone.found == []
    assert [fault for fault in visitor.faults if "403 (Forbidden)" not in fault] == []


def test_somebody_registers_and_is_let_in(person: Person, command):
    person.open("/accounts/signup/")
    person.page.locator("#id_username").fill("citizen")
    person.page.locator("#id_password1").fill("short")
    person.press("Registrieren")
    assert person.page.get_by_role("alert").count() == 1
    person.page.locator("#id_password1").fill(PASSWORD)
    person.press("Registrieren")
    assert person.heading() == "Ihr Konto ist nicht offen"
    command("user", "open", "citizen")
    person.log_in("citizen")
    assert person.heading() == "Mein Konto"
    person.look()
    assert "gibt eigene Daten" in person.page.locator("main").inner_text()
    person.open("/accounts/delete/")
    person.confirm_if_asked()
    person.page.get_by_label("Ich bin sicher.").check()
    person.press("Mein Konto löschen")
    assert person.heading() == "Ihr Konto ist gelöscht"


def test_a_passkey_opens_the_account_without_a_password(person: Person, command):
    command("user", "add", "passkeys", "--role", "steward", said=f"{PASSWORD}\n")
    debugger = person.page.context.new_cdp_session(person.page)
    debugger.send("WebAuthn.enable")
    debugger.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    person.log_in("passkeys")
    person.open("/accounts/factors/")
    person.open("/accounts/factors/webauthn/add/")
    person.confirm_if_asked()
    person.page.locator("#id_name").fill("Telefon")
    person.page.locator("#id_passwordless").check()
    person.press("Passkey hinzufügen")
    assert person.heading() == "Notfall-Codes"
    assert person.page.locator(".account__codes li").count() == 10
    person.open("/accounts/factors/webauthn/")
    assert "Telefon" in person.page.locator("main").inner_text()
    person.open("/accounts/")
    person.press("Abmelden")
    person.open("/accounts/login/")
    person.press("Mit Passkey anmelden")
    assert person.heading() == "Mein Konto"
    assert "1 Passkey" in person.page.locator("main").inner_text()
    person.press("Abmelden")
    person.log_in("passkeys")
    assert person.heading() == "Zweiter Schritt"
    person.look()
    person.press("Passkey nehmen")
    assert person.heading() == "Mein Konto"


def test_codes_of_an_app_are_asked_for(person: Person, command):
    command("user", "add", "codes", said=f"{PASSWORD}\n")
    person.log_in("codes")
    person.open("/accounts/factors/totp/activate/")
    person.confirm_if_asked()
    secret = person.page.locator("dd code").inner_text()
    person.page.locator("#id_code").fill("000000")
    person.press("Einrichten")
    secret = person.page.locator("dd code").inner_text()
    person.page.locator("#id_code").fill(code_of(secret))
    person.press("Einrichten")
    assert person.heading() == "Notfall-Codes"
    codes = person.page.locator(".account__codes code").all_inner_texts()
    person.open("/accounts/")
    person.press("Abmelden")
    person.log_in("codes")
    assert person.heading() == "Zweiter Schritt"
    person.page.locator("#id_code").fill("123456")
    person.press("Weiter")
    assert "stimmt nicht" in person.page.locator("main").inner_text()
    person.page.locator("#id_code").fill(codes[0])
    person.press("Weiter")
    assert person.heading() == "Mein Konto"
    person.open("/accounts/factors/recovery-codes/")
    person.confirm_if_asked()
    assert "9 von 10" in person.page.locator("main").inner_text()


def test_a_token_is_shown_once_and_opens_the_interface(person: Person, command):
    command("user", "add", "maker", "--role", "editor", said=f"{PASSWORD}\n")
    person.log_in("maker")
    person.open("/accounts/tokens/new/")
    person.confirm_if_asked()
    person.page.locator("#id_name").fill("gate")
    person.page.get_by_label("Was niemandem allein gehört").check()
    person.press("Erstellen")
    secret = person.page.locator("[data-secret]").inner_text()
    assert create(person.site, secret) == 201
    person.open("/accounts/tokens/")
    assert secret not in person.page.content()
    person.press("maker/gate widerrufen")
    time.sleep(1.1)  # so long another process may take it for valid
    assert create(person.site, secret) == 401
    for path in ("name/", "email/", "password/change/", "sessions/", "factors/", "providers/"):
        person.open(f"/accounts/{path}")


def test_roles_are_given_by_those_who_look_after_people(person: Person, command):
    command("user", "add", "chief", "--admin", said=f"{PASSWORD}\n")
    command("user", "add", "clerk", said=f"{PASSWORD}\n")
    command("organisation", "add", "trees", "--title", "Grünflächenamt")
    person.log_in("chief")
    person.open("/accounts/people/")
    person.page.locator("main").get_by_role("link", name="clerk").click()
    person.look()
    person.page.locator("#id_role").select_option("editor")
    person.page.locator("#id_organisation").select_option("trees")
    person.press("Geben")
    person.confirm_if_asked()
    assert "Grünflächenamt: beschreibt Daten" in person.page.locator("main").inner_text()
    person.open("/accounts/people/")
    person.press("Link erstellen")
    assert "/accounts/invitation/" in person.page.locator(".account__secret").inner_text()
    person.open("/accounts/")
    person.press("Abmelden")
    person.log_in("clerk")
    person.page.goto(person.site + "/accounts/people/")
    assert person.heading() == "Sie dürfen diese Seite nicht sehen"


def code_of(secret: str) -> str:
    """What an app would show now."""
    return f"{hotp_value(secret, int(time.time()) // 30):06d}"


def create(site: str, token: str) -> int:
    """The status of creating something with a token."""
    body = json.dumps({"name": "x", "description": "x", "definition": "https://example.org/x"}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{site}/sta/v1.1/ObservedProperties", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
