"""XML of strangers: no entity is resolved, no DTD loaded, no address followed, and a document with a DTD is refused.

Namespaces and prefixes are not looked at: the names of elements are enough, and feeds of one standard differ in them.
"""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from allmende.connectors.gathering import Refused


def parse_xml(body: bytes, *, bare: bool = False) -> etree._Element:
    """The root of a document that fits into memory, ``bare`` of comments and instructions.

    Raises Refused for what is no XML or has a DTD.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=bare, remove_pis=bare,
    )  # fmt: skip
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused("unreadable", f"this is no XML: {error}") from None
    refuse_dtd(root)
    return root


def elements(stream: BinaryIO, *names: str) -> Iterator[etree._Element]:
    """The elements of these names, one after the other, in constant memory: each is forgotten before the next is read.

    None of them may lie inside of another one. Raises Refused where the document breaks off or has a DTD; what came
    before stands.
    """
    wanted = set(names)
    inside = 0
    events = etree.iterparse(
        stream,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
    )
    try:
        for event, element in events:
            chosen = local(element) in wanted
            if event == "start":
                if not inside and element.getparent() is None:
                    refuse_dtd(element)
                inside += chosen
                continue
            if chosen:
                yield element
                inside -= 1
            if not inside:
                element.clear(keep_tail=False)
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused("unreadable", f"this is no XML: {error}") from None


def refuse_dtd(root: etree._Element) -> None:
    """Raise Refused where the document has a DTD."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("doctype", "the document has a DTD, which is not taken")


def local(element: etree._Element | None) -> str:
    """The name without its namespace; "" for a comment and for nothing."""
    return etree.QName(element).localname if element is not None and isinstance(element.tag, str) else ""


def content(element: etree._Element | None) -> str:
    """The text directly inside, trimmed; "" for nothing."""
    return "" if element is None else (element.text or "").strip()


def find(element: etree._Element, *path: str) -> etree._Element | None:
    """The first element down a path of names."""
    found: etree._Element | None = element
    for name in path:
        found = None if found is None else next((child for child in found if local(child) == name), None)
    return found
