"""The topics of the central signal control."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.klsa.parse import parse
from allmende.connectors.testing import (
    RECEIVED_AT,
    assert_sound,
    assert_withstands,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Series

HERE = "allmende.connectors.klsa"
BASE = "5g/klsa/vsr1/K440/"
SOURCE = Source(id="klsa", connector="klsa", dataset="signals", settings=manifest_settings(HERE))
TOPICS = {"status": "status", "spltu": "spltu", "tx": "tx", "pue": "pue", "sg": "sg/K1", "keepalive": "keepalive"}


def read(body: bytes, topic: str) -> Parsed:
    return assert_sound(parse, payload(body, BASE + topic), SOURCE)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def times(parsed: Parsed) -> set[int]:
    return {time for record in parsed.records if isinstance(record, Series) for time in record.times}


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("status", b"0", {"klsa~status": ["no-connection"]}),
        ("status", b"2", {"klsa~status": ["fallback"]}),
        ("spltu", b"[3, 90000, 1749999960000]", {"klsa~program": [3], "klsa~cycle-length": [90000]}),
        ("tx", b"[4500, 1749999990000]", {"klsa~cycle-position": [4500]}),
        ("ph", b"2", {"klsa~phase": [2]}),
        ("pue", b'[4, "P1-P2"]', {"klsa~phase-transition": [4], "klsa~phase-transition-name": ["P1-P2"]}),
        ("sg/K1", b"48", {"K1~aspect": ["green"]}),
        ("sg/K1", b"15", {"K1~aspect": ["red-amber"]}),
        ("sg/K1", b"72", {"K1~aspect": ["amber-flashing"]}),
        ("det/D1", b"1", {"det_D1~value": [1]}),
        ("apw/7", b"-12", {"apw_7~value": [-12]}),
        ("keepalive", b"1749999999000", {"klsa~clock-difference": [1.0]}),
        ("control", b"3", {"klsa~control": [3]}),
    ],
)
def test_topics(topic: str, body: bytes, expected: dict[str, list[object]]) -> None:
    parsed = read(body, topic)
    assert values(parsed) == {f"K440~{stream}": results for stream, results in expected.items()}
    assert not parsed.rejections
    assert all(r.properties["retention"] == "volatile" for r in parsed.records if isinstance(r, Declaration))


def test_a_message_with_a_time_has_that_and_others_that_of_the_receipt() -> None:
    assert times(read(sample(HERE, "tx-constructed.json"), "tx")) == {1749999990000000}
    assert times(read(b"1", "status")) == {RECEIVED_AT}


def test_an_aspect_without_a_word_is_kept_and_flagged() -> None:
    [found] = [record for record in read(b"5", "sg/K1").records if isinstance(record, Series)]
    assert (found.results, found.flags) == (["code-5"], ["unknown-category"])


@pytest.mark.parametrize(
    ("topic", "body", "code"),
    [
        ("status", b"7", "bad-value"),
        ("status", b"on", "unreadable"),
        ("tx", b"[1]", "bad-value"),
        ("tx", b"[1, 1749999990]", "bad-time"),  # seconds
        ("ph", b"-1", "bad-value"),
        ("pue", b"[1, 2]", "bad-value"),
        ("new", b"1", "unknown-topic"),
        ("new/x", b"1", "unknown-topic"),
        ("sg/a~b", b"48", "no-identity"),
    ],
)
def test_what_is_not_taken(topic: str, body: bytes, code: str) -> None:
    assert codes(read(body, topic)) == [code]


def test_without_its_topic_a_number_says_nothing() -> None:
    assert codes(assert_sound(parse, payload(b"1", "numbers.txt"), SOURCE)) == ["no-identity"]


@pytest.mark.parametrize("name", TOPICS)
def test_damaged_messages_end_in_rejections_or_in_the_same_values(name: str) -> None:
    body = sample(HERE, f"{name}-constructed.json")
    assert assert_withstands(parse, body, SOURCE, name=BASE + TOPICS[name]) > 10


@given(st.binary(max_size=40), st.sampled_from([*TOPICS.values(), "control", "apw/1"]))
def test_any_bytes_end_in_a_rejection_or_a_number(body: bytes, topic: str) -> None:
    read(body, topic)
