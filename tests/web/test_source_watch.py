"""The worker's watch: what it finds, keeps, tells once and shows."""

import smtplib

import msgspec
import pytest
import structlog
from django.core import mail
from django.test import Client
from django.utils import translation
from tests.web.servers import serving
from tests.web.simple import EPOCH, city, connector, lines, make_intake, payload

from allmende.domain.connector import Payload
from allmende.domain.contract import Contract
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND
from allmende.web.config import Config
from allmende.web.house import open_profile
from allmende.web.troubles import say_kind, say_trouble
from allmende.web.worker import looks
from allmende.web.worker.models import Look, Trouble, Watched
from allmende.web.worker.notices import PATIENCE, Notices
from allmende.web.worker.watch import Teller, Watch, read_properties

pytestmark = pytest.mark.django_db
NOW = EPOCH * SECOND + 100 * DAY
CONTRACT = Contract(
    interval="PT15M", late_after="PT1H", missing_after="P1D", frozen_after="P1D", behind="PT2H", columns=[], per_day=96
)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def house(tmp_path):
    """A watched source, its clock, and a way to send readings at the clock's time."""
    clock = Clock()
    intake = make_intake(
        tmp_path,
        profile=city(feed={"responsible": "anna@city.example"}, off={"enabled": False}),
        connectors={"simple": connector(contract=CONTRACT)},
    )
    intake.clock = clock
    return intake, clock


def send(intake, *values: str, at: int | None = None) -> None:
    """``stream:value`` each, at the clock's time."""
    moment = intake.clock() if at is None else at
    seconds = moment // SECOND - EPOCH
    rows = [f"{name},{seconds},{value}" for name, _, value in (text.partition(":") for text in values)]
    intake.take("feed", Payload(body=lines(*rows), name="test", received_at=intake.clock()))


def watching(intake, tell=None) -> Watch:
    import threading

    return Watch(intake, threading.Event(), tell or Teller())


def open_kinds() -> list[str]:
    return sorted(Trouble.objects.filter(over__isnull=True).values_list("kind", flat=True))


def test_a_source_goes_late_then_missing_and_is_over(house):
    intake, clock = house
    watch = watching(intake)
    send(intake, "a:5")
    watch.round()
    assert open_kinds() == []
    clock.now += 2 * HOUR
    watch.round()
    assert open_kinds() == ["late"]
    clock.now += DAY
    watch.round()
    assert open_kinds() == ["missing"]
    send(intake, "a:6")
    watch.round()
    assert open_kinds() == ["missing"]  # it has to stay
    clock.now += 16 * MINUTE
    watch.round()
    assert open_kinds() == []
    assert Trouble.objects.count() == 2


def test_a_source_that_is_switched_off_is_nobody_s_trouble(house):
    intake, _ = house
    Trouble.objects.create(source="off", kind="late", since=NOW, found=NOW)
    watching(intake).round()
    assert open_kinds() == []
    assert not Watched.objects.filter(source="off").exists()


def test_a_value_that_stands_still_is_found_also_after_a_restart(house):
    intake, clock = house
    watch = watching(intake)
    for _ in range(30):
        send(intake, "a:5", f"b:{clock.now // HOUR % 7}")
        watch.round()
        clock.now += HOUR
    clock.now -= HOUR
    assert open_kinds() == ["frozen"]
    finding = Trouble.objects.get().finding
    assert (finding["streams"], finding["of"]) == (["a"], 2)
    Trouble.objects.all().delete()
    watching(intake).round()
    assert open_kinds() == ["frozen"]


def test_a_value_that_came_and_went_between_two_rounds_does_not_stand_still(house):
    intake, clock = house
    watch = watching(intake)
    for hour in range(30):
        send(intake, "a:5")
        watch.round()
        if hour == 15:
            send(intake, "a:6", at=clock.now + MINUTE)
        clock.now += HOUR
    clock.now -= HOUR
    watch.round()
    assert open_kinds() == []


def test_a_property_that_may_rest(house):
    intake, clock = house
    rests = msgspec.structs.replace(CONTRACT, resting=["count"])
    prepared = intake.sources["feed"]
    source = msgspec.structs.replace(prepared.source, contract=rests)
    intake.sources["feed"] = msgspec.structs.replace(prepared, source=source)
    for _ in range(30):
        send(intake, "a:5")
        clock.now += HOUR
    clock.now -= HOUR
    assert read_properties(intake.store) == {"a": "count"}
    watching(intake).round()
    assert open_kinds() == []


def test_ranges_of_the_contract_flag_and_are_told(house):
    intake, clock = house
    prepared = intake.sources["feed"]
    ranged = msgspec.convert({**msgspec.to_builtins(CONTRACT), "ranges": {"count": {"high": 100}}}, Contract)
    source = msgspec.structs.replace(prepared.source, contract=ranged)
    intake.sources["feed"] = msgspec.structs.replace(prepared, source=source)
    for minute in range(20):
        send(intake, f"a:{minute}", f"b:{200 if minute > 10 else 5}", at=clock.now + minute * MINUTE)
    clock.now += 20 * MINUTE
    watching(intake).round()
    assert open_kinds() == ["range"]
    assert Trouble.objects.get().finding["facts"] == {"share": 0.225}


def test_what_comes_twice_or_cannot_be_read(house):
    intake, clock = house
    strict = msgspec.structs.replace(CONTRACT, repeats=0.1)
    prepared = intake.sources["feed"]
    source = msgspec.structs.replace(prepared.source, contract=strict)
    intake.sources["feed"] = msgspec.structs.replace(prepared, source=source)
    watch = watching(intake)
    watch.round()
    for minute in range(20):
        send(intake, f"a:{minute}", at=clock.now + minute * MINUTE)
        send(intake, f"a:{minute}", at=clock.now + minute * MINUTE)
        intake.take("feed", payload(lines("nonsense")))
    clock.now += 20 * MINUTE
    watch.round()
    assert open_kinds() == ["duplicated", "rejected"]


# --- looks


def test_names_are_looked_at_now_and_then(house):
    intake, _ = house
    looked = looks.Looks(seconds=3600)
    intake._look = looked.take
    intake.take("feed", Payload(body=b"a;b\n", name="t", received_at=NOW))
    intake.take("feed", Payload(body=b"c;d\n", name="t", received_at=NOW + HOUR))
    assert Look.objects.get().names == {"a": [NOW, NOW], "b": [NOW, NOW]}
    looks.remember("feed", frozenset({"a", "new"}), NOW + DAY)
    look = Look.objects.get()
    assert look.names == {"a": [NOW, NOW + DAY], "b": [NOW, NOW], "new": [NOW + DAY, NOW + DAY]}
    assert (look.first, look.last) == (NOW, NOW + DAY)


def test_a_look_that_fails_takes_nothing_from_the_readings(house, monkeypatch):
    intake, _ = house
    intake._look = looks.Looks().take
    monkeypatch.setattr(looks, "remember", lambda *_: (_ for _ in ()).throw(RuntimeError("broken")))
    send(intake, "a:5")
    assert intake.store.sources()["feed"].accepted == 1


# --- telling


def notices(intake, **settings) -> Notices:
    from tests.web.simple import city

    config = Config(mail_url="smtp://mail.city.example", mail_from="house@city.example", **settings)
    return Notices(lambda: city(feed={"responsible": "anna@city.example"}), config)


def test_it_is_told_once_and_once_when_it_is_over(house, mailoutbox):
    intake, clock = house
    send(intake, "a:5")
    watching(intake).round()
    clock.now += 2 * HOUR
    for _ in range(3):  # each time another process
        watching(intake, notices(intake)).round()
        clock.now += PATIENCE
    [first] = mailoutbox
    assert first.to == ["anna@city.example"]
    assert "house@city.example" in first.from_email
    assert "late" in first.subject.lower()
    assert "/sources/#source-feed" in first.body
    send(intake, "a:6")
    for _ in range(3):
        clock.now += 16 * MINUTE
        send(intake, f"a:{clock.now // SECOND % 10}")
        watching(intake, notices(intake)).round()
    assert len(mailoutbox) == 2
    assert "works again" in mailoutbox[1].subject
    assert mailoutbox[0].extra_headers["Message-ID"] != mailoutbox[1].extra_headers["Message-ID"]


def test_what_is_over_at_once_is_not_told(house, mailoutbox):
    intake, _ = house
    Trouble.objects.create(source="feed", kind="late", since=NOW, found=NOW, over=NOW + MINUTE)
    notices(intake).tell(NOW + HOUR)
    assert mailoutbox == []


def test_what_could_not_be_told_is_told_later(house, monkeypatch):
    intake, _ = house
    Trouble.objects.create(source="feed", kind="late", since=NOW, found=NOW)
    monkeypatch.setattr(mail.EmailMessage, "send", lambda _: (_ for _ in ()).throw(ConnectionRefusedError("refused")))
    told = notices(intake)
    told.tell(NOW + HOUR)
    assert Trouble.objects.get().told is None
    monkeypatch.undo()
    told.tell(NOW + HOUR)
    assert Trouble.objects.get().told is None  # not at once again
    told._not_before = 0.0
    told.tell(NOW + HOUR)
    assert Trouble.objects.get().told == NOW + HOUR


def test_a_webhook_gets_what_is_wrong():
    Trouble.objects.create(source="feed", kind="late", since=NOW, found=NOW, finding={"facts": {"last": NOW}})
    with serving() as server:
        told = Notices(lambda: city(feed={}), Config(trouble_webhook=server.url("posted")))
        told.tell(NOW + HOUR)
        assert server.asked["posted"] == 1
        assert Trouble.objects.get().told == NOW + HOUR
        Trouble.objects.update(told=None)
        told = Notices(lambda: city(feed={}), Config(trouble_webhook=server.url("refused")))
        told.tell(NOW + HOUR)
        assert Trouble.objects.get().told is None


def test_a_webhook_that_fails_repeats_no_mail_and_is_not_shown(house, mailoutbox):
    intake, _ = house
    Trouble.objects.create(source="feed", kind="late", since=NOW, found=NOW, finding={"facts": {"last": NOW}})
    with serving() as server:
        told = notices(intake, trouble_webhook=server.url("refused") + "?token=s3cr3t")
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                told._not_before = 0.0
                told.tell(NOW + HOUR)
        assert server.asked["refused"] == 3
        assert Trouble.objects.get().told is None
        assert len(mailoutbox) == 1
        assert "500" in str(logs)
        assert "s3cr3t" not in str(logs)


def test_who_has_no_mailbox_does_not_keep_others_waiting(house, monkeypatch):
    intake, _ = house
    for kind in ("late", "frozen"):
        Trouble.objects.create(source="feed", kind=kind, since=NOW, found=NOW, finding={"facts": {"last": NOW}})
    refused = smtplib.SMTPRecipientsRefused({"anna@city.example": (550, b"no such user")})
    monkeypatch.setattr(mail.EmailMessage, "send", lambda _: (_ for _ in ()).throw(refused))
    notices(intake).tell(NOW + HOUR)
    assert set(Trouble.objects.values_list("told", flat=True)) == {NOW + HOUR}


# --- shown


FINDINGS = {
    "missing": {"count": 2, "of": 4, "streams": ["a", "b"], "facts": {"oldest": NOW}},
    "late": {"facts": {"last": NOW, "error": "refused"}},
    "frozen": {"count": 12, "of": 12, "streams": [str(n) for n in range(10)], "facts": {"since": NOW}},
    "range": {"count": 1, "of": 4, "streams": ["a"], "facts": {"share": 0.25}},
    "columns": {"facts": {"lost": ["level"], "new": ["value"]}},
    "clock": {"facts": {"behind": 3 * HOUR}},
    "duplicated": {"facts": {"share": 0.5}},
    "rejected": {"facts": {"share": 0.5}},
}


@pytest.mark.parametrize("kind", FINDINGS)
def test_every_trouble_has_words_in_both_languages(kind):
    with translation.override("en"):
        english = (say_kind(kind), say_trouble(kind, FINDINGS[kind]))
    with translation.override("de"):
        german = (say_kind(kind), say_trouble(kind, FINDINGS[kind]))
    assert all(english)
    assert english[0] != german[0]
    assert english[1] != german[1]
    assert "%" not in english[1].replace(" %", "")


def test_the_page_and_the_metrics_show_it():
    source = next(s for s in open_profile().sources.values() if s.enabled)
    Trouble.objects.create(source=source.id, kind="columns", since=NOW, found=NOW, finding=FINDINGS["columns"])
    page = Client(HTTP_ACCEPT_LANGUAGE="de").get("/sources/").text
    assert "kern-alert--warning" in page
    assert "Geänderte Spalten" in page
    assert "level" in page
    assert f'allmende_source_trouble{{kind="columns",source="{source.id}"}} 1.0' in Client().get("/metrics").text
