"""The only way in: nothing is lost without a rejection, nothing broken gets through."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import declaration

from allmende.domain import times
from allmende.domain.batch import Batch
from allmende.domain.bounds import ABOVE, BELOW, MISFIT
from allmende.domain.connector import Payload, Source
from allmende.domain.ingest import IngestLimits, ingest, is_cut
from allmende.domain.records import Declaration, Parsed, Position, Rejection, Series, ThingDeclaration

NOW = times.parse_instant("2024-04-30T12:00:00Z")
STREAM = "garage~free"
SOURCE = Source(id="feed", connector="test", dataset="parking")


def run(*records: Any, rejections: tuple[Rejection, ...] = (), limits: IngestLimits | None = None) -> Batch:
    """The batch of records, received at NOW."""
    payload = Payload(body=b"the bytes", name="file.csv", received_at=NOW, line=7)
    return ingest(
        Parsed(records, rejections), payload=payload, source=SOURCE, version="1", limits=limits or IngestLimits()
    )


def series(results: list[Any], moments: list[int] | None = None, flags: list[str] | None = None) -> Series:
    """Readings a minute apart."""
    at = moments if moments is not None else [NOW - times.HOUR + i * times.MINUTE for i in range(len(results))]
    return Series(stream=STREAM, times=at, results=results, flags=flags)


def codes(batch: Batch) -> list[str]:
    """Why readings were refused."""
    return [r.code for r in batch.rejections]


def test_good_readings_pass_as_they_are() -> None:
    batch = run(declaration(), series([1, 2, 3]))
    assert batch.series[0].results == [1, 2, 3]
    assert batch.series[0].flags is None
    assert not batch.rejections
    assert (batch.origin, batch.dataset, batch.version, batch.name) == ("feed", "parking", "1", "file.csv")


def test_a_forecast_is_bound_by_its_run_and_its_run_by_the_clock() -> None:
    limits = IngestLimits()
    late = NOW + limits.forecast
    fine = msgspec.structs.replace(series([1, 2], [NOW - 1, late]), run=NOW)
    assert codes(run(declaration(), fine)) == []
    far = msgspec.structs.replace(series([1, 2.5], [late + 1, NOW]), run=NOW)
    batch = run(declaration(), far)
    assert codes(batch) == ["future"]
    assert [(kept.run, kept.results) for kept in batch.series] == [(NOW, [2.5])]
    for run_, code in ((NOW + limits.future + 1, "future"), (0, "bad-run")):
        wrong = msgspec.structs.replace(series([1], [NOW]), run=run_)
        assert codes(run(declaration(), wrong)) == [code]


def test_the_clock_bounds_the_future() -> None:
    limits = IngestLimits()
    batch = run(declaration(), series([1, 2, 3], [NOW, NOW + limits.future, NOW + limits.future + 1]))
    assert batch.series[0].results == [1, 2]
    assert codes(batch) == ["future"]


@pytest.mark.parametrize("moment", [IngestLimits().earliest - 1, times.EARLIEST, times.EARLIEST - 1, -(2**63)])
def test_times_before_anybody_measured(moment: int) -> None:
    batch = run(declaration(), series([1], [moment]))
    assert codes(batch) == ["past"]


def test_a_time_far_beyond_the_calendar_can_still_be_told() -> None:
    batch = run(declaration(), series([1], [2**70]))
    assert codes(batch) == ["future"]
    assert "9999" in batch.rejections[0].reason


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (float("nan"), "not-finite"),
        (float("inf"), "not-finite"),
        (-float("inf"), "not-finite"),
        (2**63, "too-large"),
        (-(2**63) - 1, "too-large"),
        ("x" * 262_145, "too-long"),
        (["x" * 262_144], "too-long"),
        ({"a": 2**80, "b": "\ud800"}, "unreadable"),
        ("half a pair \udc00", "unreadable"),
    ],
)
@pytest.mark.parametrize("company", [[], ["text"]], ids=["alone", "mixed"])
def test_results_that_cannot_be_kept(result: Any, code: str, company: list[Any]) -> None:
    batch = run(declaration(high=None), series([result, *company, 5]))
    assert codes(batch) == [code]
    assert [r for s in batch.series for r in s.results] == [*company, 5]


def test_json_too_deep_to_be_read_again() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    assert codes(run(declaration(), series([deep]))) == ["too-deep"]


@pytest.mark.parametrize("result", [2**63 - 1, -(2**63), 0.0, 1e308, "x" * 65_536, True, None, [1, {"a": None}]])
def test_results_at_the_edge_are_kept(result: Any) -> None:
    batch = run(declaration(high=None), series([result]))
    assert batch.series[0].results == [result]


@pytest.mark.parametrize(
    "broken",
    [
        Series(stream=STREAM, times=[NOW, NOW], results=[1]),
        Series(stream=STREAM, times=[NOW], results=[1, 2]),
        Series(stream=STREAM, times=[NOW, NOW], results=[1, 2], flags=[""]),
    ],
)
def test_uneven_columns_are_refused_whole(broken: Series) -> None:
    batch = run(declaration(), broken)
    assert codes(batch) == ["uneven-series"] * 2
    assert not batch.series


def test_an_undeclared_stream_loses_no_reading_silently() -> None:
    batch = run(series([1, 2, 3]))
    assert codes(batch) == ["undeclared-stream"] * 3
    assert sum(len(s.times) for s in batch.series) + len(batch.rejections) == 3


def _bad_declarations() -> list[Declaration]:
    good = declaration()
    thing = good.thing
    return [
        msgspec.structs.replace(good, thing=ThingDeclaration(id="", name="x")),
        msgspec.structs.replace(good, thing=ThingDeclaration(id="a\nb", name="x")),
        msgspec.structs.replace(good, thing=msgspec.structs.replace(thing, position=Position(50.92, 111.58))),
        msgspec.structs.replace(good, thing=msgspec.structs.replace(thing, position=Position(float("nan"), 50.0))),
        msgspec.structs.replace(good, name="half a pair \ud800"),
        msgspec.structs.replace(good, properties={"a": object()}),
    ]


@pytest.mark.parametrize("bad", _bad_declarations())
def test_a_bad_declaration_takes_its_readings_along_and_is_counted_by_them(bad: Declaration) -> None:
    batch = run(bad, series([1, 2]))
    assert codes(batch) == ["bad-declaration"] * 2
    assert not batch.declarations
    assert not batch.series


def test_a_bad_declaration_without_readings_is_told_once() -> None:
    assert codes(run(_bad_declarations()[0])) == ["bad-declaration"]


def test_a_stream_whose_name_cannot_be_written_can_still_be_rejected() -> None:
    bad = msgspec.structs.replace(declaration(), stream="x\ud800")
    batch = run(bad, Series(stream="x\ud800", times=[NOW], results=[1]))
    batch.rejections[0].reason.encode()
    assert codes(batch) == ["bad-declaration"]


def test_the_range_flags_and_keeps() -> None:
    batch = run(declaration(high=10), series([0, 10, -1, 11, "closed", True, None, 11.5]))
    assert batch.series[0].results == [0, 10, -1, 11, "closed", True, None, 11.5]
    assert batch.series[0].flags == ["", "", BELOW, ABOVE, "", "", "", ABOVE]


@pytest.mark.parametrize(
    ("kind", "results", "wrong"),
    [
        ("measurement", [1, 1.5, None, "1", True, {}], "...xxx"),
        ("count", [1, 5.0, 5.5, "x"], "..xx"),
        ("truth", [True, 0, 1, 2, "on"], "...xx"),
        ("category", ["a", 3, False, [1], {}], "...xx"),
        ("complex", ["a", 3, False, [1], {}], "....."),
    ],
)
def test_a_source_loses_nothing_by_its_type(kind: Any, results: list[Any], wrong: str) -> None:
    stream = msgspec.structs.replace(declaration(high=None), observation_type=kind)
    made = run(stream, series(results)).series[0]
    assert made.results == results
    assert [bool(flag) for flag in made.flags or [""] * len(results)] == [sign == "x" for sign in wrong]
    assert set(made.flags or ()) <= {"", MISFIT}


def test_what_the_connector_said_is_more_exact() -> None:
    batch = run(declaration(high=10), series([11, 12], flags=["full-with-free", ""]))
    assert batch.series[0].flags == ["full-with-free", ABOVE]


def test_flags_stay_with_their_readings_when_others_fall() -> None:
    batch = run(declaration(high=10), series([1, float("nan"), 3, 40], flags=["a", "b", "c", ""]))
    assert batch.series[0].results == [1, 3, 40]
    assert batch.series[0].flags == ["a", "c", ABOVE]


def test_an_oversized_rejection_is_cut_and_says_so() -> None:
    limits = IngestLimits(rejection_bytes=10)
    batch = run(
        rejections=(Rejection(reason="odd", body=b"x" * 11), Rejection(reason="fits", body=b"x" * 10)), limits=limits
    )
    cut, whole = batch.rejections
    assert len(cut.body) == 10
    assert "cannot be replayed" in cut.reason
    assert (whole.reason, len(whole.body)) == ("fits", 10)


def test_of_what_may_tell_of_people_the_bytes_are_not_kept() -> None:
    payload = Payload(body=b"somebody's track", name="camera", received_at=NOW)
    passed = Rejection(reason="odd", body=b"class 5", code="odd")
    raised = Rejection(reason="raised", body=payload.body, code="parser-error")
    ahead = series([1], [NOW + 3 * times.DAY])
    source = msgspec.structs.replace(SOURCE, of_people=True)
    parsed = Parsed((declaration(), ahead), (passed, raised))
    batch = ingest(parsed, payload=payload, source=source, version="1", limits=IngestLimits())
    assert [rejection.body for rejection in batch.rejections] == [b"class 5", b"", b""]
    assert [is_cut(rejection.reason) for rejection in batch.rejections] == [False, True, True]


def test_many_rejections_of_one_large_payload_share_its_head() -> None:
    body = bytes(100)
    rejections = tuple(Rejection(reason="odd", body=body, where=str(place)) for place in range(3))
    first, *others = run(rejections=rejections, limits=IngestLimits(rejection_bytes=10)).rejections
    assert len(first.body) == 10
    assert all(other.body is first.body for other in others)


def test_a_rejection_holds_the_payload_and_its_place() -> None:
    rejection = run(series([1])).rejections[0]
    assert (rejection.body, rejection.where) == (b"the bytes", "from line 7")


RESULTS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3)
)


@given(st.lists(st.tuples(st.integers(-(2**65), 2**65), RESULTS), max_size=8), st.booleans())
def test_every_reading_is_either_kept_or_rejected(readings: list[tuple[int, Any]], declared: bool) -> None:
    one = series([r for _, r in readings], [t for t, _ in readings])
    batch = run(*([declaration()] if declared else []), one)
    assert sum(len(s.times) for s in batch.series) + len(batch.rejections) == len(readings)
    for kept in batch.series:
        assert all(times.EARLIEST <= t <= NOW + times.DAY for t in kept.times)
        assert kept.flags is None or len(kept.flags) == len(kept.times)


def test_a_replay_of_one_reading_takes_no_other() -> None:
    late = NOW + 10 * times.DAY
    records = declaration(), series([1, 2, 3], [NOW - 2, late, NOW - 1])
    (rejection,) = run(*records).rejections
    payload = Payload(body=rejection.body, name="file.csv", received_at=late)
    again = ingest(
        Parsed(records, ()), payload=payload, source=SOURCE, version="1", limits=IngestLimits(), only=rejection.where
    )
    assert [(s.times, s.results) for s in again.series] == [([late], [2])]
    assert not again.rejections


def test_a_rejection_repeats_nothing_that_cannot_be_kept() -> None:
    told = Rejection(reason="no 'a\0b', but \ud800", where="object, \0", code="un\0known", body=b"\0 is fine here")
    payload = Payload(body=b"x", name="wss://boxes.example/?token=s3cr3t&box=\udcff\0", received_at=NOW)
    batch = ingest(Parsed((), (told,)), payload=payload, source=SOURCE, version="1", limits=IngestLimits())
    (kept,) = batch.rejections
    assert (kept.reason, kept.where) == ("no 'a\\x00b', but \\ud800", "object, \\x00")
    assert (kept.code, kept.body) == ("un\\x00known", b"\0 is fine here")
    assert batch.name == "wss://boxes.example/?token=***&box=\\udcff\\x00"
