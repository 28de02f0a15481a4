"""What people tell the operator, and whom to tell of a weakness."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from allmende.domain.profile import Fact
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.config import Config
from allmende.web.counts import Bucket
from allmende.web.feedback import views
from allmende.web.feedback.models import DAYS, Message
from allmende.web.feedback.notice import tell_operator
from allmende.web.house import open_profile

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
TOLD = {"kind": "barrier", "page": "/parking/", "text": "The map cannot be read aloud.", "email": "anna@mail.example"}


@pytest.fixture(autouse=True)
def _no_calls(monkeypatch, request):
    """Under a name of its own: the memory may be shared with what other tests began."""
    monkeypatch.setattr(views, "BUCKET", Bucket(3, request.node.nodeid))


def test_a_message_needs_no_account_and_is_kept():
    response = Client().post("/feedback/", TOLD)
    assert response.status_code == 302
    assert Client().get(response["Location"]).status_code == 200
    message = Message.objects.get()
    assert (message.kind, message.page, message.text, message.email) == tuple(TOLD.values())


def test_the_page_that_it_is_about_comes_along():
    assert 'value="/sources/"' in Client().get("/feedback/?page=/sources/").content.decode()


@pytest.mark.parametrize(
    ("wrong", "place"),
    [({"text": ""}, "error-text"), ({"email": "anna"}, "error-email"), ({"page": "x" * 501}, "error-page")],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(wrong, place):
    response = Client().post("/feedback/", {**TOLD, **wrong})
    text = response.content.decode()
    assert response.status_code == 422
    assert f'id="{place}"' in text
    assert TOLD["text"] in text or "text" in wrong
    assert not Message.objects.exists()


def test_a_program_that_fills_every_field_is_thanked_and_forgotten():
    assert Client().post("/feedback/", {**TOLD, "website": "https://spam.example"}).status_code == 302
    assert not Message.objects.exists()


def test_too_many_from_one_address_are_refused():
    for _ in range(3):
        Client().post("/feedback/", TOLD)
    response = Client().post("/feedback/", TOLD)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert Message.objects.count() == 3


def test_visitors_behind_a_proxy_are_told_apart(settings):
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, proxies=1)
    seen = [Client(headers={"x-forwarded-for": f"192.0.2.{n}"}).post("/feedback/", TOLD) for n in range(5)]
    assert {response.status_code for response in seen} == {302}


def test_only_who_may_sees_and_settles():
    message = Message.objects.create(kind="fault", text="<b>bold</b>")
    assert Client().get("/feedback/messages/").status_code == 302
    anna = Client()
    anna.force_login(User.objects.create_user("anna"))
    assert anna.get("/feedback/messages/").status_code == 403
    assert anna.post(f"/feedback/messages/{message.pk}/settled/").status_code == 403
    head = Client()
    head.force_login(User.objects.create_superuser("head"))
    assert "&lt;b&gt;bold" in head.get("/feedback/messages/").content.decode()
    assert head.post(f"/feedback/messages/{message.pk}/settled/").status_code == 302
    message.refresh_from_db()
    assert message.settled
    assert AuditEntry.objects.filter(action="feedback.settle", actor="user:head").count() == 1


def test_the_operator_is_told_once():
    Message.objects.create(kind="barrier", text="It hinders me.", email="anna@mail.example", page="/parking/")
    config = Config(mail_url="smtp://mail.example", feedback_to="office@city.example")
    for _ in range(2):
        tell_operator(open_profile(), config)
    (sent,) = mail.outbox
    assert sent.to == ["office@city.example"]
    assert sent.reply_to == ["anna@mail.example"]
    assert "/parking/" in sent.body


def test_without_mail_it_waits():
    Message.objects.create(kind="barrier", text="It hinders me.")
    tell_operator(open_profile(), Config())
    assert Message.objects.get().told is None


def test_messages_go_when_their_time_is_over():
    now = timezone.now()
    settled = Message.objects.create(kind="fault", text="old", settled=now - timedelta(days=DAYS + 1))
    waiting = Message.objects.create(kind="fault", text="waits", at=now - timedelta(days=DAYS + 1))
    forgotten = Message.objects.create(kind="fault", text="forgotten", at=now - timedelta(days=2 * DAYS + 1))
    assert Message.prune() == 2
    assert list(Message.objects.all()) == [waiting]
    assert settled.pk != forgotten.pk


def test_personal_data_of_messages_stands_in_the_docs():
    text = (DOCS / "personal-data.md").read_text("utf-8")
    for field in ("text", "email"):
        assert Message._meta.get_field(field)
        assert f"``{field}``" in Message.__doc__
        assert f"| `{field}` |" in text
    assert f"{DAYS} days" in text


def test_security_txt_is_what_the_rfc_asks_for(settings):
    settings.ALLMENDE = replace(settings.ALLMENDE, security_contact="mailto:security@city.example")
    response = Client().get("/.well-known/security.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert fields["Contact"] == "mailto:security@city.example"
    assert fields["Preferred-Languages"].split(", ")[0] == "de"
    expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < expires - timezone.now() < timedelta(days=365)


def test_security_txt_names_the_operator_where_nobody_else_is_named(monkeypatch):
    fact = Fact(value="office@city.example", source="the operator", date="undated")
    named = replace(open_profile(), facts={"operator_email": fact})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: named)
    assert b"Contact: mailto:office@city.example\n" in Client().get("/.well-known/security.txt").content


def test_there_is_no_security_txt_without_a_contact(monkeypatch):
    bare = replace(open_profile(), facts={})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: bare)
    assert Client().get("/.well-known/security.txt").status_code == 404
