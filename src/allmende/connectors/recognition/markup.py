"""A document of XML: which bundled connector reads it."""

from lxml import etree

from allmende.connectors.recognition.documents import told
from allmende.connectors.xml import name_of, read_xml
from allmende.domain.errors import InvalidInput
from allmende.domain.recognition.model import Choice, Plan, Recognition, Words

_PARKING = (
    "parkingFacilityStatus",
    "parkingRecordStatus",
    "ParkingStatusPublication",
    "ParkingTablePublication",
    "parkingFacility",
    "parkingRecord",
    "parkingStatusPublication",
)
_SITUATIONS = ("situation", "situationRecord", "SituationPublication")
_LOOKED = 20_000


def of_xml(body: bytes, address: str) -> Recognition | None:
    """What it is; None for GML, which is read as objects. Raises InvalidInput for what is no XML."""
    root = read_xml(body)
    name = name_of(root)
    if name == "FeatureCollection":
        return None
    if name in ("WFS_Capabilities",):
        return _capabilities(root, address)
    if name in ("d2LogicalModel", "messageContainer", "payload", "payloadPublication"):
        return _datex(root)
    if name == "kml":
        return told("KML", "KML is not read; GeoJSON or GeoPackage are.")
    if name in ("html", "HTML"):
        return told("HTML", "It is a page for people; give the address of the file itself.")
    if name == "ServiceExceptionReport" or name == "ExceptionReport":
        return told("OGC", "The service answered with an error: check the address.")
    raise InvalidInput(f"this XML ({name[:60]}) is none that a bundled connector reads")


def _datex(root: etree._Element) -> Recognition:
    parking = situations = 0
    for place, element in enumerate(root.iter()):
        name = name_of(element)
        said = f"{name} {' '.join(value for key, value in element.attrib.items() if str(key).endswith('type'))}"
        parking += any(word in said for word in _PARKING)
        situations += any(word in said for word in _SITUATIONS)
        if place > _LOOKED:
            break
    if not parking and not situations:
        return told("DATEX II", "It holds neither parking nor situations, which are what is read.")
    connector, reason = ("datex_parking", "It tells of car parks in DATEX II.")
    if situations > parking:
        connector, reason = ("datex_situation", "It tells of roadworks and other situations in DATEX II.")
    plan = Plan(connector=connector, shape="other")
    return Recognition(
        what="DATEX II", connector=connector, confidence=0.95, reasons=(Words(reason),), plan=plan, interval="PT5M"
    )


def _capabilities(root: etree._Element, address: str) -> Recognition:
    """The feature types of a WFS (09-025r2, 8.3): one of them is chosen."""
    choices: list[Choice] = []
    formats: list[str] = []
    for element in root.iter():
        if name_of(element) == "FeatureType":
            texts = {name_of(child): (child.text or "").strip() for child in element}
            if texts.get("Name"):
                label = texts.get("Title") or texts["Name"]
                choices.append(Choice(key="type_names", value=texts["Name"], label=label[:200]))
        elif name_of(element) == "Value" and element.text and "json" in element.text.lower():
            formats.append(element.text.strip())
    base = {"service": "wfs", "output_format": formats[0] if formats else "application/gml+xml; version=3.2"}
    plan = Plan(connector="ogc_features", shape="objects", base=base)
    reason = Words("It is a WFS with %(count)s kinds of objects.", {"count": len(choices)})
    return Recognition(
        what="WFS", connector="ogc_features", confidence=0.95, reasons=(reason,), choices=tuple(choices), plan=plan,
        address=address.split("?")[0], interval="P1D",
    )  # fmt: skip
