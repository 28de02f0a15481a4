"""A coarse place tells its cell and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.coarsening import (
    PRECISIONS,
    Place,
    cell_of,
    coarsen,
    coarsen_further,
    district_names,
    district_place,
)
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Position

DISTRICTS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [[[w, 50.9], [e, 50.9], [e, 51], [w, 51], [w, 50.9]]]},
        }
        for name, w, e in (("West", 11.5, 11.6), ("Ost", 11.6, 11.7))
    ],
}
places = st.builds(Position, st.floats(-179.9, 179.9), st.floats(-85, 85))
grids = st.sampled_from(["100m", "1km"])
METRE = 1 / 111_320


@given(places, grids)
def test_a_place_lies_in_its_cell_and_the_middle_says_no_more_than_the_cell(position, precision):
    place = coarsen(position, precision, {})
    west, south, east, north = cell_of(place)
    assert west - 1e-7 <= position.lon <= east + 1e-7
    assert south - 1e-7 <= position.lat <= north + 1e-7
    assert place.position.lon == pytest.approx((west + east) / 2, abs=2e-7)
    assert place.position.lat == pytest.approx((south + north) / 2, abs=2e-7)


@given(places, grids, st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_every_place_of_a_cell_becomes_the_same_point(position, precision, across, up):
    place = coarsen(position, precision, {})
    west, south, east, north = cell_of(place)
    other = Position(west + (east - west) * across, south + (north - south) * up)
    assert coarsen(other, precision, {}) == place


@given(places)
def test_cells_are_as_large_as_they_say(position):
    for precision, metres in (("100m", 100), ("1km", 1000)):
        west, south, east, north = cell_of(coarsen(position, precision, {}))
        assert (north - south) / METRE == pytest.approx(metres, rel=0.01)
        # the width is that of the row's middle: 0.09 % off at its borders at 85°
        assert (east - west) / METRE * math.cos(math.radians(position.lat)) == pytest.approx(metres, rel=0.01)


@given(places)
def test_what_was_told_finely_can_be_told_coarsely_from_itself(position):
    fine = coarsen(position, "100m", {})
    assert coarsen_further(fine, "1km", {}) == coarsen(position, "1km", {})


def test_nothing_becomes_finer():
    coarse = coarsen(Position(11.58, 50.93), "1km", {})
    with pytest.raises(InvalidInput, match="nothing finer is kept"):
        coarsen_further(coarse, "100m", {})
    assert coarsen_further(coarse, "1km", {}) is coarse
    assert coarsen_further(coarse, "none", {}) == Place(precision="none")
    nowhere = Place(precision="none")
    assert coarsen_further(nowhere, "none", {}) is nowhere


def test_an_exact_place_is_a_metre():
    assert coarsen(Position(11.5861234567, 50.9274321987), "exact", {}).position == Position(11.58612, 50.92743)


def test_a_district_is_one_point_for_all_who_live_there():
    one, other = (coarsen(Position(lon, 50.95), "district", DISTRICTS) for lon in (11.51, 11.59))
    assert one == other == district_place("West", DISTRICTS)
    assert one.district == "West"
    assert cell_of(one) is None
    assert district_names(DISTRICTS) == ["West", "Ost"]
    with pytest.raises(InvalidInput, match="none of the city's districts"):
        coarsen(Position(12, 50.95), "district", DISTRICTS)
    with pytest.raises(InvalidInput, match="no district"):
        district_place("Nord", DISTRICTS)


def test_no_place_keeps_nothing():
    assert coarsen(Position(11.58, 50.93), "none", DISTRICTS) == Place(precision="none")


@pytest.mark.parametrize(("lon", "lat"), [(math.nan, 0), (0, math.inf), (181, 0), (0, -91)])
def test_what_is_no_place_on_earth_is_refused(lon, lat):
    for precision in PRECISIONS:
        with pytest.raises(InvalidInput, match="no place on earth"):
            coarsen(Position(lon, lat), precision, DISTRICTS)


def test_the_ends_of_the_earth():
    for lon, lat in ((180, 90), (-180, -90), (180, 0), (0, 90)):
        for precision in ("100m", "1km"):
            place = coarsen(Position(lon, lat), precision, {})
            assert coarsen(Position(lon, lat), precision, {}) == place
