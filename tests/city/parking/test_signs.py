"""What a display shows: the rules one by one, and what holds for every course of readings."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.city.parking.signs import feed
from allmende.city.parking.signs.model import Display, Message, Model, Rules, Shown
from allmende.city.parking.signs.rules import as_of, decide
from allmende.city.parking.sites import Site
from allmende.city.parking.standing import Closure, Override, Parts, SiteState
from allmende.domain.errors import InvalidInput

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NUMBER = Model(
    id="number",
    rows=1,
    columns=4,
    characters="0123456789 -–freivolzu",
    words={"de": {"free": "frei", "full": "voll", "closed": "zu", "unknown": "–"}},
)
BOARD = Model(
    id="board",
    rows=2,
    columns=12,
    characters="".join(map(chr, range(32, 127))) + "–+",
    words={
        "de": {"free": "frei", "full": "voll", "closed": "geschlossen", "unknown": "–"},
        "en": {"free": "free", "full": "full", "closed": "closed", "unknown": "–"},
    },
)
RULES = Rules(step=5, full_at=2, free_at=8, hold=MINUTE, stale=30 * MINUTE, valid=20 * MINUTE)


def sign(*shows: str, model: Model = NUMBER, rules: Rules = RULES, **more: Any) -> Display:
    return Display(
        id="m-a", mast="m", name="M a", street="Ring", shows=shows or ("north",), model=model, rules=rules, **more
    )


def state(
    free: int | None = 100, *, site: str = "north", now: datetime = NOON, age: timedelta = MINUTE, **more: Any
) -> SiteState:
    given = {
        "status": "live" if free is not None else "no-data",
        "capacity": 120,
        "observed_at": now - age,
        "confirmed_at": now - age,
        **more,
    }
    place = Site(id=site, name=site.title(), kind="car-park", stands_for=site)
    return SiteState(site=place, now=now, free=free, **given)


def codes(shown: Shown) -> list[str]:
    return [why.code for why in shown.why]


def rows(shown: Shown) -> list[str]:
    return [" / ".join(row.strip() for row in page.rows) for page in shown.pages]


def look(
    *states: SiteState,
    display: Display | None = None,
    before: Shown | None = None,
    now: datetime = NOON,
    messages: Sequence[Message] = (),
) -> Shown:
    return decide(display or sign(), before, states, messages, now)


def message(**more: Any) -> Message:
    said: dict[str, Any] = {
        "id": "note",
        "displays": frozenset({"m-a"}),
        "start": NOON - MINUTE,
        "until": NOON + 5 * MINUTE,
        "reason": "market",
        "pages": {"de": ("Markt", "P+R nutzen")},
    }
    return Message(**{**said, **more})


# --- numbers and words ---


@pytest.mark.parametrize(
    ("free", "shown", "number"),
    [(100, "100", 100), (99, "95", 95), (8, "5", 5), (3, "frei", None), (2, "voll", None), (0, "voll", None)],
)
def test_a_number_is_rounded_down_and_little_is_full(free: int, shown: str, number: int | None) -> None:
    found = look(state(free))
    assert (rows(found), found.number) == ([shown], number)
    assert found.pages[0].rows[0] == shown.rjust(4)


def test_what_there_is_no_room_for_is_the_greatest_that_there_is() -> None:
    found = look(state(12_345, capacity=20_000))
    assert (found.number, codes(found)[-1]) == (9995, "no-room")


def test_a_sign_of_words_alone_shows_no_number() -> None:
    display = sign(rules=msgspec.structs.replace(RULES, number=False), model=BOARD)
    found = look(state(50), display=display)
    assert (found.number, rows(found)) == (None, ["frei", "free"])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (state(None, reason="feed-silent"), "no-data"),
        (state(50, age=30 * MINUTE), "stale"),
        (state(50, age=-3 * MINUTE), "doubtful"),
        (state(-1), "doubtful"),
        (state(121), "doubtful"),
        (state(50, flags=("frozen",)), "doubtful"),
        (state(0, flags=("full-with-free",)), "doubtful"),
        (state(50, simulated=True), "simulated"),
        (state(50, observed_at=None, confirmed_at=None), "no-data"),
        (state(50, summed=True, parts=Parts(count=4, known=2, free=50, capacity=60, share=0.5)), "parts-unknown"),
        (state(50, site="south"), "unheard-of"),
    ],
)
def test_what_is_not_known_for_sure_is_the_fall_back_with_its_reason(given: SiteState, code: str) -> None:
    found = look(given)
    assert (found.state, found.number, rows(found)) == ("unknown", None, ["–"])
    assert codes(found) == [code, "fall-back"]


def test_a_sign_that_is_tried_out_shows_simulated_values_and_says_so() -> None:
    found = look(state(50, simulated=True), display=sign(simulated=True))
    assert (found.number, found.simulated) == (50, True)


# --- free and full ---


def test_between_the_thresholds_it_stays_what_it_was_also_through_a_gap() -> None:
    found = None
    for minute, (free, wanted) in enumerate(
        [(4, "free"), (2, "full"), (7, "full"), (None, "unknown"), (7, "full"), (8, "free"), (3, "free")]
    ):
        now = NOON + 2 * minute * MINUTE
        found = look(state(free, now=now), before=found, now=now)
        assert found.state == wanted, minute


def test_a_change_waits_for_the_one_before_it_and_a_closure_does_not() -> None:
    first = look(state(100))
    soon = NOON + 20 * SECOND
    held = look(state(50, now=soon), before=first, now=soon)
    assert (held.number, codes(held)[-1], held.counted_since) == (100, "held", NOON)
    shut = look(state(None, now=soon, status="closed", reason="closure"), before=held, now=soon)
    assert (shut.state, rows(shut)) == ("closed", ["zu"])
    late = NOON + MINUTE
    assert look(state(50, now=late), before=held, now=late).number == 50


def test_a_held_number_is_let_go_when_it_is_too_old() -> None:
    first = look(state(100, age=29 * MINUTE + 50 * SECOND))
    soon = NOON + 15 * SECOND
    assert look(state(50, now=soon), before=first, now=soon).number == 50


def test_a_clock_that_went_back_holds_nothing() -> None:
    first = look(state(100))
    then = NOON - timedelta(hours=1)
    assert look(state(50, now=then), before=first, now=then).number == 50


# --- several car parks ---


def test_the_sum_of_a_zone_wants_all_that_its_rule_asks_for() -> None:
    zone = sign("north", "south")
    both = look(state(40), state(30, site="south"), display=zone)
    assert both.number == 70
    half = look(state(40), state(None, site="south"), display=zone)
    assert (half.state, codes(half)[-2:]) == ("unknown", ["too-little-known", "fall-back"])
    shut = look(state(40), state(None, site="south", status="closed", reason="hours"), display=zone)
    assert shut.number == 40
    gone = [state(None, site=name, status="closed", reason="hours") for name in ("north", "south")]
    assert look(*gone, display=zone).state == "closed"


def test_a_part_that_is_full_does_not_make_the_whole_full() -> None:
    zone = sign("north", "south", rules=msgspec.structs.replace(RULES, share=0.5))
    assert look(state(40), state(None, site="south"), display=zone).number == 40
    found = look(state(0), state(None, site="south"), display=zone)
    assert (found.state, codes(found)[-2]) == ("unknown", "part-full")


def test_what_is_simulated_is_never_added_to_what_is_measured() -> None:
    zone = sign("north", "south", simulated=True, rules=msgspec.structs.replace(RULES, share=0.5))
    found = look(state(40), state(30, site="south", simulated=True), display=zone)
    assert (found.number, found.simulated) == (40, False)


# --- people's words ---


def test_an_operators_number_is_shown_until_it_ends() -> None:
    decided = Override(
        site="north", start=NOON - timedelta(hours=3), until=NOON + 2 * MINUTE, reason="counted", free=10
    )
    found = look(state(10, override=decided, reason="override", age=timedelta(hours=3)))
    assert (found.number, found.until, codes(found)[0]) == (10, decided.until, "decided")


def test_a_closure_ends_what_a_controller_may_show() -> None:
    shut = Closure(site="north", start=NOON, until=NOON + 3 * MINUTE, reason="works")
    assert look(state(None, status="closed", reason="closure", closure=shut)).until == shut.until


def test_the_higher_rank_counts_and_of_equals_the_later() -> None:
    event = message(id="event", rank="event", start=NOON - SECOND, pages={"de": ("Fest",)})
    early, late = message(id="early", start=NOON - 2 * MINUTE), message(id="late")
    dark = message(id="dark", rank="urgent", start=NOON - 9 * MINUTE, pages={})
    board = sign(model=BOARD)
    assert look(state(), display=board, messages=[event, late, early]).message == "late"
    found = look(state(), display=board, messages=[event, dark, late])
    assert (found.state, found.message, rows(found)) == ("blank", "dark", [" / "])
    assert look(state(), display=board, messages=[message(until=NOON)]).message == ""
    assert look(state(), display=board, messages=[message(displays=frozenset({"m-b"}))]).message == ""


def test_an_event_takes_turns_with_the_number_and_ends_in_time() -> None:
    found = look(state(55), display=sign(model=BOARD), messages=[message(beside=True)])
    assert rows(found) == ["Markt / P+R nutzen", "55"]
    assert (found.state, found.number, found.until) == ("free", 55, NOON + 5 * MINUTE)


# --- what a controller is told ---


def test_a_telling_stays_the_same_until_half_of_its_time_is_over() -> None:
    first = look(state(100))
    assert first.until == NOON + 20 * MINUTE
    later = NOON + 9 * MINUTE
    second = look(state(101, now=later), before=first, now=later)
    told = [feed.as_json(sign(), each, later, 30 * SECOND) for each in (first, second)]
    assert told[0] == told[1]
    third = look(state(101, now=NOON + 10 * MINUTE), before=second, now=NOON + 10 * MINUTE)
    assert (third.until, third.since) == (NOON + 30 * MINUTE, NOON)


def test_nothing_is_told_beyond_its_time() -> None:
    first = look(state(100, age=25 * MINUTE))
    assert first.until == NOON + 5 * MINUTE
    told = feed.as_json(sign(), first, first.until, 30 * SECOND)
    assert (told["state"], told["number"], told["pages"]) == ("unknown", None, told["fallback"]["pages"])
    assert feed.as_json(sign(), None, NOON, 30 * SECOND)["state"] == "unknown"
    assert feed.as_text(sign(), first, NOON) == (
        "valid-until 2026-11-22T12:05:00.000Z\npage 4\n| 100\nfallback 4\n|   –\n"
    )


def test_a_report_is_held_against_what_should_be_shown() -> None:
    display, poll = sign(), 30 * SECOND
    shown = look(state(100))
    later = NOON + 2 * MINUTE
    right = feed.read_report(display, b'{"rows":["100"],"faults":["lamp"]}')
    assert right.faults == ("lamp",)
    assert feed.agrees(display, right, shown, later, poll) is True
    assert feed.agrees(display, feed.Report(rows=("95",)), shown, later, poll) is False
    assert feed.agrees(display, feed.Report(rows=("95",)), shown, NOON + SECOND, poll) is None
    assert feed.agrees(display, feed.Report(), shown, later, poll) is None
    for wrong in (b"", b"[]", b'{"rows":"100"}', b'{"rows":["10000"]}', '{"rows":["ä"]}'.encode()):
        with pytest.raises(InvalidInput):
            feed.read_report(display, wrong)


# --- what holds for every course ---

READINGS = st.builds(
    lambda free, kind, age: (free, kind, timedelta(seconds=age)),
    st.integers(-2, 130),
    st.sampled_from(["live", "live", "live", "live", "flag", "none", "closed", "simulated"]),
    st.sampled_from([0, 0, 30, 600, 1795, 1800, 4000]),
)
COURSES = st.lists(st.tuples(st.integers(1, 400), READINGS), min_size=1, max_size=40)


def as_state(now: datetime, free: int, kind: str, age: timedelta) -> SiteState:
    if kind == "none":
        return state(None, now=now, age=age)
    if kind == "closed":
        return state(None, now=now, age=age, status="closed", reason="closure")
    flags = ("jump",) if kind == "flag" else ()
    return state(free, now=now, age=age, flags=flags, simulated=kind == "simulated")


@given(COURSES)
def test_no_number_was_untrue_within_the_age_limit_and_changes_keep_their_distance(course: Any) -> None:
    display, now, before = sign(), NOON, None
    true: list[tuple[datetime, int]] = []
    changed: datetime | None = None
    for gap, (free, kind, age) in course:
        now += gap * SECOND
        if kind == "live" and 0 <= free <= 120:
            true.append((now - age, free))
        shown = decide(display, before, [as_state(now, free, kind, age)], (), now)
        if shown.number is not None:
            since = [moment for moment, number in true if number // 5 * 5 == shown.number]
            assert any(now - moment < RULES.stale for moment in since)
            assert shown.until <= max(since) + RULES.stale
            assert 0 < shown.number <= 120
        if shown.state == "full":
            assert any(number < RULES.free_at and now - moment < RULES.stale for moment, number in true)
        if kind in ("flag", "none", "simulated"):
            assert shown.state == "unknown"
        if before is not None and not shown.looks_like(before) and {shown.state, before.state} <= {"free", "full"}:
            let_go = before.true_at is not None and now - before.true_at >= RULES.stale
            assert changed is None or now - changed >= RULES.hold or let_go
        if before is None or not shown.looks_like(before):
            changed = now
        assert shown.since <= shown.decided_at <= now <= shown.until
        assert as_of(display, shown, shown.until).number is None
        before = shown


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(3, 7)), min_size=1, max_size=40), st.booleans())
def test_noise_within_the_band_never_turns_free_to_full_or_back(course: Any, full: bool) -> None:
    before = look(state(0 if full else 60))
    now = NOON + 5 * MINUTE
    for gap, free in course:
        now += gap * SECOND
        before = look(state(free, now=now), before=before, now=now)
        assert before.state == ("full" if full else "free")


@given(COURSES)
def test_what_is_kept_is_read_again_as_it_was(course: Any) -> None:
    before = None
    for gap, (free, kind, age) in course:
        now = NOON + gap * SECOND
        before = decide(sign(), before, [as_state(now, free, kind, age)], [message(pages={"de": ("frei",)})], now)
        assert msgspec.json.decode(msgspec.json.encode(before), type=Shown) == before


def test_a_doubt_takes_the_number_away_and_a_remark_leaves_it():
    assert codes(look(state(50, flags=("jump",)))) == ["doubtful", "fall-back"]
    shown = look(state(50, remarks=("by a new sensor",)))
    assert (shown.number, codes(shown)[:2]) == (50, ["counted", "remark"])
