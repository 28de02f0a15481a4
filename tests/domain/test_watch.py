"""Sources held to their contracts, without a clock."""

import msgspec
import pytest

from allmende.domain.columns import names_in
from allmende.domain.contract import Contract, Range
from allmende.domain.times import DAY, HOUR, MINUTE
from allmende.domain.watch import CALM, GONE, Counted, Finding, Seen, StreamFacts, Trouble, judge, settle

NOW = 1_750_000_000_000_000
CONTRACT = Contract(
    interval="PT15M",
    late_after="PT1H",
    missing_after="P1D",
    frozen_after="P2D",
    columns=["time", "level"],
    behind="PT2H",
    repeats=0.2,
    per_day=96,
)
FINE = Seen(
    watched_since=NOW - 10 * DAY,
    received=NOW - MINUTE,
    newest=NOW - 10 * MINUTE,
    counted=Counted(read=96, repeated=2, rejected=1),
    columns={"time": (NOW - 9 * DAY, NOW - MINUTE), "level": (NOW - 9 * DAY, NOW - MINUTE)},
    looked_first=NOW - 9 * DAY,
    looked_last=NOW - MINUTE,
)
STREAMS = [StreamFacts(id=f"s{number}", newest=NOW - 10 * MINUTE, same_since=NOW - HOUR) for number in range(4)]


def seen(**changes: object) -> Seen:
    return msgspec.structs.replace(FINE, **changes)


def stream(number: int, **changes: object) -> list[StreamFacts]:
    return [msgspec.structs.replace(s, **changes) if place == number else s for place, s in enumerate(STREAMS)]


def kinds(found: list[Finding]) -> list[str]:
    return [finding.kind for finding in found]


def test_a_source_that_keeps_its_contract_is_no_trouble() -> None:
    assert judge(CONTRACT, FINE, STREAMS, NOW) == []
    assert judge(Contract(), FINE, STREAMS, NOW) == []


def test_silence_is_late_then_missing() -> None:
    assert kinds(judge(CONTRACT, seen(received=NOW - HOUR), STREAMS, NOW)) == []
    late = judge(CONTRACT, seen(received=NOW - HOUR - 1, newest=NOW - HOUR - 1, error="refused"), STREAMS, NOW)
    assert kinds(late) == ["late"]
    assert late[0].facts == {"last": NOW - HOUR - 1, "error": "refused"}
    assert kinds(judge(CONTRACT, seen(received=NOW - DAY - 1, newest=NOW - DAY - 1), STREAMS, NOW)) == ["missing"]
    never = Seen(watched_since=NOW - 2 * HOUR)
    assert judge(CONTRACT, never, [], NOW) == []  # waits for its first delivery
    asked = msgspec.structs.replace(never, error="The host's name is not known here.")
    assert kinds(judge(CONTRACT, asked, [], NOW)) == ["late"]
    assert judge(CONTRACT, Seen(watched_since=NOW - MINUTE), [], NOW) == []
    assert judge(Contract(interval="never"), never, [], NOW) == []


def test_what_is_not_said_follows_from_the_interval() -> None:
    short = Contract(interval="PT10M")
    assert kinds(judge(short, seen(received=NOW - 31 * MINUTE), [], NOW)) == ["late"]
    assert kinds(judge(short, seen(received=NOW - 121 * MINUTE), [], NOW)) == ["missing"]


def test_a_stream_that_is_silent_while_others_speak_is_named() -> None:
    [found] = judge(CONTRACT, FINE, stream(2, newest=NOW - DAY - 1), NOW)
    assert (found.kind, found.count, found.of, found.streams) == ("missing", 1, 4, ("s2",))
    assert judge(CONTRACT, FINE, stream(2, newest=NOW - GONE - 1), NOW) == []  # taken down
    young = seen(watched_since=NOW - HOUR)  # nobody watched it then: it may be older than this house
    assert judge(CONTRACT, young, stream(2, newest=NOW - DAY - 1), NOW) == []


def test_a_value_that_stands_still() -> None:
    old = NOW - 2 * DAY - 10 * MINUTE
    [found] = judge(CONTRACT, FINE, stream(1, same_since=old), NOW)
    assert (found.kind, found.streams, found.facts) == ("frozen", ("s1",), {"since": old})
    assert judge(CONTRACT, FINE, stream(1, same_since=old + 1), NOW) == []
    assert judge(CONTRACT, FINE, stream(1, same_since=old, may_rest=True), NOW) == []
    assert judge(CONTRACT, FINE, stream(1, same_since=None), NOW) == []
    [every] = judge(CONTRACT, FINE, [msgspec.structs.replace(s, same_since=old) for s in STREAMS], NOW)
    assert (every.count, every.of) == (4, 4)


def test_a_share_of_implausible_values() -> None:
    assert judge(CONTRACT, FINE, stream(0, implausible=0.2), NOW) == []  # 5 % of all
    [found] = judge(CONTRACT, FINE, stream(0, implausible=0.4), NOW)
    assert (found.kind, found.streams, found.facts) == ("range", ("s0",), {"share": 0.1})


def test_columns_that_are_lost_are_named_with_what_is_new() -> None:
    columns = {**FINE.columns, "level": (NOW - 9 * DAY, NOW - 3 * HOUR), "value": (NOW - 3 * HOUR, NOW - MINUTE)}
    [found] = judge(CONTRACT, seen(columns=columns), STREAMS, NOW)
    assert (found.kind, found.facts) == ("columns", {"lost": ["level"], "new": ["value"]})
    # a document of another kind, now and then, holds none of them
    rare = {**FINE.columns, "level": (NOW - 9 * DAY, NOW - 50 * MINUTE)}
    assert judge(CONTRACT, seen(columns=rare), STREAMS, NOW) == []


def test_a_new_name_alone_is_trouble_where_the_contract_says_so() -> None:
    columns = {**FINE.columns, "more": (NOW - HOUR, NOW - MINUTE)}
    assert judge(CONTRACT, seen(columns=columns), STREAMS, NOW) == []
    strict = msgspec.structs.replace(CONTRACT, new_columns=True)
    assert kinds(judge(strict, seen(columns=columns), STREAMS, NOW)) == ["columns"]
    young = seen(columns=columns, looked_first=NOW - 2 * HOUR)
    assert judge(strict, young, STREAMS, NOW) == []


def test_a_clock_that_is_ahead_or_behind() -> None:
    [ahead] = judge(CONTRACT, FINE, stream(3, newest=NOW + 5 * MINUTE + 1), NOW)
    assert (ahead.kind, ahead.streams, ahead.facts) == ("clock", ("s3",), {"ahead": 5 * MINUTE + 1})
    [behind] = judge(CONTRACT, seen(newest=NOW - 3 * HOUR), STREAMS, NOW)
    assert (behind.kind, behind.facts) == ("clock", {"behind": 3 * HOUR - MINUTE})


def test_what_comes_twice_and_what_cannot_be_read() -> None:
    assert kinds(judge(CONTRACT, seen(counted=Counted(read=100, repeated=21)), STREAMS, NOW)) == ["duplicated"]
    assert kinds(judge(CONTRACT, seen(counted=Counted(read=100, rejected=11)), STREAMS, NOW)) == ["rejected"]
    few = seen(counted=Counted(read=9, repeated=9, rejected=9))
    assert judge(CONTRACT, few, STREAMS, NOW) == []


def test_a_trouble_begins_once_and_is_over_when_it_stays_away() -> None:
    late = Finding(kind="late")
    assert settle([], [late], NOW).begin == (late,)
    known = [Trouble(kind="late", since=NOW - HOUR, found=NOW - MINUTE)]
    turn = settle(known, [late], NOW)
    assert (turn.begin, turn.go_on, turn.over) == ((), (late,), ())
    assert settle(known, [], NOW).over == ()  # it may come back at once
    assert settle(known, [], NOW + CALM).over == ("late",)
    worse = settle(known, [Finding(kind="missing")], NOW)
    assert (len(worse.begin), worse.over) == (1, ("late",))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"a;b c;d\n1;2;3\n", {"a", "b c", "d"}),
        (b'\xef\xbb\xbf"a","b"\r\n1,2\r\n', {"a", "b"}),
        (b'{"a": {"b": [{"c": 1}, {"d": 2}]}}', {"a", "a/b", "a/b/c", "a/b/d"}),
        (b'[{"a": 1}, {"b": 2}]', {"a", "b"}),
        (
            b'<x:a xmlns:x="u"><!-- <no/> --><x:b x:id="1" y=\'2\'/><c>&lt;d&gt;</c></x:a>',
            {"a", "b", "b@id", "b@y", "c"},
        ),
        (b"21.5", set()),
        (b"{broken", set()),
        (b"", set()),
        (bytes(range(256)), set()),
    ],
)
def test_names_are_read_off_a_payload(body: bytes, names: set[str]) -> None:
    assert names_in(body) == names


def test_names_are_bounded() -> None:
    assert len(names_in(b",".join(b"c%d" % number for number in range(5000)) + b"\n")) == 400
    assert names_in(b'{"a":' * 5000 + b"1" + b"}" * 5000) == frozenset()


def test_ranges_of_a_contract() -> None:
    contract = Contract(ranges={"water-level": Range(low=0, high=500)})
    assert contract.ranges["water-level"].high == 500
    assert contract.micros("frozen_after") is None
