"""The quantities that cities measure, and how their columns are called in German and English."""

from typing import Literal, NamedTuple


class Quantity(NamedTuple):
    """A quantity that cities measure."""

    id: str
    de: str
    en: str
    unit: str
    pattern: str
    """How columns of it are called."""
    kind: Literal["measurement", "count"] = "measurement"
    changing: bool = True
    """Whether it changes by the hour: a capacity does not."""


QUANTITIES = (
    Quantity("soil-temperature", "Bodentemperatur", "Soil temperature", "Cel", r"boden.?temp|soil.?temp"),
    Quantity("water-temperature", "Wassertemperatur", "Water temperature", "Cel", r"wasser.?temp|water.?temp"),
    Quantity("dew-point", "Taupunkt", "Dew point", "Cel", r"taupunkt|dew.?point"),
    Quantity(
        "air-temperature",
        "Lufttemperatur",
        "Air temperature",
        "Cel",
        r"temp(eratur(e)?)?\b|lufttemp|air.?temp|\btt\b|\bt2m\b",
    ),
    Quantity("soil-moisture", "Bodenfeuchte", "Soil moisture", "%", r"boden.?feucht|soil.?moist"),
    Quantity(
        "air-humidity", "Luftfeuchte", "Air humidity", "%", r"feuchte|feuchtigkeit|humidity|\brh\b|\brf\b|\bhum\b"
    ),
    Quantity(
        "rain-accumulation", "Niederschlag, aufsummiert", "Rain, accumulated", "mm", r"niederschlag|regen|\brain|precip"
    ),
    Quantity(
        "air-pressure", "Luftdruck", "Air pressure", "hPa", r"luftdruck|air.?press|\bpressure|barometer|\bdruck\b"
    ),
    Quantity("wind-gust", "Windböe", "Wind gust", "m/s", r"wind.?b(ö|oe)e|gust|b(ö|oe)en?\b"),
    Quantity("wind-direction", "Windrichtung", "Wind direction", "deg", r"wind.?(richtung|dir)"),
    Quantity("wind-speed", "Windgeschwindigkeit", "Wind speed", "m/s", r"wind.?(geschw|speed)|\bwind\b"),
    Quantity("water-level", "Wasserstand", "Water level", "cm", r"wasserstand|pegel|water.?level|gauge.?height"),
    Quantity("discharge", "Abfluss", "Discharge", "m3/s", r"abfluss|durchfluss|discharge|\bflow\b"),
    Quantity("pm10", "Feinstaub PM10", "Particulate matter PM10", "ug/m3", r"pm.?10\b|pm10"),
    Quantity("pm25", "Feinstaub PM2,5", "Particulate matter PM2.5", "ug/m3", r"pm.?2[._, ]?5|feinstaub"),
    Quantity(
        "nitrogen-dioxide",
        "Stickstoffdioxid",
        "Nitrogen dioxide",
        "ug/m3",
        r"\bno2\b|stickstoffdioxid|nitrogen.?dioxide",
    ),
    Quantity("ozone", "Ozon", "Ozone", "ug/m3", r"\bo3\b|\bozone?\b"),
    Quantity("sulphur-dioxide", "Schwefeldioxid", "Sulphur dioxide", "ug/m3", r"\bso2\b|schwefeldioxid"),
    Quantity("carbon-dioxide", "Kohlendioxid", "Carbon dioxide", "[ppm]", r"\bco2\b|kohlendioxid|carbon.?dioxide"),
    Quantity("sound-level", "Schallpegel", "Sound level", "dB", r"schall|l(ä|ae)rm|noise|\bl?aeq\b|\bdba?\b"),
    Quantity("illuminance", "Beleuchtungsstärke", "Illuminance", "lx", r"helligkeit|illumin|beleucht|\blux\b"),
    Quantity("global-radiation", "Globalstrahlung", "Global radiation", "W/m2", r"strahlung|radiation"),
    Quantity(
        "free-parking-spaces",
        "Freie Plätze",
        "Free parking spaces",
        "{space}",
        r"\bfree\b|\bfrei(e)?\b|vacant|available.?spot|b pls rest|\brest\b|spaces.?free",
        "count",
    ),
    Quantity(
        "occupied-parking-spaces",
        "Belegte Plätze",
        "Occupied parking spaces",
        "{space}",
        r"occupied|belegt|\boccupancy\b|belegung",
        "count",
    ),
    Quantity(
        "parking-capacity",
        "Plätze insgesamt",
        "Parking capacity",
        "{space}",
        r"kapazit|capacity|stellpl(ä|ae)tze|total.?spot|max cap",
        "count",
        changing=False,
    ),
    Quantity(
        "bicycle-count",
        "Gezählte Fahrräder",
        "Bicycles counted",
        "{vehicle}",
        r"fahrr(a|ä)d|radfahr|bicycle|\bbikes?\b|cyclist|radverkehr|\brad\b",
        "count",
    ),
    Quantity(
        "pedestrian-count",
        "Gezählte Personen",
        "Persons counted",
        "{person}",
        r"fu(ß|ss)g(ä|ae)nger|pedestrian|passant|personen|besucher|visitors|pax\b",
        "count",
    ),
    Quantity("vehicle-speed", "Mittlere Geschwindigkeit", "Mean speed", "km/h", r"geschwindigkeit|speed|\bv85\b"),
    Quantity(
        "vehicle-count",
        "Gezählte Fahrzeuge",
        "Vehicles counted",
        "{vehicle}",
        r"\bkfz|\bpkw|\blkw|fahrzeuge|vehicles?\b|traffic.?(count|volume)|verkehrsst",
        "count",
    ),
    Quantity("battery-level", "Ladestand", "Battery level", "%", r"batterie|battery|ladestand|\bakku"),
    Quantity("energy", "Energie", "Energy", "kWh", r"verbrauch|energie|energy|consumption|\bstrom\b"),
    Quantity("power", "Leistung", "Power", "kW", r"leistung|\bpower\b"),
    Quantity("ph", "pH-Wert", "pH", "[pH]", r"\bph\b|ph.?wert"),
)
"""Ids are those that the bundled connectors use, so that a city's quantities are one whoever measures them."""
