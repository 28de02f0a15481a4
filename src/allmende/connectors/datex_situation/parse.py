"""DATEX II SituationPublication, versions 2 and 3: a feature for each situation record.

Namespaces and prefixes are not looked at: the element names are enough, and versions differ in them.
"""

import re
from typing import Any, NamedTuple

from lxml import etree

from allmende.connectors.datex_situation.locations import geometry_of
from allmende.connectors.objects import Gathered, collection_of, nothing
from allmende.connectors.xml import alone, children, each, name_of, read_xml, text_of, type_of
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Feature, Parsed
from allmende.domain.times import parse_instant

TITLE = {"de": "Baustellen und Verkehrslage", "en": "Roadworks and traffic situations"}
RECORD = "situationRecord"
LOCATIONS = frozenset({"groupOfLocations", "locationReference"})
DROPPED = frozenset({"nonGeneralPublicComment", "situationRecordExtension", "situationRecordCreationReference"})
"""Notes between authorities, and what only one publisher understands."""
PLAIN = {
    "situationRecordCreationTime": "created",
    "situationRecordVersionTime": "changed",
    "probabilityOfOccurrence": "probability",
    "severity": "severity",
}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?\Z", re.ASCII)
_WORDS = {"true": True, "false": False}


class _Around(NamedTuple):
    """What a situation says of all of its records."""

    situation: str
    severity: str
    public: bool


def parse(payload: Payload, source: Source) -> Parsed:
    """Situation records as features. Settings: ``types`` (names of record types; empty: all), ``confidential``."""
    try:
        root = read_xml(payload.body)
    except InvalidInput as error:
        return nothing(payload, str(error))
    if not _is_publication(root):
        return nothing(payload, "this is no SituationPublication", "no-situations")
    gathered = Gathered(collection_of(source, title=TITLE))
    chosen = frozenset(map(str, source.settings.get("types") or ()))
    around: dict[etree._Element | None, _Around] = {}
    for record in each(root, RECORD):
        situation = record.getparent()
        if name_of(situation) == RECORD:
            continue  # it is a part of a record that is none: who may see it was said around that
        known = around.get(situation)
        if known is None:
            known = around[situation] = _around(situation)
        if not known.public and source.settings.get("confidential") is not True:
            continue
        if chosen and type_of(record) not in chosen:
            continue
        _read(record, known, payload, source, gathered)
    return gathered.parsed()


def _is_publication(root: etree._Element) -> bool:
    if next(each(root, "situation"), None) is not None:
        return True
    publications = (root, *each(root, "payloadPublication", "payload", "situationPublication"))
    return any("situationpublication" in (type_of(found) + name_of(found)).lower() for found in publications)


def _around(situation: etree._Element | None) -> _Around:
    if situation is None:
        return _Around("", "", True)
    said = children(situation)
    header = said.get("headerInformation")
    secrecy = None if header is None else children(header).get("confidentiality")
    # Version 3 need not say it. An empty word is none that we know.
    public = secrecy is None or text_of(secrecy) == "noRestriction"
    return _Around((situation.get("id") or "").strip(), text_of(said.get("overallSeverity")), public)


def _read(record: etree._Element, around: _Around, payload: Payload, source: Source, gathered: Gathered) -> None:
    name = (record.get("id") or "").strip()
    try:
        if not name:
            raise InvalidInput("the record has no id")
        feature = _feature(name, record, around, source)
    except InvalidInput as error:
        where = f"line {payload.line + (record.sourceline or 1) - 1}"
        gathered.reject(str(error), alone(record, without=RECORD), code="bad-record", where=where, name=name)
        return
    gathered.add(feature, lambda: alone(record, without=RECORD))


def _feature(name: str, record: etree._Element, around: _Around, source: Source) -> Feature:
    said: dict[str, Any] = {"type": type_of(record), "situation": around.situation, "severity": around.severity}
    details: dict[str, Any] = {}
    comments: list[etree._Element] = []
    locations: list[etree._Element] = []
    span: tuple[int | None, int | None] = (None, None)
    for child in record:
        tag = name_of(child)
        if tag in LOCATIONS:
            locations.append(child)
        elif tag == "validity":
            span = _validity(child, said)
        elif tag == "generalPublicComment":
            comments += each(child, "value")
        elif tag == "source":
            said["source"] = _words(child, "sourceName", source.language)
        elif tag in PLAIN:
            said[PLAIN[tag]] = text_of(child)
        elif tag not in DROPPED:
            _flatten(child, details)
    said["comment"] = _in_language(comments, source.language)
    said["roads"] = _roads(locations, source.language)
    said["version"] = (record.get("version") or "").strip()
    properties = {key: value for key, value in said.items() if value}
    return Feature(
        id=name,
        geometry=geometry_of(locations),
        properties={**properties, **{key: value for key, value in details.items() if key not in properties}},
        valid_from=span[0],
        valid_to=span[1],
    )


def _validity(validity: etree._Element, said: dict[str, Any]) -> tuple[int | None, int | None]:
    inner = children(validity)
    said["validity"] = text_of(inner.get("validityStatus"))
    specification = inner.get("validityTimeSpecification")
    if specification is None:
        return None, None
    periods = []
    for period in specification:
        if name_of(period) == "validPeriod":
            times = children(period)
            periods.append([text_of(times.get("startOfPeriod")), text_of(times.get("endOfPeriod"))])
    known = children(specification)
    ends = [known.get("overallStartTime"), known.get("overallEndTime")]
    if periods and periods != [[text_of(end) for end in ends]]:
        said["periods"] = periods
    start, end = (parse_instant(text_of(found)) if found is not None else None for found in ends)
    return start, end


def _words(element: etree._Element, name: str, language: str) -> str:
    found = children(element).get(name)
    return "" if found is None else _in_language(list(each(found, "value")), language)


def _in_language(values: list[etree._Element], language: str) -> str:
    """The texts in a language; else those that name none; else those of the first that is named."""
    by_language: dict[str, list[str]] = {}
    for value in values:
        if text := text_of(value):
            by_language.setdefault((value.get("lang") or "")[:2].lower(), []).append(text)
    for wanted in (language, "", *by_language):
        if wanted in by_language:
            return "\n".join(dict.fromkeys(by_language[wanted]))
    return ""


def _roads(locations: list[etree._Element], language: str) -> list[str]:
    found: dict[str, None] = {}
    for location in locations:
        for element in each(location, "roadNumber", "roadName", "descriptor"):
            text = text_of(element) or _in_language(list(each(element, "value")), language)
            if text:
                found[text] = None
    return sorted(found)


def _flatten(element: etree._Element, into: dict[str, Any], name: str = "") -> None:
    """Leaves by their names, numbers and truth values as such; one that comes several times is a list."""
    if not len(element):
        text = text_of(element)
        if text:
            _put(into, name or name_of(element), _typed(text))
        return
    for child in element:
        inner = name_of(child)
        # <x><values><value>: the text is that of x
        _flatten(child, into, name or name_of(element) if inner in ("values", "value") else "")


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    if name not in into:
        into[name] = value
    elif isinstance(into[name], list):
        if value not in into[name]:
            into[name].append(value)
    elif into[name] != value:
        into[name] = [into[name], value]


def _typed(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.match(text):
        return float(text) if "." in text else int(text)
    return text
