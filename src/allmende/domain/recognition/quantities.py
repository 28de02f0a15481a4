"""The quantities that cities measure, and how their columns are called in German and English."""

from typing import Literal, NamedTuple


class Quantity(NamedTuple):
    """A quantity that cities measure."""

    id: str
    de: str
    en: str
    unit: str
    kind: Literal["measurement", "count"]
    pattern: str
    changing: bool = True
    """Whether it changes by the hour: a capacity does not."""


QUANTITIES = (
    Quantity(
        "soil-temperature", "Bodentemperatur", "Soil temperature", "Cel", "measurement", r"boden.?temp|soil.?temp"
    ),
    Quantity(
        "water-temperature", "Wassertemperatur", "Water temperature", "Cel", "measurement", r"wasser.?temp|water.?temp"
    ),
    Quantity("dew-point", "Taupunkt", "Dew point", "Cel", "measurement", r"taupunkt|dew.?point"),
    Quantity(
        "air-temperature",
        "Lufttemperatur",
        "Air temperature",
        "Cel",
        "measurement",
        r"temp(eratur(e)?)?\b|lufttemp|air.?temp|\btt\b|\bt2m\b",
    ),
    Quantity("soil-moisture", "Bodenfeuchte", "Soil moisture", "%", "measurement", r"boden.?feucht|soil.?moist"),
    Quantity(
        "air-humidity",
        "Luftfeuchte",
        "Air humidity",
        "%",
        "measurement",
        r"feuchte|feuchtigkeit|humidity|\brh\b|\brf\b|\bhum\b",
    ),
    Quantity(
        "rain-accumulation",
        "Niederschlag, aufsummiert",
        "Rain, accumulated",
        "mm",
        "measurement",
        r"niederschlag|regen|\brain|precip",
    ),
    Quantity(
        "air-pressure",
        "Luftdruck",
        "Air pressure",
        "hPa",
        "measurement",
        r"luftdruck|air.?press|\bpressure|barometer|\bdruck\b",
    ),
    Quantity("wind-gust", "Windböe", "Wind gust", "m/s", "measurement", r"wind.?b(ö|oe)e|gust|b(ö|oe)en?\b"),
    Quantity("wind-direction", "Windrichtung", "Wind direction", "deg", "measurement", r"wind.?(richtung|dir)"),
    Quantity("wind-speed", "Windgeschwindigkeit", "Wind speed", "m/s", "measurement", r"wind.?(geschw|speed)|\bwind\b"),
    Quantity(
        "water-level",
        "Wasserstand",
        "Water level",
        "cm",
        "measurement",
        r"wasserstand|pegel|water.?level|gauge.?height",
    ),
    Quantity("discharge", "Abfluss", "Discharge", "m3/s", "measurement", r"abfluss|durchfluss|discharge|\bflow\b"),
    Quantity("pm10", "Feinstaub PM10", "Particulate matter PM10", "ug/m3", "measurement", r"pm.?10\b|pm10"),
    Quantity("pm25", "Feinstaub PM2,5", "Particulate matter PM2.5", "ug/m3", "measurement", r"pm.?2[._, ]?5|feinstaub"),
    Quantity(
        "nitrogen-dioxide",
        "Stickstoffdioxid",
        "Nitrogen dioxide",
        "ug/m3",
        "measurement",
        r"\bno2\b|stickstoffdioxid|nitrogen.?dioxide",
    ),
    Quantity("ozone", "Ozon", "Ozone", "ug/m3", "measurement", r"\bo3\b|\bozone?\b"),
    Quantity("sulphur-dioxide", "Schwefeldioxid", "Sulphur dioxide", "ug/m3", "measurement", r"\bso2\b|schwefeldioxid"),
    Quantity(
        "carbon-dioxide",
        "Kohlendioxid",
        "Carbon dioxide",
        "[ppm]",
        "measurement",
        r"\bco2\b|kohlendioxid|carbon.?dioxide",
    ),
    Quantity(
        "sound-level", "Schallpegel", "Sound level", "dB", "measurement", r"schall|l(ä|ae)rm|noise|\bl?aeq\b|\bdba?\b"
    ),
    Quantity(
        "illuminance", "Beleuchtungsstärke", "Illuminance", "lx", "measurement", r"helligkeit|illumin|beleucht|\blux\b"
    ),
    Quantity("global-radiation", "Globalstrahlung", "Global radiation", "W/m2", "measurement", r"strahlung|radiation"),
    Quantity(
        "free-parking-spaces",
        "Freie Plätze",
        "Free parking spaces",
        "{space}",
        "count",
        r"\bfree\b|\bfrei(e)?\b|vacant|available.?spot|b pls rest|\brest\b|spaces.?free",
    ),
    Quantity(
        "occupied-parking-spaces",
        "Belegte Plätze",
        "Occupied parking spaces",
        "{space}",
        "count",
        r"occupied|belegt|\boccupancy\b|belegung",
    ),
    Quantity(
        "parking-capacity",
        "Plätze insgesamt",
        "Parking capacity",
        "{space}",
        "count",
        r"kapazit|capacity|stellpl(ä|ae)tze|total.?spot|max cap",
        False,
    ),
    Quantity(
        "bicycle-count",
        "Gezählte Fahrräder",
        "Bicycles counted",
        "{vehicle}",
        "count",
        r"fahrr(a|ä)d|radfahr|bicycle|\bbikes?\b|cyclist|radverkehr|\brad\b",
    ),
    Quantity(
        "pedestrian-count",
        "Gezählte Personen",
        "Persons counted",
        "{person}",
        "count",
        r"fu(ß|ss)g(ä|ae)nger|pedestrian|passant|personen|besucher|visitors|pax\b",
    ),
    Quantity(
        "vehicle-speed",
        "Mittlere Geschwindigkeit",
        "Mean speed",
        "km/h",
        "measurement",
        r"geschwindigkeit|speed|\bv85\b",
    ),
    Quantity(
        "vehicle-count",
        "Gezählte Fahrzeuge",
        "Vehicles counted",
        "{vehicle}",
        "count",
        r"\bkfz|\bpkw|\blkw|fahrzeuge|vehicles?\b|traffic.?(count|volume)|verkehrsst",
    ),
    Quantity("battery-level", "Ladestand", "Battery level", "%", "measurement", r"batterie|battery|ladestand|\bakku"),
    Quantity("energy", "Energie", "Energy", "kWh", "measurement", r"verbrauch|energie|energy|consumption|\bstrom\b"),
    Quantity("power", "Leistung", "Power", "kW", "measurement", r"leistung|\bpower\b"),
    Quantity("ph", "pH-Wert", "pH", "[pH]", "measurement", r"\bph\b|ph.?wert"),
)
"""Ids are those that the bundled connectors use, so that a city's quantities are one whoever measures them."""
