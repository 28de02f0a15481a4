"""Units of UCUM: what converts into what, exactly, and what does not."""

import pytest

from allmende.domain.errors import InvalidInput
from allmende.domain.units import converter, read_unit, show_unit


@pytest.mark.parametrize(
    ("given", "wanted", "value", "result"),
    [
        ("kPa", "hPa", -105, -1050),
        ("Pa", "hPa", -105_000, -1050),
        ("m[H2O]", "hPa", -10, -980.665),
        ("mm[H2O]", "Pa", 1, 9.80665),
        ("Cel", "K", 20, 293.15),
        ("K", "Cel", 293.15, 20),
        ("[degF]", "Cel", 212, 100),
        ("km/h", "m/s", 36, 10),
        ("uS/cm", "dS/m", 1000, 1),
        ("%", "1", 50, 0.5),
        ("h", "min", 2, 120),
        ("kW.h", "J", 1, 3.6e6),
        ("t", "kg", 2, 2000),
        ("{vehicle}/h", "/d", 1, 24),
    ],
)
def test_it_converts(given, wanted, value, result):
    convert = converter(given, wanted)
    assert convert is not None
    assert convert(value) == pytest.approx(result, rel=1e-12)


def test_whole_factors_keep_whole_numbers():
    convert = converter("kPa", "hPa")
    assert convert is not None
    assert convert(-105) == -1050
    assert isinstance(convert(-105), int)


@pytest.mark.parametrize(("given", "wanted"), [("kPa", "kPa"), ("mm/h", "L/h.m-2"), ("{a}", "{b}"), ("", "1")])
def test_what_is_the_same_stays(given, wanted):
    assert converter(given, wanted) is None


@pytest.mark.parametrize(("given", "wanted"), [("kPa", "Cel"), ("m", "m2"), ("furlong", "m"), ("", "m"), ("0", "1")])
def test_what_is_not_alike_is_refused(given, wanted):
    with pytest.raises(InvalidInput):
        converter(given, wanted)


@pytest.mark.parametrize("text", ["m//s", "m s", "kk", "m^2", "Cel/m", "m.", ".", "[x"])
def test_what_is_no_unit_is_told(text):
    with pytest.raises(InvalidInput, match="no unit"):
        read_unit(text)


def test_units_of_other_names_are_equal_to_themselves_alone():
    assert converter("[pH]", "[pH]") is None


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [("Cel", "°C"), ("1", ""), ("{spaces}", ""), ("ug/m3", "µg/m³"), ("m3/s", "m³/s"), ("kW.h", "kW·h"),
     ("{vehicles}/h", "/h"), ("%", "%"), ("what is no unit", "what is no unit")],
)  # fmt: skip
def test_it_is_shown_as_people_write_it(symbol, shown):
    assert show_unit(symbol) == shown
