"""VDV 301 as XML and as JSON, made one: names with plain values.

Both wrap every value (``<TripRef><Value>70546</Value></TripRef>``, ``{"Value": 70546}``), texts with a language beside
it. What can be there more than once is a list in JSON always, in XML where it is.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from lxml import etree

from allmende.connectors.markup import parse_xml
from allmende.connectors.messages import Refused, read_json

_DEEPEST = 12
_MOST = 20_000
_DATA = ("TimeStamp", "Latitude")
_OF_CREW = frozenset(
    {"RunNumber", "PatternNumber", "TripRef", "DriverNumber", "DriverRef", "InPanic", "SpeedOverGround"}
    | {"TrackDegreeTrue", "TrackDegreeMagnetic"}
)


class Document(NamedTuple):
    """A message: what it is called (element or eClass, and the names in it), and what it says."""

    kind: str
    whole: Any


def read_document(body: bytes) -> Document:
    """The message with plain values. Raises Refused."""
    begun = body.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1]
    if begun == b"<":
        root = _root(body)
        kind, whole = etree.QName(root).localname, _of_element(root, _DEEPEST)
    else:
        raw = read_json(body)
        kind = str(raw.get("eClass", "")) if isinstance(raw, Mapping) else ""
        whole = _of_json(raw, _DEEPEST)
    names = " ".join(whole) if isinstance(whole, dict) else ""
    return Document(f"{kind} {names}", whole)


def find_data(document: Document) -> dict[str, Any]:
    """The part that bears a time or a place. Raises Refused."""
    found = _find(document.whole, 3)
    if found is None:
        raise Refused("unknown-message", "neither TimeStamp nor Latitude stand in it")
    return found


def nameless(document: Document) -> bytes:
    """The message as JSON, without what tells of the driver; it comes to the same rejection."""
    return msgspec.json.encode(_without(document.whole))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if key not in _OF_CREW}
    return [_without(item) for item in value] if isinstance(value, list) else value


def _root(body: bytes) -> etree._Element:
    try:
        root = parse_xml(body)
    except Refused as refused:
        # one word for all whose bytes are not kept
        raise Refused("unreadable", refused.reason) from None
    if sum(1 for _ in root.iter()) > _MOST:
        raise Refused("unreadable", f"the document has more than {_MOST} elements")
    return root


def _of_element(element: etree._Element, depth: int) -> Any:
    children = [child for child in element if isinstance(child.tag, str)]
    if not children or depth == 0:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in children:
        name, value = etree.QName(child).localname, _of_element(child, depth - 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return _unwrapped(found)


def _of_json(value: Any, depth: int) -> Any:
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return _unwrapped({str(key): _of_json(item, depth - 1) for key, item in value.items()})
    if isinstance(value, list):
        return [_of_json(item, depth - 1) for item in value[:_MOST]]
    return value


def _unwrapped(found: dict[str, Any]) -> Any:
    return found["Value"] if "Value" in found and found.keys() <= {"Value", "Language", "eClass", "_type"} else found


def _find(value: Any, depth: int) -> dict[str, Any] | None:
    """The outermost object that bears a time or a place."""
    if not isinstance(value, dict):
        return None
    if any(key in value for key in _DATA):
        return value
    inner = (_find(item, depth - 1) for item in value.values()) if depth else ()
    return next((found for found in inner if found is not None), None)


def first(value: Any) -> Any:
    """The first of what may be there more than once, e.g. a name in several languages."""
    return (value[0] if value else None) if isinstance(value, list) else value


def within(value: Any, *names: str) -> Any:
    """What lies at the end of these names, each the first of its kind; None where there is nothing."""
    for name in names:
        value = first(value)
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return first(value)
