"""Units in UCUM, as far as a city needs them: compared, multiplied, converted.

A subset of its own, since the libraries looked at bring much more than that: ucumvert stands on pint, which takes two
tenths of a second to load and knows units by other names. What is not in the tables here is said to be unknown and is
never converted. Source: The Unified Code for Units of Measure, version 2.2 (https://ucum.org/ucum).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import isclose
from typing import NamedTuple

from allmende.domain.errors import InvalidInput

Dimension = tuple[tuple[str, int], ...]

_PREFIXES = {
    "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "da": 1e1, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9,
}  # fmt: skip
_SPEED, _FORCE = (("m", 1), ("s", -1)), (("g", 1), ("m", 1), ("s", -2))
_PRESSURE, _ENERGY = (("g", 1), ("m", -1), ("s", -2)), (("g", 1), ("m", 2), ("s", -2))
_POWER, _VOLUME = (("g", 1), ("m", 2), ("s", -3)), (("m", 3),)
_METRIC: Mapping[str, tuple[float, Dimension]] = {
    "m": (1, (("m", 1),)),
    "s": (1, (("s", 1),)),
    "g": (1, (("g", 1),)),
    "K": (1, (("K", 1),)),
    "A": (1, (("A", 1),)),
    "cd": (1, (("cd", 1),)),
    "mol": (1, (("mol", 1),)),
    "rad": (1, (("rad", 1),)),
    "Hz": (1, (("s", -1),)),
    "N": (1e3, _FORCE),
    "Pa": (1e3, _PRESSURE),
    "bar": (1e8, _PRESSURE),
    "m[H2O]": (9.80665e6, _PRESSURE),
    "J": (1e3, _ENERGY),
    "W": (1e3, _POWER),
    "V": (1e3, (("A", -1), ("g", 1), ("m", 2), ("s", -3))),
    "Ohm": (1e3, (("A", -2), ("g", 1), ("m", 2), ("s", -3))),
    "S": (1e-3, (("A", 2), ("g", -1), ("m", -2), ("s", 3))),
    "lm": (1, (("cd", 1),)),
    "lx": (1, (("cd", 1), ("m", -2))),
    "L": (1e-3, _VOLUME),
    "l": (1e-3, _VOLUME),
    "t": (1e6, (("g", 1),)),
    "Wh": (3.6e6, _ENERGY),
    "ar": (1e2, (("m", 2),)),
}
_PLAIN: Mapping[str, tuple[float, Dimension]] = {
    "min": (60, (("s", 1),)),
    "h": (3600, (("s", 1),)),
    "d": (86400, (("s", 1),)),
    "wk": (604800, (("s", 1),)),
    "a": (31557600, (("s", 1),)),
    "mo": (2629800, (("s", 1),)),
    "deg": (0.017453292519943295, (("rad", 1),)),
    "%": (0.01, ()),
    "[ppth]": (1e-3, ()),
    "[ppm]": (1e-6, ()),
    "[ppb]": (1e-9, ()),
}
_SPECIAL: Mapping[str, tuple[float, float, Dimension]] = {
    "Cel": (1, 273.15, (("K", 1),)),
    "[degF]": (5 / 9, 459.67 * 5 / 9, (("K", 1),)),
}
"""Factor, and what is added after it: units that do not begin at nothing. They stand alone."""
_TERM = re.compile(r"(?P<op>[./])?(?P<atom>\{[^{}]*\}|(?:[A-Za-z%]|\[[^\[\]]*\])+|\d+)(?P<power>[+-]?\d+)?", re.ASCII)


class Measure(NamedTuple):
    """What a unit is: so many of the base units (m, s, g, K, …) of this dimension, from ``offset`` on."""

    factor: float = 1
    dimension: Dimension = ()
    offset: float = 0

    def times(self, other: "Measure", power: int = 1) -> "Measure":
        """The product with a power of another unit; neither may begin elsewhere than at nothing."""
        exponents = dict(self.dimension)
        for base, exponent in other.dimension:
            exponents[base] = exponents.get(base, 0) + exponent * power
        dimension = tuple(sorted((base, exponent) for base, exponent in exponents.items() if exponent))
        return Measure(self.factor * other.factor**power, dimension)

    def same(self, other: "Measure") -> bool:
        """Whether numbers of both mean the same."""
        return (
            self.dimension == other.dimension
            and isclose(self.factor, other.factor, rel_tol=1e-9)
            and isclose(self.offset, other.offset, rel_tol=1e-9, abs_tol=1e-12)
        )


ONE = Measure()


@lru_cache(maxsize=512)
def read_unit(symbol: str) -> Measure:
    """What a UCUM symbol means; raises InvalidInput for what is none, or is not known here.

    An annotation (``{vehicle}``) says what is counted and is one (UCUM, §11). ``""`` is one, too.
    """
    text = symbol.strip()
    if text in ("", "1"):
        return ONE
    if text in _SPECIAL:
        factor, offset, dimension = _SPECIAL[text]
        return Measure(factor, dimension, offset)
    product, at = ONE, 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None or ((at > 0) != (match["op"] is not None) and not (at == 0 and match["op"] == "/")):
            raise InvalidInput('"%(symbol)s" is no unit of UCUM that is known here, e.g. kPa, Cel, km/h', symbol=symbol)
        power = int(match["power"] or 1) * (-1 if match["op"] == "/" else 1)
        product = product.times(_atom(match["atom"], symbol), power)
        at = match.end()
    return product


def _atom(text: str, symbol: str) -> Measure:
    if text.startswith("{"):
        return ONE
    if text.isdigit():
        if int(text) == 0:
            raise InvalidInput('"%(symbol)s" is no unit: it is nothing', symbol=symbol)
        return Measure(float(text))
    bare = re.sub(r"\{[^{}]*\}$", "", text)
    if bare in _PLAIN or bare in _METRIC:
        return Measure(*(_PLAIN.get(bare) or _METRIC[bare]))
    for length in (1, 2):
        factor, rest = _PREFIXES.get(bare[:length]), bare[length:]
        if factor is not None and rest in _METRIC:
            return Measure(factor * _METRIC[rest][0], _METRIC[rest][1])
    raise InvalidInput(
        '"%(symbol)s" has %(text)s, which is no unit of UCUM that is known here, e.g. kPa, Cel, km/h',
        symbol=symbol,
        text=repr(text),
    )


def converter(given: str, wanted: str) -> Callable[[float], float] | None:
    """What turns numbers of one unit into those of another; None where they are the same already.

    Raises InvalidInput where they measure different things, or one is not known. Equal symbols are always the same.
    """
    if given.strip() == wanted.strip():
        return None
    source, target = read_unit(given), read_unit(wanted)
    if source.dimension != target.dimension:
        raise InvalidInput(
            '"%(given)s" and "%(wanted)s" measure different things; none can be turned into the other',
            given=given,
            wanted=wanted,
        )
    if source.same(target):
        return None
    if source.offset == target.offset:
        ratio = source.factor / target.factor
        exact = round(ratio)
        if exact and isclose(ratio, exact, rel_tol=1e-12):
            return lambda value: value * exact
        inverse = round(1 / ratio)
        if inverse and isclose(1 / ratio, inverse, rel_tol=1e-12):
            return lambda value: value / inverse
        return lambda value: value * ratio
    return lambda value: (value * source.factor + source.offset - target.offset) / target.factor


_SHOWN = {"Cel": "°C", "deg": "°", "1": "", "{count}": "", "[ppth]": "‰", "Ohm": "Ω", "[degF]": "°F"}
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@lru_cache(maxsize=256)
def show_unit(symbol: str) -> str:
    """A symbol of UCUM as people write it: ``Cel`` is °C, ``ug/m3`` is µg/m³, ``1`` is nothing."""
    if symbol in _SHOWN or " " in symbol:  # what somebody wrote who knew of no UCUM
        return _SHOWN.get(symbol, symbol)
    plain = re.sub(r"\{[^}]*\}", "", symbol)
    raised = re.sub(r"(?<=[A-Za-z])-?[0-9]+", lambda found: found[0].translate(_RAISED), plain)
    micro = re.sub(r"(?<![A-Za-z])u(?=[A-Za-z])", "µ", raised)
    return "/".join(_SHOWN.get(part, part) for part in micro.split("/")).replace(".", "·")
