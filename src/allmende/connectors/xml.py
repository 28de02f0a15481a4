"""Reading XML of others: no entities, no DTD, nothing from the network, and no more than a tree of moderate size."""

from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

from lxml import etree

from allmende.connectors.gathering import Refused
from allmende.connectors.markup import parse_xml
from allmende.domain.errors import InvalidInput

TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAMES: dict[str, str] = {}


def read_xml(body: bytes) -> etree._Element:
    """The root of a document. Raises InvalidInput for what is none, and for one with a DTD."""
    try:
        return parse_xml(body, bare=True)
    except Refused as refused:
        raise InvalidInput(refused.reason) from None


def name_of(element: etree._Element | None) -> str:
    """The name without its namespace; "" for none."""
    tag: Any = None if element is None else element.tag
    if not isinstance(tag, str):
        return ""
    found = _NAMES.get(tag)
    if found is None:
        found = tag.rpartition("}")[2]
        if len(_NAMES) < 10_000:  # a vocabulary, unless somebody makes names up
            _NAMES[tag] = found
    return found


def children(element: etree._Element) -> dict[str, etree._Element]:
    """The children by their names, of several with one name the first. Quicker than to find them one by one."""
    found: dict[str, etree._Element] = {}
    for child in element:
        found.setdefault(name_of(child), child)
    return found


def text_of(element: etree._Element | None) -> str:
    """Its text without blanks at the ends; "" for none."""
    return "" if element is None else (element.text or "").strip()


def type_of(element: etree._Element) -> str:
    """Its ``xsi:type`` without the prefix; "" for none."""
    return (element.get(TYPE) or "").rpartition(":")[2].strip()


def alone(element: etree._Element, *, without: str) -> bytes:
    """A document with this element alone, inside of copies of what is around it.

    What stands beside it is kept in its parent, but for others that are called ``without``.
    """
    kept = _copy(element)
    parent = element.getparent()
    if parent is not None:
        shell = _shell(parent)
        shell.extend(_copy(child) for child in parent if name_of(child) != without)
        shell.append(kept)
        kept, parent = shell, parent.getparent()
    while parent is not None:
        shell = _shell(parent)
        shell.append(kept)
        kept, parent = shell, parent.getparent()
    return etree.tostring(kept, encoding="utf-8")


def _shell(element: etree._Element) -> etree._Element:
    return etree.Element(element.tag, dict(element.attrib), nsmap=element.nsmap)


def _copy(element: etree._Element) -> etree._Element:
    copied = deepcopy(element)
    copied.tail = None
    return copied


def each(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Descendants of these names, whatever their namespace, in their order."""
    return element.iter(*_tags(names))


@lru_cache(maxsize=100)
def _tags(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{{*}}{name}" for name in names)
