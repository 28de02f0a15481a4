"""Charts: buckets that hold what they say, gaps that are gaps, and nothing for who may not see it."""

import random

import pytest

from allmende.domain.errors import InvalidInput
from allmende.domain.policy import ANONYMOUS
from allmende.domain.spans import Span
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND, parse_instant
from allmende.knowledge.series import as_document, read_series
from allmende.knowledge.series.grid import WIDTHS, choose_width, make_grid, size
from allmende.storage import zones_sqlite
from allmende.storage.buckets import origin
from tests.knowledge.town import NOW, send
from tests.storage.conftest import store as store
from tests.support import HOUSE

BERLIN = "Europe/Berlin"
START = parse_instant("0003-01-01T00:00:00.000007Z")


def chart(store: Store, *streams: str, start: int, end: int, points: int = 100, **more):
    return read_series(store, more.pop("reader", ANONYMOUS), streams, start, end, points, BERLIN, **more)


@pytest.mark.parametrize("zone", [BERLIN, "UTC", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_buckets_begin_where_those_of_queries_do(zone: str) -> None:
    chance = random.Random(zone)
    for _ in range(250):
        width = chance.choice([width for width in WIDTHS if size(width) < 4_000 * DAY])
        start = chance.randrange(parse_instant("1990-01-01T00:00:00Z"), parse_instant("2040-01-01T00:00:00Z"))
        grid = make_grid(start, start + chance.randrange(1, 60 * size(width)), width, zone)
        assert grid.starts == sorted(set(grid.starts))
        assert grid.spans[0].start == grid.starts[0] <= start
        assert all(before.end == behind.start for before, behind in zip(grid.spans, grid.spans[1:], strict=False))
        for span in grid.spans[:30]:
            for moment in (span.start, span.end - 1, chance.randrange(span.start, span.end)):
                mine = (moment - span.first) // span.width * span.width + span.first
                query = (
                    zones_sqlite.months(zone, -width, moment)
                    if width < 0
                    else zones_sqlite.bucket(zone, width, origin(width), moment)
                )
                assert mine == query
                assert mine in grid.starts


def test_no_span_has_more_buckets_than_asked_for() -> None:
    for length in (1, SECOND, 3 * HOUR, 400 * DAY, 20_000 * DAY, 9_000 * 366 * DAY):
        for most in (20, 60, 2000):
            grid = make_grid(START, START + length, choose_width(length, most), BERLIN)
            assert len(grid.starts) <= most + 1


def test_sums_of_a_span_of_days_over_a_change_of_the_clock(store: Store) -> None:
    start = parse_instant("2025-03-28T23:00:00Z")  # midnight; the 30th has 23 hours
    send(store, "a~level", {start + n * HOUR: n for n in range(24 * 4)})
    found = chart(store, "a~level", start=start, end=start + 3 * DAY - HOUR, points=4).lines[0]
    assert [(b - a) // HOUR for a, b in zip(found.times, found.times[1:], strict=False)] == [24, 23]
    assert found.count == [24, 23, 24]
    assert found.low == [0, 24, 47]
    assert found.high == [23, 46, 70]
    assert found.mean == [11.5, 35, 58.5]
    assert (found.method, found.kind) == ("readings", "number")


def test_few_readings_are_shown_themselves_and_a_missing_one_is_a_gap(store: Store) -> None:
    told = {NOW + n * 10 * MINUTE: n for n in range(12) if n not in (5, 6, 7)}
    send(store, "a~level", told)
    found = chart(store, "a~level", start=NOW, end=NOW + 2 * HOUR).lines[0]
    assert (found.method, found.width) == ("values", 0)
    assert found.mean == [0, 1, 2, 3, 4, None, 8, 9, 10, 11]
    assert found.times[5] == NOW + 50 * MINUTE
    # Zoomed in from a stream of many, the same.
    send(store, "b~level", {NOW + n * MINUTE: n for n in range(600)})
    near = chart(store, "b~level", start=NOW + HOUR, end=NOW + HOUR + 5 * MINUTE).lines[0]
    assert (near.method, near.mean) == ("values", [60, 61, 62, 63, 64])


def test_an_empty_bucket_is_a_gap_and_no_zero(store: Store) -> None:
    send(store, "a~level", {NOW + n * MINUTE: 5 for n in range(600) if not 120 <= n < 240})
    said = as_document(chart(store, "a~level", start=NOW, end=NOW + 10 * HOUR, points=12))
    assert said["width"] == 3600
    assert said["streams"][0]["mean"] == [5, 5, None, None, 5, 5, 5, 5, 5, 5]
    assert said["streams"][0]["count"] == [60, 60, 0, 0, 60, 60, 60, 60, 60, 60]
    assert said["streams"][0]["t"][0] == NOW // SECOND


def test_what_is_implausible_is_counted_and_in_no_mean(store: Store) -> None:
    flags = ["above-maximum" if n % 60 == 0 else "" for n in range(300)]
    send(store, "a~level", {NOW + n * MINUTE: 9999 if flags[n] else 4 for n in range(300)}, flags=flags)
    found = chart(store, "a~level", start=NOW, end=NOW + 5 * HOUR, points=8).lines[0]
    assert set(found.mean) == {4.0}
    assert set(found.high) == {4.0}
    assert found.flagged == [1] * 5
    assert found.count == [59] * 5


def test_a_feed_of_changes_tells_silence_from_sameness(store: Store) -> None:
    silence = {"silence": {"day": "PT45M", "night": "PT6H", "rewrite": "P1D"}}
    noon = parse_instant("2026-05-20T10:00:00Z")
    send(store, "c~free", {noon: 10, noon + 2 * HOUR: 20}, said=silence)
    send(store, "d~free", {noon + n * 20 * MINUTE: n for n in range(10)}, said=silence)
    found = chart(store, "c~free", start=noon, end=noon + 6 * HOUR).lines[0]
    assert found.method == "held"
    # The feed spoke every 20 minutes until 13:00: the value held, and 45 minutes later nobody knows.
    assert list(zip([(t - noon) // MINUTE for t in found.times], found.mean, strict=True)) == [
        (0, 10), (120, 20), (225, None), (360, None),
    ]  # fmt: skip
    coarse = chart(store, "c~free", start=noon, end=noon + 6 * HOUR, points=4).lines[0]
    assert coarse.mean[:2] == [10, 20]
    assert chart(store, "c~free", start=noon, end=noon + 6 * HOUR, now=noon + HOUR).lines[0].times[-1] == noon + HOUR


def test_truth_values_are_shares_and_texts_are_words(store: Store) -> None:
    send(store, "lamp~on", {NOW + n * MINUTE: n % 4 == 0 for n in range(240)})
    send(store, "lamp~colour", {NOW + n * MINUTE: "red" if n % 4 else "green" for n in range(240)})
    send(store, "lamp~note", {NOW + n * MINUTE: f"note {n}" for n in range(240)})
    send(store, "lamp~list", {NOW: [1, 2]})
    names = ("lamp~on", "lamp~colour", "lamp~note", "lamp~list")
    truth, colour, note, listed = chart(store, *names, start=NOW, end=NOW + 4 * HOUR, points=6).lines
    assert (truth.kind, truth.mean[0], truth.high[0]) == ("boolean", 0.25, 1)
    assert (colour.kind, colour.categories) == ("category", ["red", "green"])
    assert (colour.words[0], colour.shares[0], colour.count[0]) == ("red", 0.75, 60)
    assert (note.kind, note.count) == ("text", [60] * 4)
    assert (listed.kind, listed.times) == ("other", [])


def test_of_forecasts_the_newest_run_counts(store: Store) -> None:
    for run, value in ((NOW, 1), (NOW + HOUR, 2)):
        hours = {run + n * HOUR: value for n in range(1, 200)}
        send(store, "w~temperature", hours, run=run, at=run)
    found = chart(store, "w~temperature", start=NOW, end=NOW + 8 * DAY, points=9).lines[0]
    assert found.head.forecast
    assert sum(found.count) == 200, "hours, of twice 199 readings"
    assert set(filter(None, found.low[1:])) == {2}


def test_merged_readings_count_as_many_as_they_stand_for(store: Store) -> None:
    from tests.support import create

    send(store, "a~level", {NOW - DAY: 1})
    said = {"rule": "r", "bucket": "PT1H", "take": "mean", "readings": 3, "minimum": 1, "maximum": 9}
    body = {"result": 5, "phenomenonTime": "2026-06-01T00:00:00Z/2026-06-01T01:00:00Z", "parameters": {"thinned": said}}
    create(store, "Observation", body, links={"Datastream": "a~level"})
    body = {"result": 1, "phenomenonTime": "2026-06-01T01:00:00Z"}
    create(store, "Observation", body, links={"Datastream": "a~level"})
    (found,) = store.sums(ANONYMOUS, "a~level", [Span(NOW, NOW + DAY, NOW, DAY)])
    assert (found.rows, found.values, found.mean, found.low, found.high) == (2, 4, 4.0, 1, 9)


def test_what_is_hidden_is_as_absent_as_what_is_not_there(store: Store) -> None:
    send(store, "s~level", {NOW + n: 3 for n in range(300)}, dataset="hidden")
    send(store, "a~level", {NOW: 3})
    span = {"start": NOW, "end": NOW + HOUR}
    assert [line.head.id for line in chart(store, "s~level", "none", "a~level", **span).lines] == ["a~level"]
    assert store.sums(ANONYMOUS, "s~level", [Span(NOW, NOW + DAY, NOW, DAY)]) == []
    assert store.words(ANONYMOUS, "s~level", [Span(NOW, NOW + DAY, NOW, DAY)], 9) == []
    assert len(chart(store, "s~level", reader=HOUSE, **span).lines) == 1


def test_what_cannot_be_drawn_is_said(store: Store) -> None:
    with pytest.raises(InvalidInput, match="ends before"):
        chart(store, "a", start=NOW, end=NOW)
    with pytest.raises(InvalidInput, match="12 streams"):
        chart(store, *map(str, range(13)), start=NOW, end=NOW + 1)


def test_an_answer_stays_small(store: Store) -> None:
    import msgspec

    for name in range(4):
        send(store, f"a{name}~level", {NOW + n * 7 * SECOND: n * 1.23456789 for n in range(6000)})
    found = chart(store, *(f"a{n}~level" for n in range(4)), start=NOW, end=NOW + 12 * HOUR, points=2000)
    assert len(msgspec.json.encode(as_document(found))) < 300_000
