"""What people and programs say of a selection: days of the city, patterns, boxes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.errors import InvalidInput
from allmende.domain.figures import StreamSummary
from allmende.domain.selection import Selection, matches, read_selection, restore
from allmende.domain.times import format_instant

BERLIN = "Europe/Berlin"


def read(**said: Any) -> Selection:
    return read_selection({"dataset": "d", **said}, BERLIN)


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("2024-03-31", "2024-03-30T23:00:00.000Z", "2024-03-31T22:00:00.000Z"),  # 23 hours
        ("2024-10", "2024-09-30T22:00:00.000Z", "2024-10-31T23:00:00.000Z"),
        ("2024-12", "2024-11-30T23:00:00.000Z", "2024-12-31T23:00:00.000Z"),
        ("2024", "2023-12-31T23:00:00.000Z", "2024-12-31T23:00:00.000Z"),
    ],
)
def test_days_months_and_years_are_the_city_s_and_the_last_one_belongs_to_it(said: str, start: str, end: str) -> None:
    found = read(start=said, end=said)
    assert found.start is not None
    assert found.end is not None
    assert (format_instant(found.start), format_instant(found.end)) == (start, end)


def test_an_instant_is_what_it_says() -> None:
    assert read(start="2024-05-01T12:00:00+02:00") == read(start="2024-05-01T10:00:00Z")
    for wrong in ("2024-05-01T12:00:00", "2024-13", "2024-02-30", "1.5.2024", "0000", "9999-12-32"):
        with pytest.raises(InvalidInput) as caught:
            read(start=wrong)
        assert caught.value.where == "start"


def test_what_was_said_is_kept_and_told() -> None:
    found = read(start="2024", streams="a*, b", bbox="11,50,12,51", columns=["time"], bucket="P1D")
    assert restore(msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(found)))) == found
    assert read_selection(found.told(), "UTC") == found


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_star_stands_for_anything(pattern: str, text: str) -> None:
    import re

    assert matches(pattern, text) == bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text))


def test_streams_are_taken_by_id_property_and_place() -> None:
    def stream(lon: float | None, lat: float | None) -> StreamSummary:
        return StreamSummary(
            id="g~free", name="", thing="", thing_id="", property="", unit="", source="", property_id="free", lon=lon,
            lat=lat,
        )  # fmt: skip

    assert read().takes(stream(None, None))
    assert not read(bbox="0,0,1,1").takes(stream(None, None))
    assert read(bbox="170,-10,-170,10").takes(stream(-175.0, 0.0))  # over the antimeridian
    assert not read(bbox="170,-10,-170,10").takes(stream(0.0, 0.0))
    assert read(properties="free", streams="g~*").takes(stream(0.0, 0.0))
    assert not read(properties="rain").takes(stream(0.0, 0.0))


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"bbox": "0,10,1,5"}, "bbox"), ({"bbox": "0,0,1,nan"}, "bbox"), ({"bbox": {"west": 1}}, "bbox"),
        ({"streams": [1]}, "streams"), ({"streams": ["x" * 301]}, "streams"), ({"bucket": "P7M"}, "bucket"),
        ({"collection": "trees", "bucket": "P1D"}, "collection"), ({"dataset": ["d"]}, "dataset"),
        ({"dataset": "a\x00"}, "dataset"), ({"nonsense": 1}, "nonsense"), ({"columns": ["a"] * 2 + [""] * 3}, None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(said: dict[str, Any], where: str | None) -> None:
    if where is None:
        assert read(**said).columns == ("a",)
        return
    with pytest.raises(InvalidInput) as caught:
        read(**said)
    assert caught.value.where == where
