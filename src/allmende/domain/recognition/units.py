"""Units as people write them above a column: ``Temperatur (°C)``, ``pm10_µg/m3``,
``Feuchte in %``; UCUM comes out."""

import re

from allmende.domain.errors import InvalidInput
from allmende.domain.recognition.model import Words
from allmende.domain.recognition.names import quantity_of
from allmende.domain.units import read_unit

UNCONVERTED = frozenset({"dB", "dB[SPL]", "[pH]"})
"""Units of UCUM that are logarithms: kept, and never turned into others."""
SPELLINGS = {
    "°c": "Cel", "grad c": "Cel", "grad celsius": "Cel", "celsius": "Cel", "degc": "Cel", "deg c": "Cel", "℃": "Cel",
    "°f": "[degF]", "fahrenheit": "[degF]", "kelvin": "K",
    "%": "%", "prozent": "%", "percent": "%", "pct": "%", "% rh": "%", "%rh": "%", "vol%": "%", "vol.-%": "%",
    "%rf": "%",
    "µg/m³": "ug/m3", "µg/m3": "ug/m3", "μg/m³": "ug/m3", "μg/m3": "ug/m3", "ug/m3": "ug/m3", "ugm3": "ug/m3",
    "µg/m^3": "ug/m3", "ug m3": "ug/m3", "µg m3": "ug/m3", "ug/m³": "ug/m3", "mg/m³": "mg/m3", "mg/m3": "mg/m3",
    "ppm": "[ppm]", "ppb": "[ppb]", "‰": "[ppth]",
    "l/m²": "L/m2", "l/m2": "L/m2", "mm/h": "mm/h", "m/s": "m/s", "ms-1": "m/s", "km/h": "km/h", "kmh": "km/h",
    "kph": "km/h",
    "hpa": "hPa", "mbar": "mbar", "pa": "Pa", "kpa": "kPa", "bar": "bar", "mws": "m[H2O]",
    "meter": "m", "metre": "m", "cm": "cm", "mm": "mm", "km": "km", "m³": "m3", "m3": "m3", "m²": "m2", "m2": "m2",
    "ha": "har",
    "m³/s": "m3/s", "m3/s": "m3/s", "l/s": "L/s", "l/min": "L/min", "m³/h": "m3/h", "m3/h": "m3/h", "liter": "L",
    "litre": "L",
    "kwh": "kWh", "mwh": "MWh", "wh": "Wh", "kw": "kW", "mw": "MW", "watt": "W", "w/m²": "W/m2", "w/m2": "W/m2",
    "j/cm²": "J/cm2",
    "volt": "V", "ampere": "A", "mv": "mV", "ma": "mA", "hz": "Hz", "lux": "lx", "lx": "lx", "klux": "klx",
    "grad": "deg", "°": "deg", "degree": "deg", "degrees": "deg", "sek": "s", "sekunden": "s", "seconds": "s",
    "sec": "s",
    "minuten": "min", "minutes": "min", "stunden": "h", "hours": "h", "tage": "d", "days": "d", "jahre": "a",
    "years": "a",
    "kg": "kg", "tonnen": "t", "µs/cm": "uS/cm", "us/cm": "uS/cm", "ms/cm": "mS/cm",
    "kfz/h": "{vehicle}/h", "fz/h": "{vehicle}/h", "veh/h": "{vehicle}/h", "kfz": "{vehicle}",
    "fahrzeuge": "{vehicle}",
    "personen": "{person}", "persons": "{person}", "plätze": "{space}", "spaces": "{space}",
    "anzahl": "1", "stück": "1", "stk": "1", "count": "1",
}  # fmt: skip
"""In small letters, as they stand in brackets. Letters that mean something else when they are large are below."""
_EXACT = {
    "C": "Cel",
    "K": "K",
    "F": "[degF]",
    "m": "m",
    "s": "s",
    "h": "h",
    "W": "W",
    "V": "V",
    "A": "A",
    "l": "L",
    "L": "L",
    "t": "t",
    "g": "g",
    "N": "N",
    "J": "J",
    "mW": "mW",
    "MW": "MW",
    "min": "min",
    "a": "a",
    "d": "d",
    "ha": "har",
}
_ENDINGS = {
    "degc": "Cel", "celsius": "Cel", "c": "Cel", "pct": "%", "percent": "%", "prozent": "%", "hpa": "hPa",
    "kpa": "kPa", "pa": "Pa",
    "mbar": "mbar", "mm": "mm", "cm": "cm", "m": "m", "km": "km", "kmh": "km/h", "ms": "m/s", "mps": "m/s",
    "ugm3": "ug/m3",
    "kwh": "kWh", "kw": "kW", "wh": "Wh", "w": "W", "v": "V", "lux": "lx", "ppm": "[ppm]", "ppb": "[ppb]",
    "deg": "deg",
    "µg/m³": "ug/m3", "µg/m3": "ug/m3", "ug/m3": "ug/m3", "m3": "m3", "m2": "m2", "l": "L", "sec": "s", "%": "%",
    "°c": "Cel",
    "m3s": "m3/s", "min": "min",
}  # fmt: skip
"""After the last ``_`` of a name."""
_BRACKETS = re.compile(r"[\(\[]\s*([^()\[\]]{1,20}?)\s*[\)\]]\s*\Z")
_IN = re.compile(r"\b(?:in|as)\s+(\S.{0,18})\Z", re.IGNORECASE)
_TRIPLE = re.compile(r"[_ ](ug|µg|mg)[_ ]?(?:per[_ ]?)?m(?:3|³)\Z", re.IGNORECASE)


def unit_of(name: str) -> tuple[str, Words]:
    """The unit (UCUM) that a column's name says, "" where it says none, and why."""
    text = name.strip()
    for pattern in (_BRACKETS, _IN):
        match = pattern.search(text)
        if match and (unit := as_ucum(match[1])):
            return unit, Words("The name says %(written)s.", {"written": match[1]})
    if match := _TRIPLE.search(text):
        return ("mg/m3" if match[1].lower() == "mg" else "ug/m3"), Words(
            "The name ends in %(written)s.", {"written": match[0]}
        )
    head, sign, ending = text.rpartition("_")
    if sign and head and ending.lower() in _ENDINGS and (len(ending) > 1 or _suits(head, _ENDINGS[ending.lower()])):
        return _ENDINGS[ending.lower()], Words("The name ends in %(written)s.", {"written": f"_{ending}"})
    last = text.rpartition(" ")[2]
    if " " in text and len(last) > 1 and (unit := SPELLINGS.get(last.lower(), "")) and unit not in ("1", "deg"):
        return unit, Words("The name ends in %(written)s.", {"written": last})
    return "", Words("")


def _suits(name: str, unit: str) -> bool:
    """Whether a quantity of that name is measured in that unit: a single letter says little by itself."""
    quantity = quantity_of(name)
    return quantity is not None and read_unit(quantity.unit).dimension == read_unit(unit).dimension


def bare_name(name: str) -> str:
    """A name without the unit that it says."""
    text = name.strip()
    for pattern in (_BRACKETS, _IN):
        match = pattern.search(text)
        if match and as_ucum(match[1]):
            return text[: match.start()].strip(" _-:,")
    if match := _TRIPLE.search(text):
        return text[: match.start()]
    head, sign, ending = text.rpartition("_")
    known = sign and head and ending.lower() in _ENDINGS
    return head if known and (len(ending) > 1 or _suits(head, _ENDINGS[ending.lower()])) else text


def as_ucum(written: str) -> str:
    """A unit as people write it in UCUM; "" for what is none."""
    text = " ".join(written.split()).rstrip(".")
    if text in UNCONVERTED:
        return text
    if text in _EXACT:
        return _EXACT[text]
    if text.lower() in SPELLINGS:
        return SPELLINGS[text.lower()]
    if not text or text.isdigit() or text in ("1", "l/h"):
        return ""
    try:
        read_unit(text)
    except InvalidInput:
        return ""
    return text if len(text) > 1 else ""
