"""Alerts: when they are raised and when they are over, whatever comes late, stays away, or dies in the middle."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.logs import Backlog
from allmende.domain.profile_checks import ProfileError
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND
from allmende.knowledge.alerts.prepare import Alert, prepare_alerts
from allmende.knowledge.alerts.state import Move, Sight, State, Terms, advance
from allmende.knowledge.alerts.usual import usual_of
from allmende.knowledge.alerts.watch import FOLLOWER, Event, Overtaken, Pair, Watcher, lag
from allmende.storage.postgres import PostgresStore
from tests.knowledge.town import NOW, Clock, profile, send
from tests.storage.conftest import store as store
from tests.support import HOUSE

HIGH = """
[alerts.high]
title = { de = "Hochwasser", en = "High water" }
dataset = "parking"
raise = "level > limit"
clear = "level < limit - 10"
parameters = { limit = 150 }
[alerts.high.inputs.level]
property = "level"
"""
SILENT = """
[alerts.silent]
title = { de = "Stumm", en = "Silent" }
dataset = "parking"
raise = "minutes_since(level) > 60"
[alerts.silent.inputs.level]
property = "level"
"""


class Memory:
    """A ledger that keeps what was committed, and nothing of what was rolled back."""

    def __init__(self) -> None:
        self.kept: dict[Pair, State] = {}
        self.events: list[Event] = []

    def states(self) -> Mapping[Pair, State]:
        return dict(self.kept)

    def keep(self, states: Mapping[Pair, State], events: Sequence[Event]) -> None:
        self.kept.update(states)
        self.events += events

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.pair[1], event.move.kind) for event in self.events]


def ready(text: str, **files: bytes) -> list[Alert]:
    prepared = prepare_alerts(profile("", alerts=text, **files))
    assert not prepared.errors
    return list(prepared.alerts)


def watch(store: Store, text: str, clock: Clock, memory: Memory) -> Watcher:
    watcher = Watcher(store, ready(text), HOUSE, clock, memory, zone="Europe/Berlin")
    watcher.begin()
    return watcher


def test_a_threshold_is_passed_and_left_with_room_between(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH, clock, memory)
    for minute, level in enumerate((149, 151, 149, 141, 151, 139, 145)):
        clock.now = NOW + minute * MINUTE
        send(store, "a~level", {clock.now: level})
        watcher.step()
    assert memory.told == [("a~level", "raised"), ("a~level", "cleared")]
    raised = memory.events[0]
    assert raised.seen is not None
    assert raised.seen.values == {"level": 151}
    assert raised.seen.streams == {"level": ("a~level", NOW + MINUTE)}


def test_each_stream_has_a_state_of_its_own_and_another_unit_is_converted(store: Store) -> None:
    text = HIGH.replace('property = "level"', 'property = "level"\nunit = "cm"')
    clock, memory = Clock(), Memory()
    watcher = watch(store, text, clock, memory)
    send(store, "a~level", {NOW: 1.6}, unit="m")
    send(store, "b~level", {NOW: 160}, unit="cm")
    send(store, "c~level", {NOW: 1.4}, unit="m")
    watcher.step()
    assert sorted(memory.told) == [("a~level", "raised"), ("b~level", "raised")]


def test_what_came_together_is_looked_at_in_the_order_of_its_times(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW - 3 * MINUTE: 160, NOW - 2 * MINUTE: 100, NOW - MINUTE: 170})
    watcher.step()
    assert [(event.move.kind, event.move.since - NOW) for event in memory.events] == [
        ("raised", -3 * MINUTE), ("cleared", -3 * MINUTE), ("raised", -MINUTE),
    ]  # fmt: skip


def test_a_late_reading_rewrites_nothing_and_an_old_one_tells_nothing(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW: 100})
    watcher.step()
    send(store, "a~level", {NOW - 5 * MINUTE: 200})  # behind what was looked at
    send(store, "b~level", {NOW - 3 * HOUR: 200, NOW - 2 * MINUTE: 100})  # too old to be told of
    watcher.step()
    assert memory.told == []


def test_a_slow_source_is_looked_at_at_its_own_times_though_the_clock_was_faster(store: Store) -> None:
    text = HIGH.replace("parameters", 'for = "PT10M"\nparameters')
    clock, memory = Clock(), Memory()
    watcher = watch(store, text, clock, memory)
    send(store, "a~level", {NOW: 100})
    for _ in range(40):  # the clock looks again and again, and sees nothing new
        clock.now += MINUTE
        watcher.step()
    send(store, "a~level", {NOW + 10 * MINUTE: 160, NOW + 25 * MINUTE: 170, NOW + 35 * MINUTE: 100})
    watcher.step()
    assert [(event.move.kind, event.move.since - NOW, event.move.at - NOW) for event in memory.events] == [
        ("raised", 10 * MINUTE, 20 * MINUTE), ("cleared", 10 * MINUTE, 35 * MINUTE),
    ]  # fmt: skip


def test_what_held_between_two_readings_that_came_together_is_not_missed(store: Store) -> None:
    text = HIGH.replace("parameters", 'for = "PT10M"\nclear_for = "PT10M"\nparameters')
    clock, memory = Clock(NOW + HOUR), Memory()
    watcher = watch(store, text, clock, memory)
    send(store, "a~level", {NOW: 160, NOW + 30 * MINUTE: 100})
    watcher.step()
    assert [(event.move.kind, event.move.at - NOW) for event in memory.events] == [
        ("raised", 10 * MINUTE), ("cleared", 40 * MINUTE),
    ]  # fmt: skip


def test_the_latest_is_the_last_that_counts(store: Store) -> None:
    text = HIGH.replace("level > limit", "not known(level)").replace("level < limit - 10", "known(level)")
    clock, memory = Clock(), Memory()
    watcher = watch(store, text, clock, memory)
    send(store, "a~level", {NOW - 2 * MINUTE: 160, NOW - MINUTE: "broken"})
    for _ in range(20):
        watcher.step()
        clock.now += 6 * MINUTE
    assert memory.told == []  # for the two hours of its age
    clock.now += 6 * MINUTE
    watcher.step()
    assert [kind for _, kind in memory.told] == ["raised"]


def test_a_correction_of_what_holds_now_ends_it(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW: 999})
    watcher.step()
    clock.now += MINUTE
    send(store, "a~level", {NOW: 99})
    watcher.step()
    assert [kind for _, kind in memory.told] == ["raised", "cleared"]


def test_it_has_to_hold_for_a_while_which_the_clock_finds_out(store: Store) -> None:
    text = HIGH.replace("parameters", 'for = "PT10M"\nclear_for = "PT5M"\nparameters')
    clock, memory = Clock(), Memory()
    watcher = watch(store, text, clock, memory)
    send(store, "a~level", {NOW: 160})
    watcher.step()
    clock.now += 9 * MINUTE
    watcher.step()
    assert memory.told == []
    clock.now += MINUTE
    watcher.step()
    assert [kind for _, kind in memory.told] == ["raised"]
    assert memory.events[0].move.since == NOW
    send(store, "a~level", {clock.now: 100})
    watcher.step()
    clock.now += 6 * MINUTE
    watcher.step()
    assert [kind for _, kind in memory.told] == ["raised", "cleared"]


def test_silence_is_found_by_the_clock_and_outlives_a_restart(store: Store) -> None:
    clock, memory = Clock(), Memory()
    send(store, "a~level", {NOW: 1})
    watcher = watch(store, SILENT, clock, memory)
    for _ in range(50):
        clock.now += MINUTE
        watcher.step()
    watcher = watch(store, SILENT, clock, memory)  # a restart without a pause
    for _ in range(20):
        clock.now += MINUTE
        watcher.step()
    assert memory.told == [("a~level", "raised")]
    assert memory.events[0].move.at - NOW in range(60 * MINUTE, 63 * MINUTE)
    send(store, "a~level", {clock.now: 1})
    watcher.step()
    assert [kind for _, kind in memory.told] == ["raised", "cleared"]


def test_nobody_is_silent_while_the_house_is_down(store: Store) -> None:
    clock, memory = Clock(), Memory()
    send(store, "a~level", {NOW: 1})
    watch(store, SILENT, clock, memory).step()
    clock.now += 5 * HOUR
    watcher = watch(store, SILENT, clock, memory)
    watcher.step()
    assert memory.told == []
    clock.now += 30 * SECOND
    for _ in range(65):
        clock.now += MINUTE
        watcher.step()
    assert memory.told == [("a~level", "raised")]


def test_what_cannot_be_judged_any_more_lapses(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH.replace("parameters", 'lapse = "PT3H"\nparameters'), clock, memory)
    send(store, "a~level", {NOW: 160})
    watcher.step()
    for _ in range(36):
        clock.now += 10 * MINUTE
        watcher.step()
    assert [kind for _, kind in memory.told] == ["raised", "lapsed"]
    assert memory.events[1].move.at - NOW >= 5 * HOUR  # two hours of age, and three of nothing


def test_a_rate_an_unusual_hour_and_what_is_forecast(store: Store) -> None:
    text = """
[alerts.fast]
title = { de = "Steigt", en = "Rises" }
dataset = "parking"
window = "PT1H"
raise = "per_hour(level) > 30"
inputs.level.property = "level"
[alerts.odd]
title = { de = "Ungewöhnlich", en = "Odd" }
dataset = "parking"
raise = "deviation(level) > 5 and level > usual(level) + 20"
inputs.level.property = "level"
[alerts.soon]
title = { de = "Bald", en = "Soon" }
dataset = "parking"
horizon = "PT6H"
raise = "highest_ahead(level) > 150"
inputs.level.property = "level"
"""
    clock, memory = Clock(), Memory()
    usual = {
        NOW - week * 7 * DAY + minute * MINUTE: 50 + (week + minute) % 5 for week in range(1, 6) for minute in (5, 35)
    }
    send(store, "a~level", usual)
    send(store, "a~level~forecast", {NOW + 5 * HOUR: 151.0, NOW + 9 * HOUR: 900.0}, observed="foreseen")
    watcher = watch(store, text, clock, memory)
    clock.now = NOW + 50 * MINUTE
    send(store, "a~level", {NOW + 5 * MINUTE: 52, NOW + 25 * MINUTE: 60, NOW + 49 * MINUTE: 90})
    watcher.step()
    assert sorted(event.pair[0] for event in memory.events) == ["fast", "odd", "soon"]
    asked = {event.pair[0]: event.seen.values for event in memory.events if event.seen}
    assert round(asked["fast"]["per_hour(level)"]) == 52
    assert asked["odd"]["usual(level)"] == 52
    assert asked["soon"]["highest_ahead(level)"] == 151.0


def test_all_gauges_together_and_an_alert_that_goes(store: Store) -> None:
    text = HIGH.replace("raise = ", 'by = "all"\nraise = ').replace("level > limit", "countif(level > limit) >= 2")
    text = text.replace("level < limit - 10", "countif(level > limit) = 0")
    clock, memory = Clock(), Memory()
    watcher = watch(store, text, clock, memory)
    send(store, "a~level", {NOW: 160})
    watcher.step()
    assert memory.told == []
    send(store, "b~level", {NOW: 160})
    watcher.step()
    assert memory.told == [("all", "raised")]
    watch(store, SILENT, clock, memory).step()
    assert memory.told == [("all", "raised"), ("all", "withdrawn")]


def test_a_closed_stream_moves_no_open_alert(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW: 160}, dataset="hidden")
    watcher.step()
    assert memory.told == []
    assert "closed datasets" in watcher.surroundings.problems[0]


class Broken(Memory):
    """A ledger whose database dies when it is written to, once."""

    dies = True

    def keep(self, states: Mapping[Pair, State], events: Sequence[Event]) -> None:
        if self.dies:
            self.dies = False
            raise OSError("the database died")
        super().keep(states, events)


def test_what_could_not_be_kept_is_looked_at_again(store: Store) -> None:
    clock, memory = Clock(), Broken()
    watcher = watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW: 160})
    with pytest.raises(OSError, match="died"):
        watcher.step()
    watcher = watch(store, HIGH, clock, memory)
    watcher.step()
    watcher.step()
    assert memory.told == [("a~level", "raised")]


def test_a_transaction_that_is_left_open_elsewhere_holds_alerts_back_and_is_named(store: Store) -> None:
    clock, memory = Clock(), Memory()
    watcher = watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW - MINUTE: 100}, at=NOW - MINUTE)
    watcher.step()  # what nobody knew is looked at when it is found, whatever is held back
    behind = store.cursor(FOLLOWER) or 0
    assert store.backlog(behind) is None
    if isinstance(store, PostgresStore):
        with psycopg.connect(store._connections.address, application_name="left open") as elsewhere:  # type: ignore[attr-defined]
            elsewhere.execute("SELECT pg_current_xact_id()")  # as the first write of a transaction does
            send(store, "a~level", {NOW: 160})
            watcher.step()
            assert memory.told == []
            backlog = store.backlog(behind)
            assert backlog is not None
            assert "left open" in backlog.held_by
            assert "idle in transaction" in backlog.held_by
            assert lag(store, NOW + MINUTE) == 60
    else:
        send(store, "a~level", {NOW: 160})
        assert store.backlog(behind) == Backlog(since=NOW)
    watcher.step()
    assert memory.told == [("a~level", "raised")]
    assert store.backlog(store.cursor(FOLLOWER) or 0) is None


def test_of_two_who_watch_one_is_overtaken(store: Store) -> None:
    clock, memory = Clock(), Memory()
    first, second = watch(store, HIGH, clock, memory), watch(store, HIGH, clock, memory)
    send(store, "a~level", {NOW: 160})
    judge = second._watch

    def slow(*whole: Any) -> State | None:
        first.step()
        return judge(*whole)

    second._watch = slow  # type: ignore[method-assign]
    with pytest.raises(Overtaken):
        second.step()
    assert memory.told == [("a~level", "raised")]


TRUTHS = st.sampled_from([True, False, None])


@given(
    st.lists(st.tuples(st.integers(-5, 60), TRUTHS, TRUTHS, st.booleans()), max_size=40),
    st.integers(0, 40), st.integers(0, 40), st.integers(1, 90),
)  # fmt: skip
def test_any_sights_move_it_from_end_to_end(
    sights: list[tuple[int, Any, Any, bool]], raise_after: int, clear_after: int, lapse: int
) -> None:
    state, time, moves = State(), 0, list[Move]()
    for step, raises, clears, clock in sights:
        time += step
        before = state
        state, move = advance(state, Terms(raise_after, clear_after, lapse), Sight(time, raises, clears, clock))
        if time < before.looked and not clock:
            assert (state, move) == (before, None)
        if move is not None:
            moves.append(move)
            assert move.kind != "raised" or (raises is True and move.at - move.since >= raise_after)
            assert move.kind != "cleared" or (clears is True and raises is not True)
            assert move.at >= move.since
    kinds = [move.kind for move in moves]
    assert kinds[::2] == ["raised"] * len(kinds[::2])
    assert "raised" not in kinds[1::2]
    assert state.lasting == (len(kinds) % 2 == 1)
    assert state.turn == len(kinds[::2])


def test_what_is_usual_asks_for_enough_weeks_and_is_not_moved_by_one() -> None:
    assert usual_of([[1.0], [], [2.0]], 3) is None
    found = usual_of([[10.0], [11.0], [9.0], [500.0], [10.0]], 4)
    assert found is not None
    assert (found.median, round(found.spread, 2)) == (10.0, 1.48)


def _raise_first(text: str) -> None:
    for error in prepare_alerts(profile("", alerts=text)).errors.values():
        raise error


WRONG = {
    'raise = "level > limit"': ('raise = "levle > limit"', "alerts.high.raise"),
    "limit - 10": ("per_hour(level)", "alerts.high.clear"),
    'dataset = "parking"': ('dataset = "nowhere"', "alerts.high.dataset"),
    "parameters": ('for = "ten"\nparameters', "alerts.high.for"),
    "raise =": ('tell = ["nobody"]\nraise =', "alerts.high.tell"),
    'property = "level"': ('take = "latest"', "alerts.high.inputs.level"),
    "title =": ('severity = "awful"\ntitle =', "alerts.high.severity"),
    ', en = "High water"': ("", "alerts.high.title.en"),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_named_with_its_key(said: str) -> None:
    wrong, place = WRONG[said]
    with pytest.raises(ProfileError) as caught:
        _raise_first(HIGH.replace(said, wrong))
    assert caught.value.place == place


CHANNEL = '[channels.duty]\nkind = "webhook"\naddress = "https://duty.example/hook"\nsecret = "ALERT_DUTY"\n'


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (CHANNEL.replace("ALERT_DUTY", "DJANGO_SECRET"), "channels.duty.secret"),
        (CHANNEL.replace('secret = "ALERT_DUTY"', ""), "channels.duty.secret"),
        (CHANNEL + 'to = ["a@b.example"]', "channels.duty.to"),
        (CHANNEL + 'quiet = { from = "22:00", to = "24:30" }', "channels.duty.quiet.to"),
        ('[channels.duty]\nkind = "mail"\nto = ["nobody"]', "channels.duty.to[0]"),
    ],
)
def test_a_channel_names_what_it_needs_and_no_secret(said: str, place: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profile("", alerts=said)
    assert caught.value.place == place
