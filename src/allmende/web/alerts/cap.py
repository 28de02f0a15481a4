"""Alerts as CAP 1.2 (OASIS Common Alerting Protocol, 1 July 2010), and an Atom index of them (CAP Feeds 1.0)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import shapely
from lxml import etree

from allmende.domain.alerts import PLAIN
from allmende.domain.profile import Profile
from allmende.domain.times import to_datetime
from allmende.web.alerts.events import Happening
from allmende.web.config import Config

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
_SEVERITY = {"minor": "Minor", "moderate": "Moderate", "severe": "Severe", "extreme": "Extreme"}
_MOST_CORNERS = 1_000
_TAGS = {"de": "de-DE", "en": "en-GB"}
Pairs = Iterator[tuple[str, Any]]


def identifier(event: Happening, *, over: bool | None = None) -> str:
    """The message's id: no spaces, commas, < and & (section 3.2.1); one for the beginning, one for the end."""
    ended = event.state == "over" if over is None else over
    return f"{event.id}.{event.ending or 'over'}" if ended else f"{event.id}.raised"


def as_cap(event: Happening, profile: Profile, config: Config, address: str) -> bytes:
    """One alert. What is over updates the message that told of it; what is not watched for any more cancels it."""
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _fill(root, _alert(event, profile, config))
    for language in profile.languages:
        _fill(etree.SubElement(root, f"{{{NAMESPACE}}}info"), _info(event, profile, language, address))
        _fill(etree.SubElement(root[-1], f"{{{NAMESPACE}}}area"), _area(event, profile))
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return made


def stamp(moment: int) -> str:
    """A time as CAP writes it: with an offset, and never Z (section 3.3.2)."""
    return to_datetime(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def _sender(profile: Profile, config: Config) -> str:
    host = urlsplit(config.public_url).hostname if config.public_url else None
    return host or f"{profile.id}.allmende.invalid"


def _alert(event: Happening, profile: Profile, config: Config) -> Pairs:
    """The elements of ``alert`` before ``info``, in the order of section 3.2.1."""
    sender = _sender(profile, config)
    yield "identifier", identifier(event)
    yield "sender", sender
    yield "sent", stamp(event.changed)
    yield "status", "Exercise" if event.simulated else "Actual"
    over = event.state == "over"
    yield "msgType", "Alert" if not over else "Update" if event.ending == "cleared" else "Cancel"
    yield "scope", "Public"
    if over:
        yield "references", f"{sender},{identifier(event, over=False)},{stamp(event.noted)}"


def _info(event: Happening, profile: Profile, language: str, address: str) -> Pairs:
    """The elements of ``info`` before ``area``, in the order of section 3.2.2."""
    over = event.state == "over"
    texts = {key: text for key, text in event.title.items() if key != PLAIN}
    yield "language", _TAGS.get(language, language)
    yield "category", event.category
    yield "event", event.text(texts, language)
    yield "responseType", "AllClear" if over else "Assess" if event.severity == "minor" else "Prepare"
    yield "urgency", "Past" if over else "Immediate"
    yield "severity", _SEVERITY.get(event.severity, "Unknown")
    foreseen = any("_ahead(" in name for name in event.reason.get("computed", {}))
    yield "certainty", "Likely" if foreseen else "Observed"
    yield "onset", stamp(event.since)
    if event.until is not None:
        yield "expires", stamp(event.until)
    yield "senderName", profile.catalogue.publisher or profile.name
    name = f": {event.thing_name}" if event.thing_name else ""
    yield "headline", f"{event.text(texts, language)}{name}"[:160]
    for tag, said in (("description", event.description), ("instruction", {} if over else event.advice)):
        if said:
            yield tag, event.text(said, language)
    yield "web", address
    for value in event.reason.get("values", ())[:10]:
        if value.get("value") is not None:
            yield "parameter", (str(value["name"]), f"{value['value']} {value.get('unit') or ''}".strip())


def _area(event: Happening, profile: Profile) -> Pairs:
    yield "areaDesc", event.thing_name or profile.name
    if event.place is None:
        return
    shape = shapely.from_geojson(msgspec.json.encode(event.place))
    if shape.geom_type == "Point":
        yield "circle", f"{shape.y:.6f},{shape.x:.6f} 0"
    else:
        hull = shape if shape.geom_type == "Polygon" else shape.convex_hull
        if hull.geom_type == "Polygon" and len(hull.exterior.coords) <= _MOST_CORNERS:
            yield "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat, *_ in hull.exterior.coords)


def _fill(parent: Any, pairs: Pairs) -> None:
    for tag, value in pairs:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
        if isinstance(value, tuple):
            etree.SubElement(child, f"{{{NAMESPACE}}}valueName").text = value[0]
            etree.SubElement(child, f"{{{NAMESPACE}}}value").text = value[1]
        else:
            child.text = clean(value)


def clean(text: str) -> str:
    """Without what XML cannot hold: a name may come from a device."""
    return "".join(sign for sign in str(text) if sign in "\t\n\r" or sign >= " ")


def moment(event: Happening) -> datetime:
    """When its newest message was sent."""
    return to_datetime(event.changed)
