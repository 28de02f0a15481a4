"""Classes of a map hold every value once and have round ends; districts hold the places that lie in them."""

from hypothesis import given
from hypothesis import strategies as st

from allmende.knowledge.maps.areas import Areas, box_around, metres
from allmende.knowledge.maps.scales import MOST, make_scale

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False) | st.integers(-(10**6), 10**6)


@given(st.lists(NUMBERS, max_size=60))
def test_every_number_has_one_class_and_classes_are_in_order(values: list[float]) -> None:
    scale = make_scale(values)
    assert len(scale.breaks) < MOST
    assert list(scale.breaks) == sorted(set(scale.breaks))
    for value in values:
        place = scale.place(value)
        assert place is not None
        assert place == 0 or scale.breaks[place - 1] <= value
        assert place == len(scale.breaks) or value < scale.breaks[place]
    if len(set(values)) > 1 and max(values) - min(values) > 1e-3:
        assert scale.breaks


def test_ends_are_round() -> None:
    assert make_scale(range(256)).breaks == (50.0, 100.0, 150.0, 200.0, 250.0)[:4]
    assert make_scale([1.2, 1.4, 1.9, 2.2]).breaks == (1.4, 1.6, 1.8, 2.0)
    assert make_scale([7, 7, 7]).breaks == ()


def test_texts_have_classes_of_their_own_and_the_rest_shares_one() -> None:
    scale = make_scale(["red", "green", "red", True, "a", "b", "c", "d", "e"])
    assert not scale.numbers
    assert len(scale.names) == MOST
    assert "red" in scale.names
    assert scale.place("nobody") == len(scale.names)
    assert scale.place(None) is None
    assert scale.place([1]) is None


def test_places_lie_in_their_districts() -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    outlines = {
        "features": [
            {"type": "Feature", "id": "a", "properties": {"name": "A"}, "geometry": square},
            {"type": "Feature", "id": "line", "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
        ]
    }
    areas = Areas(outlines)
    assert [area.id for area in areas.all] == ["a"]
    assert [area and area.name for area in areas.of([(0.5, 0.5), None, (2, 2), (1, 0.5)])] == ["A", None, None, "A"]
    assert 12_300 < areas.all[0].km2 < 12_320
    assert areas.find("A") is areas.find("a") is areas.all[0]
    assert Areas({"features": []}).of([(1, 1)]) == [None]


def test_distances_are_along_the_ground() -> None:
    assert [round(far) for far in metres((11.0, 50.0), [(11.0, 50.01), (11.0, 50.0)])] == [1112, 0]
    west, south, east, north = box_around((11.0, 50.0), 1000)
    assert all(
        999 < far < 1001 for far in metres((11.0, 50.0), [(west, 50.0), (east, 50.0), (11.0, south), (11.0, north)])
    )
