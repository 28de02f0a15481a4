"""Alerts are kept with the cursor, told at least once with one id, and told to nobody who may not know of them."""

import json
import threading
from typing import Any

import msgspec
import pytest
from tests.knowledge.town import NOW, profile, send

from allmende.domain.alerts import QuietProfile
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE, parse_instant
from allmende.knowledge.alerts.prepare import prepare_alerts
from allmende.knowledge.alerts.watch import Watcher
from allmende.web.accounts.models import AuditEntry
from allmende.web.alerts.channels import Refused
from allmende.web.alerts.delivery import Post, given_up
from allmende.web.alerts.escalating import escalate, forsake
from allmende.web.alerts.events import events
from allmende.web.alerts.keeping import prune
from allmende.web.alerts.ledger import DjangoLedger
from allmende.web.alerts.models import MQTT, AlertState, Event, Message, Silence
from allmende.web.alerts.quiet import waits_until
from allmende.web.alerts.watching import READER
from allmende.web.config import Config
from allmende.web.house import furnish, open_store

ALERTS = """
[channels.duty]
kind = "webhook"
address = "https://duty.example/hook"
secret = "ALERT_DUTY"
[channels.head]
kind = "mail"
to = ["head@town.example"]
quiet = { from = "22:00", to = "06:00", unless = "extreme" }
[alerts.high]
title = { de = "Hochwasser", en = "High water" }
dataset = "parking"
public = true
severity = "severe"
raise = "level > limit"
parameters = { limit = 150 }
tell = ["duty"]
escalate = [{ after = "PT30M", tell = ["head"] }]
inputs.level.property = "level"
[alerts.inner]
title = { de = "Innen", en = "Inside" }
dataset = "hidden"
public = true
raise = "level > 150"
tell = ["duty"]
inputs.level.property = "inner"
"""


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


class Town:
    """A house with alerts and a clock that is set by hand."""

    def __init__(self, store: Store, text: str = ALERTS) -> None:
        self.store, self.clock = store, Clock()
        self.profile: Profile = profile("", alerts=text)
        furnish(store, self.profile)
        self.watcher = self._watcher()

    def _watcher(self) -> Watcher:
        prepared = prepare_alerts(self.profile)
        assert not prepared.errors
        ledger = DjangoLedger(self.store, READER, self.profile, self.clock)
        watcher = Watcher(self.store, prepared.alerts, READER, self.clock, ledger, zone="Europe/Berlin")
        watcher.begin()
        return watcher

    def read(self, level: float, stream: str = "a~level", **more: Any) -> None:
        send(self.store, stream, {self.clock.now: level}, at=self.clock.now, **more)
        self.watcher.step()

    def post(self, sender: Any, channel: str = "duty", **settings: Any) -> Post:
        return Post(channel, sender, msgspec.structs.replace(Config(), **settings), self.clock)


@pytest.fixture
def town(db: None) -> Town:
    return Town(open_store())


class Sent(list[list[str]]):
    """A sender that notes what it is given; it fails with what ``trouble`` says of it."""

    trouble: Any = None

    def send(self, several: list[Message]) -> None:
        if self.trouble is not None and (found := self.trouble(several)) is not None:
            raise found
        self.append([message.id for message in several])


def test_what_is_raised_is_kept_with_its_reason_and_its_messages(town: Town) -> None:
    town.read(160, place=(11.6, 50.9), unit="cm")
    (event,) = events(town.profile, ANONYMOUS)
    assert (event.alert, event.key, event.state, event.severity) == ("high", "a~level", "raised", "severe")
    assert event.place == {"type": "Point", "coordinates": [11.6, 50.9]}
    assert event.thing_name == "a"
    assert event.reason["condition"] == "level > limit"
    assert event.reason["parameters"] == {"limit": 150}
    (value,) = event.reason["values"]
    assert (value["value"], value["unit"], value["stream"]) == (160, "cm", "a~level")
    assert sorted(Message.objects.values_list("id", flat=True)) == [
        f"{event.id}.raised.{name}" for name in ("duty", MQTT)
    ]
    assert AuditEntry.objects.filter(action="alert.raised", object=f"alert:{event.id}").count() == 1
    town.clock.now += MINUTE
    town.read(100)
    (event,) = events(town.profile, ANONYMOUS, since=NOW)
    assert (event.state, event.ending, event.until) == ("over", "cleared", NOW + MINUTE)
    assert Message.objects.filter(kind="cleared").count() == 2
    assert events(town.profile, ANONYMOUS, lasting=True) == []


def test_nobody_hears_of_an_alert_on_closed_data(town: Town) -> None:
    town.read(160, dataset="hidden", observed="inner")
    assert [event.alert for event in Event.objects.all()] == ["inner"]
    assert events(town.profile, Reader(name="x", datasets=frozenset({"hidden"}))) == []
    assert events(town.profile, ANONYMOUS, public=False) == []
    reader = Reader(name="x", datasets=frozenset({"hidden"}))
    assert [event.alert for event in events(town.profile, reader, public=False)] == ["inner"]
    assert not Message.objects.filter(channel=MQTT).exists()
    assert Message.objects.filter(channel="duty").exists()


def test_a_dataset_that_is_closed_afterwards_hides_what_it_told(town: Town) -> None:
    town.read(160)
    datasets = dict(town.profile.datasets)
    datasets["parking"] = msgspec.structs.replace(datasets["parking"], access="restricted")
    closed = msgspec.structs.replace(town.profile, datasets=datasets)
    assert len(events(town.profile, ANONYMOUS)) == 1
    assert events(closed, ANONYMOUS) == []


def test_what_fails_after_the_cursor_is_moved_is_not_kept_and_comes_again(town: Town, monkeypatch: Any) -> None:
    calls = []

    def broken(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise OSError("the disk died")

    with monkeypatch.context() as patch:
        patch.setattr("allmende.web.alerts.ledger.record", broken)
        with pytest.raises(OSError, match="disk"):
            town.read(160)
    assert calls
    assert not Event.objects.exists()
    assert not Message.objects.exists()
    assert not AlertState.objects.exists()
    town.watcher = town._watcher()
    town.watcher.step()
    assert Event.objects.count() == 1


def test_a_channel_that_is_away_is_asked_again_with_the_same_id(town: Town) -> None:
    town.read(160)
    sent = Sent()
    sent.trouble = lambda _: OSError("away")
    post = town.post(sent)
    assert post.hand_over() == 0
    message = Message.objects.get(channel="duty")
    assert (message.attempts, message.error, message.sent) == (1, "away", None)
    assert post.hand_over() == 0
    assert Message.objects.get(channel="duty").attempts == 1  # it is left alone for a while
    town.clock.now += 20 * 60 * 1_000_000
    sent.trouble = None
    assert post.hand_over() == 1
    assert post.hand_over() == 0
    assert sent == [[message.id]]


def test_what_one_channel_refuses_keeps_nothing_else_and_is_given_up_loudly(town: Town) -> None:
    town.read(160)
    town.read(170, "b~level")
    sent = Sent()
    poison = Message.objects.filter(channel="duty").order_by("id").first()
    assert poison is not None
    sent.trouble = lambda several: Refused("no") if several[0].id == poison.id else None
    post = town.post(sent, alert_hours=1.0)
    assert post.hand_over() == 1
    town.clock.now += 2 * HOUR
    post.hand_over()
    assert Message.objects.get(pk=poison.pk).given_up is not None
    assert given_up() == 1
    assert AuditEntry.objects.filter(action="alert.message.given-up").count() == 1


def test_the_end_is_not_told_before_the_beginning(town: Town) -> None:
    town.read(160)
    town.clock.now += MINUTE
    town.read(100)
    sent = Sent()
    post = town.post(sent)
    post.hand_over()
    post.hand_over()
    assert [name.split(".")[1] for (name,) in sent] == ["raised", "cleared"]


def test_who_does_not_acknowledge_is_passed_over_once(town: Town) -> None:
    town.clock.now = parse_instant("2026-06-01T10:00:00Z")
    town.read(160)
    assert escalate(town.store, town.profile, town.clock.now + 29 * MINUTE) == 0
    assert escalate(town.store, town.profile, town.clock.now + 31 * MINUTE) == 1
    assert escalate(town.store, town.profile, town.clock.now + 99 * MINUTE) == 0
    assert Message.objects.filter(channel="head", kind="escalated").count() == 1
    town.clock.now += 100 * MINUTE
    town.read(10)
    assert Message.objects.filter(channel="head", kind="cleared").count() == 1  # who was told hears of the end


def test_quiet_hours_gather_what_comes_into_one_message(town: Town) -> None:
    text = ALERTS.replace('tell = ["duty"]\nescalate', 'tell = ["head"]\nescalate')
    town = Town(town.store, text)
    town.clock.now = parse_instant("2026-06-01T21:00:00Z")  # 23:00 in the city
    town.read(160)
    town.read(170, "b~level")
    sent = Sent()
    post = town.post(sent, "head")
    assert post.hand_over() == 0
    town.clock.now = parse_instant("2026-06-02T04:00:01Z")
    sent.trouble = lambda _: OSError("away")
    assert post.hand_over() == 0
    parcels = set(Message.objects.filter(channel="head").values_list("parcel", flat=True))
    assert len(parcels) == 1
    sent.trouble = None
    town.clock.now += HOUR
    assert town.post(sent, "head").hand_over() == 2
    assert len(sent) == 1
    assert set(Message.objects.filter(channel="head").values_list("parcel", flat=True)) == parcels


@pytest.mark.parametrize(
    ("at", "severity", "until"),
    [
        ("2026-03-28T23:30:00Z", "moderate", "2026-03-29T04:00:00Z"),  # the night that is an hour shorter
        ("2026-10-24T21:30:00Z", "moderate", "2026-10-25T05:00:00Z"),
        ("2026-06-01T03:59:00Z", "moderate", "2026-06-01T04:00:00Z"),
        ("2026-06-01T04:00:00Z", "moderate", None),
        ("2026-06-01T22:00:00Z", "severe", None),
    ],
)
def test_quiet_hours_are_the_citys(at: str, severity: str, until: str | None) -> None:
    from zoneinfo import ZoneInfo

    found = waits_until(
        QuietProfile(start="22:00", end="06:00"), severity, parse_instant(at), ZoneInfo("Europe/Berlin")
    )
    assert found == (parse_instant(until) if until else None)


def test_what_is_silenced_is_noted_and_told_to_nobody(town: Town) -> None:
    from allmende.domain.times import to_datetime

    Silence.objects.create(alert="high", until=to_datetime(NOW + HOUR), reason="The gauge is being mended")
    town.read(160)
    assert Event.objects.get().silenced == "The gauge is being mended"
    assert not Message.objects.exists()
    assert events(town.profile, ANONYMOUS) == []
    town.clock.now += 2 * HOUR
    town.read(170, "b~level")
    assert len(events(town.profile, ANONYMOUS)) == 1


def test_what_nobody_hands_over_any_more_is_given_up(town: Town) -> None:
    town.read(160)
    profile = msgspec.structs.replace(town.profile, channels={})
    assert forsake(profile, town.clock.now, town.clock.now) == 0
    assert forsake(town.profile, town.clock.now + HOUR, town.clock.now) == 0
    assert forsake(profile, town.clock.now + HOUR, town.clock.now) == 1
    assert Message.objects.get(channel="duty").error == "the channel is gone"
    assert Message.objects.get(channel=MQTT).given_up is None


def test_what_is_long_over_goes_with_its_messages(town: Town) -> None:
    from allmende.domain.times import to_datetime

    town.read(160)
    town.read(170, "b~level")
    town.clock.now += MINUTE
    town.read(100)
    prune(to_datetime(town.clock.now + 400 * DAY), 365)
    assert [event.key for event in Event.objects.all()] == ["b~level"]
    assert set(Message.objects.values_list("event__key", flat=True)) == {"b~level"}


def test_the_thread_watches_what_the_profile_says(town: Town, tmp_path: Any) -> None:
    from allmende.web.alerts.watching import AlertsThread, is_watched
    from allmende.web.intake import now_micros

    assert is_watched(town.profile, town.store)
    thread = AlertsThread(town.store, town.profile, Config(home=tmp_path), threading.Event())
    thread.turn()
    now = now_micros()
    send(town.store, "z~level", {now: 999}, at=now)
    thread.turn()
    assert Event.objects.filter(key="z~level").count() == 1


STEEP = """
[alerts.steep]
title = { de = "Steil", en = "Steep" }
dataset = "parking"
raise = "per_hour(level) > 10"
window = "PT10M"
inputs.level.property = "level"
"""


def test_a_value_beyond_all_numbers_stops_no_other_alert(db: None) -> None:
    town = Town(open_store(), ALERTS + STEEP)
    town.read(-1.7e308, "b~level")
    town.clock.now += 8 * MINUTE
    town.read(1.7e308, "b~level")
    town.read(160)
    raised = {(event.alert, event.key): event for event in Event.objects.all()}
    assert {("high", "a~level"), ("high", "b~level")} == raised.keys()
    json.dumps([event.reason for event in raised.values()], allow_nan=False)  # PostgreSQL takes no other
