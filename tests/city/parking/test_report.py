"""The figures of a month, and the report of it as page, spreadsheet and PDF."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.staticfiles import finders
from django.utils import translation

from allmende.city.parking.figures import Figures, figures_of
from allmende.city.parking.past import NOTHING, Doubted, Past, Spell, put_right, rooms
from allmende.city.parking.report import Line, Month, Report
from allmende.city.parking.report_files import as_pdf, as_xlsx, offered
from allmende.city.parking.report_words import Sheet, lay_out, show
from allmende.city.parking.sites import Site
from allmende.domain.errors import InvalidInput
from allmende.domain.steps import Segment
from allmende.domain.times import HOUR, MINUTE, from_datetime

START = from_datetime(datetime(2024, 3, 1, tzinfo=UTC))


def segments(*pieces: tuple[float | None, int] | tuple[float | None, int, str]) -> list[Segment]:
    """From value, minutes and flag."""
    found, at = [], START
    for value, minutes, *flag in pieces:
        found.append(Segment(at, at + minutes * MINUTE, value, "", flag[0] if flag else ""))
        at += minutes * MINUTE
    return found


def test_means_are_weighted_with_time_and_gaps_and_doubts_stand_apart() -> None:
    pieces = segments((80, 180), (40, 60), (None, 60), (100, 60, "above-capacity"), (0, 60))
    told = figures_of(pieces, START, START + 7 * HOUR, 100)
    assert told.known == 5 * HOUR
    assert (told.missing, told.implausible, told.full) == (HOUR, HOUR, HOUR)
    assert told.mean == (80 * 3 + 40) / 5
    assert told.occupancy == pytest.approx(0.44)
    assert (told.peak, told.lowest_at) == (1.0, START + 6 * HOUR)


def test_arrivals_are_drops_between_neighbours_alone() -> None:
    pieces = segments((50, 5), (47, 5), (49, 5), (41, 5), (None, 5), (30, 5), (29, 5, "frozen"), (20, 5))
    assert figures_of(pieces, START, START + 40 * MINUTE, 100).arrivals == 3 + 8


def test_who_closes_is_not_full_and_nobody_arrived() -> None:
    pieces = segments((300, 60), (296, 60), (0, 480), (0, 60), (310, 60), (4, 5), (0, 55))
    told = figures_of(pieces, START, START + 13 * HOUR, 400)
    assert (told.shut, told.full, told.arrivals) == (9 * HOUR, 55 * MINUTE, 4 + 4)
    # also where it closed the evening before the span
    assert figures_of(pieces, START + 3 * HOUR, START + 13 * HOUR, 400).full == 55 * MINUTE


def at(hours: float) -> int:
    return START + int(hours * HOUR)


def test_what_was_decided_counts_while_it_held() -> None:
    """Ten hours of 60 free: chosen capacity, leases, a closed deck, a closure, a calibration, a doubt, by hand."""
    counted = segments((60, 600))
    assert figures_of(counted, START, at(10), 100).occupancy == pytest.approx(0.4)

    def told(**held: Any) -> Figures:
        past = Past(**held)
        spaces = rooms(past, [(START, 100)], START, at(10))
        return figures_of(put_right(counted, past, spaces), START, at(10), spaces)

    later = Spell(at(5), None, 200)
    chosen = told(capacities=(later,))
    assert (chosen.capacity, chosen.spaces) == (200, 150)
    assert chosen.occupancy == pytest.approx((0.4 + 0.7) / 2)
    assert told(leases=(Spell(START, at(5), 20), Spell(START, at(5), 20))).occupancy == pytest.approx((0 + 0.4) / 2)
    deck = told(parts=(Spell(at(5), None, 50),))
    assert (deck.lowest, deck.arrivals, deck.occupancy) == (50, 0, pytest.approx(0.2))
    shut = told(closures=(Spell(at(2), at(6)),))
    assert (shut.known, shut.shut, shut.missing) == (6 * HOUR, 4 * HOUR, 0)
    right = told(offsets=(Spell(at(5), None, -8),))
    assert (right.mean, right.arrivals) == (pytest.approx(56), 0)
    doubted = told(doubts=(Doubted(at(1), at(2), "frozen"), Doubted(at(9), None, "by-hand")))
    assert (doubted.known, doubted.implausible) == (8 * HOUR, 2 * HOUR)


def test_nothing_free_while_it_is_shut_is_no_full_car_park() -> None:
    """A garage counts down to nothing before it closes at ten, and is full at noon."""
    counted = segments((4, 60), (0, 60), (0, 480), (9, 120), (0, 30))
    spaces = rooms(NOTHING, [(START, 100)], START, at(12.5))
    told = put_right(counted, NOTHING, spaces, lambda start, end: [(at(2), at(10))])
    figures = figures_of(told, START, at(12.5), spaces)
    assert (figures.shut, figures.full) == (8 * HOUR, 1.5 * HOUR)
    # vehicles that stand in it overnight take their spaces
    assert (
        figures_of(
            put_right(segments((60, 600)), NOTHING, spaces, lambda start, end: [(at(2), at(9))]), START, at(10), spaces
        ).known
        == 10 * HOUR
    )


def test_a_capacity_that_a_source_tells_counts_from_when_it_was_told() -> None:
    told = [(START - HOUR, 80), (at(4), 100)]
    assert [each.spaces for each in rooms(NOTHING, told, START, at(10))] == [80, 100]
    assert [each.spaces for each in rooms(Past(leases=(Spell(at(4), None, 20),)), told, START, at(10))] == [80]
    assert [each.spaces for each in rooms(NOTHING, [(START, None)], START, at(10))] == [None]


def test_months() -> None:
    assert Month.read("2026-01").moved(-1) == Month(2025, 12)
    begin, end = Month(2026, 3).span("Europe/Berlin")
    assert end - begin == 31 * 24 * HOUR - HOUR
    for text in ("2026-13", "2026-1", "now", "26-01", "2026-011"):
        with pytest.raises(InvalidInput):
            Month.read(text)


@pytest.fixture
def sheet() -> Sheet:
    told = figures_of(segments((80, 180), (40, 60)), START, START + 5 * HOUR, 100)
    wild = '=HYPERLINK("x") #strong[*$]'
    report = Report(
        month=Month(2024, 3),
        lines=(
            Line(
                site=Site(id="a", name="Äußere Gasse", kind="car-park", stands_for="a"),
                simulated=False, estimated=False, now=told, before=None, year_ago=None,
            ),
            Line(
                site=Site(id="b", name=wild, kind="car-park", stands_for="b"),
                simulated=True, estimated=True, now=None, before=told, year_ago=None,
            ),
        ),
        running=True,
        left_out=2,
        made=datetime(2024, 3, 20, 12, tzinfo=UTC),
    )  # fmt: skip
    with translation.override("de"):
        return lay_out(report, "Jena", "Europe/Berlin")


def test_a_spreadsheet_holds_values_and_no_formulas(sheet: Sheet) -> None:
    page = openpyxl.load_workbook(io.BytesIO(as_xlsx(sheet))).active
    assert page is not None
    cells = [[cell.value for cell in row] for row in page.iter_rows(min_row=4)]
    assert cells[1][:4] == ["Äußere Gasse", 100, 0.3, None]
    assert cells[1][6] == datetime(2024, 3, 1, 4)  # noqa: DTZ001  by the city's clock
    assert cells[2][0] == sheet.rows[1][0]
    assert page["A6"].data_type == "s"
    assert [row[0] for row in cells[4:]] == list(sheet.notes)


def test_a_pdf_is_tagged_and_says_what_it_is(sheet: Sheet) -> None:
    if "pdf" not in offered():
        pytest.skip("typst is not installed: pip install 'allmende[reports]'")
    body = as_pdf(sheet)
    assert body.startswith(b"%PDF-")
    for mark in (b"/StructTreeRoot", b"/Lang", b"pdfuaid:part", b"/MarkInfo"):
        assert mark in body
    if finders.find("build/print"):
        assert b"FiraSans" in body


def test_what_is_not_known_is_a_dash_and_what_is_no_measurement_says_so(sheet: Sheet) -> None:
    with translation.override("de"):
        words = [[show(cell, column.kind, sheet.zone) for cell, column in zip(row, sheet.columns, strict=True)]
                 for row in sheet.rows]  # fmt: skip
    assert words[0][2] == "30,0\u202f%"
    assert words[1][2] == "–"
    assert words[1][3] == "30,0\u202f%"
    assert words[1][-1] == "simuliert, geschätzt, nicht gezählt, keine Zählung in diesem Monat"
    assert any("2 " in note for note in sheet.notes)


def test_the_recorded_march_has_no_impossible_month() -> None:
    """By the step function of the recording: no car park is full and known for longer than the month."""
    recording = Path(__file__).parents[3] / ".." / "shared" / "data" / "parking"
    file = recording.resolve() / "jena_free_2023-11-07_2024-04-30.csv.gz"
    if not file.is_file():
        pytest.skip("the recording is not at hand: ../shared/data/parking")
    import csv
    import gzip

    begin, end = Month(2024, 3).span("Europe/Berlin")
    found: list[tuple[int, float]] = []
    with gzip.open(file, "rt") as lines:
        for stamp, place, free in csv.reader(lines):
            if place == "mobilitaet-jena-Goethe-Galerie":
                found.append((from_datetime(datetime.fromisoformat(stamp)), float(free)))
    inside = [each for each in found if begin - timedelta(days=1) // timedelta(microseconds=1) <= each[0] < end]
    steps = [Segment(at, then, value) for (at, value), (then, _) in zip(inside, [*inside[1:], (end, 0)], strict=True)]
    told = figures_of(steps, begin, end, 740)
    # closed at night, so that nights are not full; and some hundred arrivals a day, not thousands
    assert 250 * HOUR < told.shut < 350 * HOUR
    assert told.full < 2 * HOUR
    assert 200 * 31 < told.arrivals < 500 * 31
