"""Mutations of XML documents (see :mod:`allmende.connectors.mutations`)."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

from lxml import etree

Made = tuple[str, bytes, bool]
Wrong = Callable[..., Iterator[tuple[str, str, bool]]]
LEAVES = 40
REPEATS = 1500
DEPTH = 8_000
_BOMB = b'<!DOCTYPE a [<!ENTITY x "yyyyyyyyyy">%s]>' % b"".join(
    b'<!ENTITY x%d "%s">' % (level, b"&x%s;" % (b"%d" % (level - 1) if level else b"") * 10) for level in range(9)
)


def mutate_xml(body: bytes, random: Random, wrong: Wrong) -> Iterator[Made]:
    """Name, body, told."""
    root = etree.fromstring(body, etree.XMLParser(remove_comments=True, resolve_entities=False))
    begun = f"<{root.tag}" if not root.tag.startswith("{") else f"<{etree.QName(root).localname}"
    plain = etree.tostring(root)
    yield "twice in a row", plain + plain, True
    yield "an entity that grows", _BOMB + b"<a>&x8;</a>", True
    yield "an entity of a file", b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/hostname">]><a>&f;</a>', True
    yield "an entity in the document", b'<!DOCTYPE x [<!ENTITY e "7">]>' + plain, True
    yield "a deep document", b"<a>" * DEPTH + b"</a>" * DEPTH, True
    yield "a deep beginning", begun.encode() + b"><b>" * DEPTH, True
    yield "an unknown prefix", plain.replace(b"<", b"<q:").replace(b"<q:/", b"</q:").replace(b"<q:!", b"<!"), True
    yield "encoded otherwise", etree.tostring(root, encoding="utf-16"), False
    yield "declared otherwise", b'<?xml version="1.0" encoding="utf-16"?>' + plain, False
    yield "declared as nothing known", b'<?xml version="1.0" encoding="x-none"?>' + plain, True
    yield "with processing instructions", b"<?xml-stylesheet href='a'?>" + plain, False
    yield "with comments", _changed(root, _add_comments), False
    yield "all children in reverse", _changed(root, _reverse), False
    yield "all of several twice", _changed(root, _double), False
    yield "all of several many times", _changed(root, _repeat), False
    yield "unknown elements", _changed(root, _add_unknown), False
    yield "texts in CDATA", _changed(root, _as_cdata), False
    yield "blanks around texts", _changed(root, _pad), False
    elements = [place for place, element in enumerate(root.iter()) if isinstance(element.tag, str)]
    for place in _drawn(elements[1:], random):
        tag = etree.QName(_at(root, place)).localname
        yield f"<{tag}> {place} renamed", _changed(root, _rename, place), False
        yield f"<{tag}> {place} left out", _changed(root, _leave_out, place), False
        yield f"<{tag}> {place} emptied", _changed(root, _empty, place), False
        yield f"<{tag}> {place} within itself", _changed(root, _nest, place), False
    yield from _texts(root, random, wrong)


def _texts(root: etree._Element, random: Random, wrong: Wrong) -> Iterator[Made]:
    places: list[tuple[int, str]] = []
    for place, element in enumerate(root.iter()):
        if isinstance(element.tag, str):
            if (element.text or "").strip() and not len(element):
                places.append((place, ""))
            places += [(place, str(name)) for name in element.attrib]
    for place, name in _drawn(places, random):
        element = _at(root, place)
        shown = etree.QName(element).localname + (f"@{name}" if name else "")
        before = element.get(name, "") if name else (element.text or "").strip()
        for why, text, told in wrong(before, quoted=False):
            # an attribute may be anything to the parser; an element's number or time is one
            yield f"{shown} {place}: {why}", _changed(root, _put, place, name, text), told and not name


def _drawn(items: list, random: Random) -> list:  # type: ignore[type-arg]  # of places, with or without names
    return items if len(items) <= LEAVES else random.sample(items, LEAVES)


def _at(root: etree._Element, place: int) -> etree._Element:
    return next(element for index, element in enumerate(root.iter()) if index == place)


def _changed(root: etree._Element, change: Callable[..., None], *arguments: object) -> bytes:
    copy = deepcopy(root)
    change(copy, *arguments)
    return etree.tostring(copy, encoding="utf-8")


def _rename(root: etree._Element, place: int) -> None:
    element = _at(root, place)
    element.tag = f"{element.tag}New"


def _leave_out(root: etree._Element, place: int) -> None:
    element = _at(root, place)
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _empty(root: etree._Element, place: int) -> None:
    element = _at(root, place)
    tail = element.tail
    element.clear()
    element.tail = tail


def _nest(root: etree._Element, place: int) -> None:
    element = _at(root, place)
    inner = deepcopy(element)
    inner.tail = None
    _empty(root, place)
    element.append(inner)


def _put(root: etree._Element, place: int, name: str, text: str) -> None:
    element = _at(root, place)
    if name:
        element.set(name, text)
    else:
        element.text = text


def _lists(root: etree._Element) -> Iterator[tuple[etree._Element, list[etree._Element]]]:
    """Children of one name, of which there are several or which have children of their own."""
    for parent in list(root.iter()):
        by_tag: dict[str, list[etree._Element]] = {}
        for child in parent:
            if isinstance(child.tag, str):
                by_tag.setdefault(child.tag, []).append(child)
        yield from ((parent, same) for same in by_tag.values() if len(same) > 1)


def _double(root: etree._Element) -> None:
    for parent, same in _lists(root):
        for child in same:
            parent.append(deepcopy(child))


def _repeat(root: etree._Element) -> None:
    for parent, same in _lists(root):
        for _ in range(REPEATS // len(same)):
            for child in same:
                parent.append(deepcopy(child))
        return


def _reverse(root: etree._Element) -> None:
    for element in list(root.iter()):
        element[:] = reversed(element[:])


def _add_comments(root: etree._Element) -> None:
    for element in list(root.iter()):
        element.insert(0, etree.Comment(" 7 "))


def _add_unknown(root: etree._Element) -> None:
    for element in list(root.iter()):
        if len(element):
            etree.SubElement(element, "zzUnknown").text = "7"


def _as_cdata(root: etree._Element) -> None:
    for element in root.iter():
        if isinstance(element.tag, str) and element.text and not len(element):
            element.text = etree.CDATA(element.text)


def _pad(root: etree._Element) -> None:
    for element in root.iter():
        if isinstance(element.tag, str) and element.text and not len(element):
            element.text = f"\n  {element.text}\t"
