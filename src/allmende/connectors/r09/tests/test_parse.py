"""Telegrams. Those of RECEIVED came by radio in Dresden and were published with their contents by tlm-solutions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.r09.parse import parse
from allmende.connectors.r09.telegrams import Telegram, read_telegram
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
from allmende.domain.records import Parsed, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.r09"
SOURCE = Source(
    id="r09",
    connector="r09",
    dataset="transit",
    time_zone="Europe/Berlin",
    settings={**manifest_settings(HERE), "names": {"12911": "Musterplatz"}},
)
LATER = parse_instant("2026-01-07T10:00:00Z")
RECEIVED = {
    "9106c9bc001108014061cf": Telegram(point=51644, line=11, destination=14, deviation=0, priority=0, length=0),
    "91964f1b00611126003ab4": Telegram(point=20251, line=61, destination=260, deviation=-1, priority=0, length=0),
}


def read(body: bytes) -> Parsed:
    return assert_sound(parse, payload(body), SOURCE)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


@pytest.mark.parametrize("text", RECEIVED)
def test_received_telegrams_say_what_was_published(text: str) -> None:
    assert read_telegram(bytes.fromhex(text)) == RECEIVED[text]


@pytest.mark.parametrize("form", [bytes.fromhex, str.encode, lambda text: text.upper().encode() + b"\r\n"])
def test_a_telegram_as_bytes_or_digits(form: object) -> None:
    parsed = read(form("91964f1b00611126003ab4"))  # type: ignore[operator]
    assert values(parsed) == {
        "r09-5062~request": ["door-closed"],
        "r09-5062~priority": [0],
        "r09-5062~line": ["61"],
        "r09-5062~destination": ["260"],
        "r09-5062~deviation": [-1],
        "r09-5062~length": [0],
    }
    assert {time for r in parsed.records if isinstance(r, Series) for time in r.times} == {RECEIVED_AT}


def test_an_envelope_gives_the_time_and_the_settings_a_name() -> None:
    parsed = read(sample(HERE, "telegram-constructed.json"))
    assert {t for r in parsed.records if isinstance(r, Series) for t in r.times} == {
        parse_instant("2026-01-07T09:07:08Z")
    }
    first = read(sample(HERE, "telegram-constructed.txt")).records[0]
    assert first.thing.name == "Musterplatz"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9106c9bc0011080140", None),
        ("9106c9bc001108014061ce", "bad-check"),
        ("9104c9bc0011080140", "other-telegram"),
        ("8106c9bc0011080140", "other-telegram"),
        ("9106c9bc00A1080140", "bad-digit"),
        ("9106c9bc001108", "unreadable"),
    ],
)
def test_what_is_no_telegram(text: str, code: str | None) -> None:
    assert codes(read(text.encode())) == ([code] if code else [])


def test_the_run_is_neither_kept_nor_refused_with_the_rest() -> None:
    assert "run" not in " ".join(values(read(b"9106c9bc0011990140")))
    [rejection] = read(b"9106c9bc00A1990140").rejections
    assert rejection.body == b"9106c9bc00a1000140"


@pytest.mark.parametrize("name", ["telegram-constructed.json", "telegram-constructed.txt"])
def test_damaged_telegrams_end_in_rejections_or_in_the_same_values(name: str) -> None:
    assert assert_withstands(parse, sample(HERE, name), SOURCE, received_at=LATER) > 10


@given(st.binary(max_size=12))
def test_any_bytes_end_in_a_rejection_or_a_telegram(body: bytes) -> None:
    read(body)


@given(st.binary(min_size=7, max_size=7))
def test_any_contents_of_a_telegram(rest: bytes) -> None:
    read(b"\x91\x06" + rest)
