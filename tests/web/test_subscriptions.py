"""Subscriptions: what is told, to whom, and what nobody learns."""

import re
import smtplib
from datetime import UTC, datetime, time, timedelta
from html import unescape
from secrets import token_hex
from typing import Any

import icalendar
import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from lxml import etree
from msgspec.structs import replace

from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.dataset import DatasetProfile
from allmende.domain.feature_checks import check_features
from allmende.domain.holdings import Subject, Wishes, holdings
from allmende.domain.policy import house_reader
from allmende.domain.records import Collection, Feature, Features
from allmende.domain.times import DAY, HOUR, MINUTE, from_datetime
from allmende.web.alerts.models import Event
from allmende.web.catalogue.notes import note_descriptions
from allmende.web.config import Config
from allmende.web.counts import Bucket
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.maps.register import import_register
from allmende.web.stories.models import Story, StoryVersion
from allmende.web.subscriptions import views
from allmende.web.subscriptions.asking import tidy
from allmende.web.subscriptions.ledger import collect
from allmende.web.subscriptions.models import DAYS, Happened, Letter, Subscriber, Subscription
from allmende.web.subscriptions.post import MailWay, Post, Refused
from allmende.web.subscriptions.sources.all import SOURCES

pytestmark = pytest.mark.django_db(transaction=True)
NOW = from_datetime(datetime.now(UTC))
ROADS = "test-roadworks"
CLOSED = "test-closed"
HERE = (11.5864, 50.9272)
FORM = {"email": "Anna@mail.example", "rhythm": "once", "language": "de", "urgent": "on"}
REGISTER = "street,number,postcode,place,lon,lat\nWagnergasse,5,07743,,11.5864,50.9272\n"
ATOM = "{http://www.w3.org/2005/Atom}"


def dataset(name: str, access: str = "open") -> DatasetProfile:
    return DatasetProfile(
        id=name, title={"de": f"Titel {name}", "en": f"Title {name}"}, description={"de": "Text"}, publisher="Stadt",
        licence="CC0-1.0", attribution="", access=access,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def town(monkeypatch, request, settings):
    """The city with a dataset of roadworks, which a test may close."""
    monkeypatch.setattr(views, "BUCKET", Bucket(100, request.node.nodeid))
    monkeypatch.setattr("allmende.web.subscriptions.own_views.BUCKET", Bucket(100, request.node.nodeid))
    settings.ALLMENDE = replace(settings.ALLMENDE, mail_url="smtp://mail.example", public_url="https://city.example/")
    for source in SOURCES.values():
        if hasattr(source, "_seen"):
            source._seen = {}
    yield Town(monkeypatch)
    forget_collections()


def forget_collections() -> None:
    """What a test delivered would be news to the next one: Django empties the tables of its models alone, and on
    PostgreSQL those of the store keep their rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE collection CASCADE")


class Town:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch
        self.mark = token_hex(4)
        self.profile = open_profile()
        self.be({ROADS: dataset(ROADS), CLOSED: dataset(CLOSED, "restricted")})

    def be(self, datasets: dict[str, DatasetProfile]) -> None:
        self.profile = replace(self.profile, datasets={**self.profile.datasets, **datasets})
        for module in ("house", "subscriptions.views", "subscriptions.own_views"):
            self.patch.setattr(f"allmende.web.{module}.open_profile", lambda: self.profile)
        furnish(open_store(), self.profile)

    def deliver(self, *works: Feature, at: int = NOW, into: str = ROADS) -> None:
        name = f"{into}-{self.mark}"
        found, faults = check_features(Features(collection=name, items=list(works)), Bounds())
        assert not faults
        one = Collection(id=name, title="Baustellen", snapshot=True)
        batch = Batch(delivered=[name], origin="test", dataset=into, reader=house_reader("test"), received_at=at,
                      collections=[one], features=[found])  # fmt: skip
        open_store().append(batch)

    def look(self, at: int | None = None) -> int:
        return collect(self.profile, open_store(), at or from_datetime(timezone.now()), days=90)

    def post(self) -> list[Any]:
        before = len(mail.outbox)
        Post(MailWay(CONFIG), lambda: self.profile, CONFIG).hand_over()
        return mail.outbox[before:]


CONFIG = Config(mail_url="smtp://mail.example", public_url="https://city.example/", subscription_letters=50)


def work(name: str, *, start: int | None = None, end: int | None = None, **said: Any) -> Feature:
    return Feature(
        id=name,
        geometry={"type": "Point", "coordinates": list(HERE)},
        properties={"type": "MaintenanceWorks", "roads": ["Wagnergasse"], "comment": "Neue Rohre", **said},
        valid_from=NOW + HOUR if start is None else start,
        valid_to=NOW + 20 * DAY if end is None else end,
    )


def subscribe(town: Town, query: str = "kind=features", **form: str) -> str:
    """By the forms alone, as people do; gives the address of one's own list."""
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    assert client.post(f"/subscriptions/new/?{query}", {**FORM, **form}).status_code == 302
    (letter,) = town.post()
    return client.post(link_in(letter, "confirm"))["Location"].partition("?")[0]


def link_in(letter: Any, view: str) -> str:
    found = re.search(rf"https://city\.example(/subscriptions/{view}/[^\s>]+)", str(letter.message()))
    found = found or re.search(rf"https://city\.example(/subscriptions/{view}/[^\s>]+)", letter.body)
    assert found, letter.body
    return found[1]


# by mail


def test_nothing_is_sent_before_it_is_confirmed(town: Town) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    client.post("/subscriptions/new/?kind=features", FORM)
    (letter,) = town.post()
    assert letter.to == ["Anna@mail.example"]
    assert "Anna" not in Subscriber.objects.get().sealed
    town.deliver(work("a"))
    assert town.look() == 0
    assert client.get(link_in(letter, "confirm")).status_code == 200  # as mail filters do
    assert Subscription.objects.get().confirmed is None
    answer = client.post(link_in(letter, "confirm"), follow=True)
    assert "Es hat begonnen" in answer.content.decode()
    assert "A…@mail.example" in answer.content.decode()
    assert town.look() == 0, "it is older than the subscription"
    town.deliver(work("a"), work("b", comment="Kanal"), at=from_datetime(timezone.now()))
    assert (town.look(), town.look()) == (1, 0)
    (news,) = town.post()
    assert news.subject == "Straßenunterhaltung: Wagnergasse"
    assert "Kanal" in news.body
    assert news.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert town.post() == []


def test_who_asks_never_learns_whether_an_address_is_known(town: Town) -> None:
    mine = subscribe(town)
    answers = [
        [
            (answer.status_code, answer.get("Location"))
            for answer in (
                Client().post("/subscriptions/new/?kind=features", {**FORM, "email": address}),
                Client().post("/subscriptions/mine/", {"email": address}),
            )
        ]
        for address in ("anna@mail.example", "nobody@mail.example")
    ]
    assert answers[0] == answers[1]
    kinds = {letter.to[0]: [] for letter in town.post()}
    for letter in mail.outbox[1:]:
        kinds[letter.to[0]].append("confirm" if "/confirm/" in letter.body else "link")
    # their owner is told that it is there already; a stranger's address gets the letter to confirm, and no list
    assert kinds == {"Anna@mail.example": ["link", "link"], "nobody@mail.example": ["confirm"]}
    assert Client().get(mine).status_code == 200


def test_nobody_fills_a_strangers_mailbox_by_the_form(town: Town, settings) -> None:
    settings.ALLMENDE = replace(settings.ALLMENDE, subscription_letters=3)
    for number in range(6):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        assert client.post(f"/subscriptions/new/?street=Gasse {number}", FORM).status_code == 302
    assert len(town.post()) == 3


def test_too_many_from_one_network_are_refused(monkeypatch, request) -> None:
    monkeypatch.setattr(views, "BUCKET", Bucket(2, request.node.nodeid + "2"))
    answers = [Client().post("/subscriptions/new/", {**FORM, "email": f"{n}@mail.example"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert Subscriber.objects.count() == 2


def test_a_stranger_changes_nothing_of_what_an_address_wished(town: Town) -> None:
    subscribe(town, rhythm="daily", language="en")
    Client().post("/subscriptions/new/?street=Gasse", {**FORM, "rhythm": "once"})
    assert (Subscriber.objects.get().rhythm, Subscriber.objects.get().language) == ("daily", "en")


@pytest.mark.parametrize(
    ("wrong", "place"), [({"email": "anna"}, "error-email"), ({"email": ""}, "error-email"),
                         ({"quiet_from": "25:00"}, "error-quiet_from"), ({"quiet_from": "22:00"}, "error-quiet_to")],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_the_field(wrong: dict[str, str], place: str) -> None:
    answer = Client().post("/subscriptions/new/", {**FORM, **wrong})
    assert answer.status_code == 422
    assert f'id="{place}"' in answer.content.decode()
    assert not Subscriber.objects.exists()


def test_programs_that_fill_every_field_are_forgotten() -> None:
    assert Client().post("/subscriptions/new/", {**FORM, "website": "https://spam.example"}).status_code == 302
    assert not Subscriber.objects.exists()


def test_one_click_in_the_mail_program_ends_what_the_mail_came_for(town: Town) -> None:
    subscribe(town)
    subscribe(town, "street=Gasse")
    town.deliver(work("a"), at=from_datetime(timezone.now()))
    town.look()
    (news,) = town.post()
    off = re.search(r"https://city\.example(\S+)>", news.extra_headers["List-Unsubscribe"])[1]
    program = Client(enforce_csrf_checks=True)  # it has no cookie
    assert program.get(off).status_code == 200
    assert Subscription.objects.count() == 2
    assert program.post(off, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert [each.selection for each in Subscription.objects.all()] == [{"street": "Gasse"}]
    assert program.post(off).status_code == 200, "again does no harm"
    assert Subscription.objects.count() == 1


def test_one_sees_changes_and_ends_ones_own_list(town: Town) -> None:
    mine = subscribe(town)
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    page = client.get(mine)
    assert page["Cache-Control"] == "private, no-store"
    assert page["Referrer-Policy"] == "same-origin"
    wishes = {"rhythm": "daily", "quiet_from": "22:00", "quiet_to": "06:00", "language": "de-simple"}
    assert client.post(mine, wishes).status_code == 302
    kept = Subscriber.objects.get()
    assert (kept.rhythm, kept.quiet_from, kept.language, kept.urgent) == ("daily", time(22), "de-simple", False)
    other = client.post(f"{mine}end/{Subscription.objects.get().pk + 1}/")
    assert other.status_code == 302
    assert Subscription.objects.count() == 1, "somebody else's is not ended"
    assert client.post(f"{mine}end/{Subscription.objects.get().pk}/").status_code == 302
    assert not Subscriber.objects.exists(), "with the last one the address goes"
    assert client.get(mine).status_code == 404


def test_links_are_good_for_one_thing_alone(town: Town) -> None:
    mine = subscribe(town)
    token = mine.rstrip("/").rpartition("/")[2]
    for path in ("renew", "confirm"):
        assert Client().get(f"/subscriptions/{path}/{token}/").status_code == 404
    assert Client().get(f"/subscriptions/mine/{token[:-1]}x/").status_code == 404


def test_unconfirmed_addresses_go_and_others_are_asked_once_a_year(town: Town) -> None:
    subscribe(town)
    Client().post("/subscriptions/new/", {**FORM, "email": "late@mail.example"})
    now = timezone.now()
    town.post()
    tidy(now + timedelta(hours=CONFIG.subscription_hours, minutes=1), CONFIG)
    assert Subscriber.objects.get().confirmed
    for days in (DAYS - 40, DAYS - 29, DAYS - 28):
        tidy(now + timedelta(days=days), CONFIG)
    Letter.objects.filter(kind="renew").update(due=now)
    (letter,) = town.post()
    assert Client().post(link_in(letter, "renew")).status_code == 302
    assert Subscriber.objects.get().until > now + timedelta(days=DAYS - 1)
    tidy(now + timedelta(days=DAYS + 2), CONFIG)
    assert not Subscriber.objects.exists()


# when


def test_several_go_as_one_and_what_changed_meanwhile_once(town: Town) -> None:
    subscribe(town, rhythm="daily")
    now = from_datetime(timezone.now())
    town.deliver(work("a"), work("b", roads=["Gasse"]), at=now)
    town.look()
    town.deliver(work("a", end=NOW + 30 * DAY), work("b", roads=["Gasse"]), at=now + MINUTE)
    town.look(now + 2 * MINUTE)
    assert town.post() == []
    Letter.objects.update(due=timezone.now())
    (news,) = town.post()
    assert news.subject.endswith("2 Neuigkeiten")
    assert news.body.count("Wagnergasse") == 1
    assert Letter.objects.filter(sent__isnull=True).count() == 0


# nothing is lost, nothing goes twice knowingly


def without_links(letter: Any) -> str:
    """What a letter says: its links are signed anew, with the second of the day."""
    return re.sub(r"https://\S+", "", str(letter.body))


def test_what_is_in_flight_when_the_machine_dies_goes_again_as_the_same(town: Town, monkeypatch) -> None:
    subscribe(town)
    town.deliver(work("a"), work("b"), at=from_datetime(timezone.now()))
    town.look()

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Post, "_settle", die)
        with pytest.raises(KeyboardInterrupt):
            town.post()
    town.deliver(work("a"), work("b"), work("c"), at=from_datetime(timezone.now()))
    town.look()
    again = town.post()
    taken = mail.outbox[1:]
    assert len(taken) == 3
    assert taken[0].extra_headers["Message-ID"] == again[0].extra_headers["Message-ID"]
    assert without_links(taken[0]) == without_links(again[0])
    assert taken[0].extra_headers["Message-ID"] != again[1].extra_headers["Message-ID"]
    assert town.post() == []


class Unkind(MailWay):
    """A mail server that says no."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__(CONFIG)
        self.errors = list(errors)

    def send(self, letters: Any, profile: Any) -> None:
        if self.errors:
            raise self.errors.pop(0)
        super().send(letters, profile)


def test_who_is_refused_again_and_again_is_deleted_and_others_get_theirs(town: Town) -> None:
    subscribe(town)
    subscribe(town, email="bert@mail.example")
    town.deliver(work("a"), at=from_datetime(timezone.now()))
    town.look()
    no = Refused("the recipient was refused: 550", final=True)
    early = timezone.now() - timedelta(hours=1)
    for _ in range(CONFIG.subscription_refusals):
        Letter.objects.filter(subscriber__pk=Subscriber.objects.order_by("pk").first().pk).update(due=early, attempts=0)
        Post(Unkind(no), lambda: town.profile, CONFIG).hand_over()
    assert Subscriber.objects.count() == 1
    assert mail.outbox[-1].to == ["bert@mail.example"]
    assert Letter.objects.filter(sent__isnull=True).count() == 0


def test_a_mail_server_that_is_away_is_tried_again_and_loses_nothing(town: Town) -> None:
    subscribe(town)
    town.deliver(work("a"), at=from_datetime(timezone.now()))
    town.look()
    clock = [timezone.now()]
    post = Post(Unkind(smtplib.SMTPServerDisconnected("away")), lambda: town.profile, CONFIG, lambda: clock[0])
    assert post.hand_over() == 0
    assert post.hand_over() == 0, "it is left alone for a while"
    clock[0] += timedelta(minutes=5)
    assert post.hand_over() == 1


# what is public


def test_what_is_closed_is_not_told_even_if_it_lies_in_the_outbox(town: Town) -> None:
    subscribe(town)
    town.deliver(work("a"), at=from_datetime(timezone.now()))
    assert town.look() == 1
    assert b"Wagnergasse" in Client().get("/subscriptions/feed.atom").content
    assert "Wagnergasse" in Client().get("/subscriptions/new/").content.decode()
    town.be({ROADS: dataset(ROADS, "restricted")})
    assert town.post() == []
    assert b"Wagnergasse" not in Client().get("/subscriptions/feed.atom").content
    assert "Wagnergasse" not in Client().get("/subscriptions/new/").content.decode()
    assert Client().get(f"/subscriptions/new/?dataset={ROADS}").status_code == 404
    town.be({ROADS: dataset(ROADS)})
    assert town.post() == [], "it was dropped, and does not come later"


def test_of_a_closed_dataset_nothing_is_noted_and_of_one_that_is_opened_what_lasts(town: Town) -> None:
    town.deliver(work("secret"), into=CLOSED)
    town.look()
    assert not Happened.objects.filter(dataset=CLOSED).exists()
    assert Client().get(f"/subscriptions/new/?dataset={CLOSED}").status_code == 404
    town.be({CLOSED: dataset(CLOSED)})
    town.look(NOW + DAY)
    assert Happened.objects.filter(dataset=CLOSED).count() == 1


def test_public_alerts_are_told_in_the_subscribers_words_and_silenced_ones_not(town: Town) -> None:
    subscribe(town, "kind=alerts&severity=severe", language="de-simple", quiet_from="00:00", quiet_to="23:59")
    now = from_datetime(timezone.now())
    facts: dict[str, Any] = {
        "alert": "flood", "key": "saale", "dataset": ROADS, "severity": "severe", "category": "Met", "since": now,
        "raised": now, "changed": now, "noted": now, "edition": "1", "streams": ["saale~level"], "thing_name": "Saale",
        "title": {"de": "Hochwasser", "plain": "Viel Wasser"}, "description": {"de": "Pegel über 150 cm"},
    }  # fmt: skip
    Event.objects.create(id="public", public=True, **facts)
    Event.objects.create(id="inner", public=False, **facts)
    Event.objects.create(id="mild", public=True, **{**facts, "severity": "minor"})
    assert town.look() == 1
    (news,) = town.post()
    assert "Viel Wasser: Saale" in news.subject
    Event.objects.filter(id="public").update(silenced="a test", changed=now + 1)
    assert b"Hochwasser" not in Client().get("/subscriptions/feed.atom?severity=severe").content


def test_changes_of_datasets_are_told_and_their_end(town: Town) -> None:
    note_descriptions(town.profile, NOW - DAY)
    subscribe(town, f"dataset={ROADS}&kind=datasets")
    changed = replace(dataset(ROADS), description={"de": "Anderer Text"})
    town.be({ROADS: changed})
    note_descriptions(town.profile, from_datetime(timezone.now()))
    assert town.look() == 1
    (news,) = town.post()
    assert news.subject == f"Geänderte Beschreibung: Titel {ROADS}"
    rest = {name: each for name, each in town.profile.datasets.items() if name != ROADS}
    town.profile = replace(town.profile, datasets=rest)
    note_descriptions(town.profile, from_datetime(timezone.now()))
    assert town.look() == 1
    (news,) = town.post()
    assert news.subject == f"Nicht mehr da: Titel {ROADS}"


def test_a_story_is_told_once_it_is_published_and_not_when_it_is_withdrawn(town: Town) -> None:
    subscribe(town, "kind=stories")
    text = {"texts": {"de": {"title": "Der heiße Juli", "summary": "Was die Bäume sagen"}}}
    story = Story.objects.create(handle="juli", draft=text, version=0)
    StoryVersion.objects.create(story=story, number=1, body=text)
    told = len(town.profile.stories)  # those that the profile brings are new in this house
    assert town.look() == told
    Story.objects.filter(pk=story.pk).update(version=1, published=timezone.now())
    assert (town.look(), town.look()) == (1, 0)
    assert b"Der hei" in Client().get("/subscriptions/feed.atom?kind=stories").content
    Story.objects.filter(pk=story.pk).update(version=0)
    assert "Der heiße Juli" not in "".join(letter.body for letter in town.post())
    assert b"Der hei" not in Client().get("/subscriptions/feed.atom?kind=stories").content


# feeds and calendars


def test_a_feed_says_what_it_said_and_is_not_sent_again_for_nothing(town: Town) -> None:
    town.deliver(work("a", comment="x\x01 & <b>"))
    town.look()
    first = Client().get("/subscriptions/feed.atom?kind=features&lang=en")
    root = etree.fromstring(first.content)
    (entry,) = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Road maintenance: Wagnergasse"
    assert entry.findtext(f"{ATOM}id").startswith("tag:")
    assert root.findtext(f"{ATOM}id").startswith("https://city.example/subscriptions/feed.atom?")
    assert Client().get("/subscriptions/feed.atom?lang=en&kind=features").content == first.content
    same = Client(HTTP_IF_NONE_MATCH=first["ETag"]).get("/subscriptions/feed.atom?kind=features&lang=en")
    assert (same.status_code, same["ETag"]) == (304, first["ETag"])
    since = Client(HTTP_IF_MODIFIED_SINCE=first["Last-Modified"])
    assert since.get("/subscriptions/feed.atom?kind=features&lang=en").status_code == 304
    assert "Cookie" not in first.get("Vary", "")
    rss = etree.fromstring(Client().get("/subscriptions/feed.rss?kind=features").content)
    assert rss.findtext("channel/item/guid") == entry.findtext(f"{ATOM}id")
    assert rss.find("channel/item/guid").get("isPermaLink") == "false"


def test_a_calendar_moves_and_strikes_out_what_it_showed(town: Town) -> None:
    def event() -> Any:
        body = Client().get("/subscriptions/feed.ics?kind=features").content
        found = icalendar.Calendar.from_ical(body).walk("VEVENT")
        return next(each for each in found if "alt" in each["SUMMARY"])

    now = from_datetime(timezone.now())
    town.deliver(work("a", title="alt"), at=now)
    town.look()
    first = event()
    assert first["STATUS"] == "CONFIRMED"
    assert first.decoded("DTSTART") == datetime.fromtimestamp((NOW + HOUR) // 1_000_000, UTC)
    assert tuple(round(each, 4) for each in (first["GEO"].longitude, first["GEO"].latitude)) == HERE
    town.deliver(work("a", title="alt", end=NOW + 30 * DAY), at=now + MINUTE)
    town.look()
    moved = event()
    assert (moved["UID"], int(moved["SEQUENCE"])) == (first["UID"], 1)
    assert moved.decoded("DTEND") > first.decoded("DTEND")
    town.deliver(work("b"), at=now + 2 * MINUTE)
    town.look()
    gone = event()
    assert (gone["UID"], gone["STATUS"], int(gone["SEQUENCE"])) == (first["UID"], "CANCELLED", 2)


# pages, and what is held


def test_a_page_is_found_by_name_and_leads_on(town: Town) -> None:
    page = Client(HTTP_ACCEPT_LANGUAGE="de").get(f"/subscriptions/?q={ROADS}").content.decode()
    assert f"/subscriptions/new/?dataset={ROADS}" in page
    assert f"dataset={CLOSED}" not in Client().get(f"/subscriptions/?q={CLOSED}").content.decode()


def test_an_address_of_the_register_is_a_place(town: Town) -> None:
    if not town.profile.geography.districts.get("features"):
        pytest.skip("this city has no districts")
    import_register(REGISTER.encode(), file="register.csv", source="test", licence="CC0-1.0")
    page = unescape(Client(HTTP_ACCEPT_LANGUAGE="de").get("/subscriptions/?q=Wagnergase 5").content.decode())
    assert "/subscriptions/new/?near=11.586400%2C50.927200%2C500" in page
    assert "?street=Wagnergasse" in unescape(Client().get("/subscriptions/?q=Wagnergasse").content.decode())


def test_without_a_mail_server_no_address_is_asked_for(settings) -> None:
    settings.ALLMENDE = replace(settings.ALLMENDE, mail_url="")
    assert 'type="email"' not in Client().get("/subscriptions/new/").content.decode()
    Client().post("/subscriptions/new/", FORM)
    assert not Subscriber.objects.exists()


def test_a_person_is_told_what_is_held_of_them_and_it_goes(town: Town) -> None:
    subscribe(town)
    town.deliver(work("a"), at=from_datetime(timezone.now()))
    town.look()
    anna = Subject(emails=frozenset({"anna@mail.example"}))
    mine = {each.named.place: each for each in holdings() if "Subscriptions" in each.named.sections}
    assert mine["subscribers"].tell(anna)[0]["address"] == "Anna@mail.example"
    assert mine["subscriptions"].tell(anna)[0]["selection"] == {"kinds": ["features"]}
    for holding in holdings():
        if holding.named.place in mine:
            holding.erase(anna, Wishes())
    assert not Subscriber.objects.exists()
    assert not Letter.objects.exists()
