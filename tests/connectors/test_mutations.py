"""The damage itself: that it finds what is wrong with a parser, and leaves a careful one alone."""

import csv
import io
import json

import pytest
from lxml import etree

from allmende.connectors.mutations import form_of, mutations
from allmende.connectors.testing import assert_withstands
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import (
    Declaration,
    Parsed,
    Property,
    Rejection,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.times import parse_instant

SOURCE = Source(id="s", connector="c", dataset="d")
JSON = b'{"id": "a1", "time": "2024-05-02T10:00:00Z", "level": 12.5, "list": [{"k": 1}, {"k": 2}]}'
TABLE = b"id;time;level\na1;2024-05-02T10:00:00+02:00;12,5\n"
XML = b"<all><one id='a1'><time>2024-05-02T10:00:00Z</time><level>12.5</level></one></all>"


def give(payload: Payload, points: list[tuple[str, int, object]], refused: list[str]) -> Parsed:
    records: list[Declaration | Series] = []
    for id_, time, value in points:
        records.append(
            Declaration(
                stream=id_,
                name=id_,
                thing=ThingDeclaration(id=id_, name=id_),
                sensor=SensorDeclaration(id="s", name="s"),
                observed_property=Property(id="p", name="p", definition="p"),
                unit=Unit("1", "1"),
                observation_type="any",
            )
        )
        records.append(Series(stream=id_, times=[time], results=[value]))
    return Parsed(records, [Rejection(reason=reason, body=payload.body) for reason in refused])


def careful(payload: Payload, source: Source) -> Parsed:
    try:
        found = json.loads(payload.body)
        if not isinstance(found["id"], str) or found["id"] != "a1":
            raise ValueError("no id")
        if isinstance(found["level"], bool) or not isinstance(found["level"], float):
            raise ValueError("no number")
        if not isinstance(found["time"], str):
            raise ValueError("no time")
        return give(payload, [(found["id"], parse_instant(found["time"]), found["level"])], [])
    except (ValueError, KeyError, TypeError, RecursionError, InvalidInput) as error:
        return give(payload, [], [str(error)])


def test_a_careful_parser_withstands() -> None:
    assert assert_withstands(careful, JSON, SOURCE) > 100


def parse_with(**change: object):  # type: ignore[no-untyped-def]
    """The careful parser with one carelessness."""

    def parse(payload: Payload, source: Source) -> Parsed:
        try:
            found = json.loads(payload.body)
        except (ValueError, RecursionError) as error:
            return give(payload, [], [str(error)] if "silent" not in change else [])
        try:
            value = found["level"]
            if "coerce" in change:
                value = float(value)
            elif isinstance(value, bool) or not isinstance(value, float):
                raise ValueError("no number")
            id_ = str(found["id"]) if "id" in change else found["id"]
            if "id" not in change and id_ != "a1":
                raise ValueError("no id")
            text = found["time"]
            if "zone" in change and isinstance(text, str) and len(text) == 19:
                text += "+02:00"
            if not isinstance(text, str):
                raise ValueError("no time")
            return give(payload, [(id_, parse_instant(text), value)], [])
        except Exception as error:
            if "raise" in change:
                raise
            return give(payload, [], [str(error)])

    return parse


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("silent", "lost without a word"),
        ("coerce", "does not say"),
        ("id", "does not say"),
        ("zone", "time without offset"),
        ("raise", "raised"),
    ],
)
def test_each_carelessness_is_found(change: str, word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        assert_withstands(parse_with(**{change: True}), JSON, SOURCE)


def test_a_flagged_reading_is_no_wrong_one() -> None:
    def parse(payload: Payload, source: Source) -> Parsed:
        parsed = careful(payload, source)
        if parsed.records:
            return parsed
        again = give(payload, [("a1", 1_714_644_000_000_000, 99.0)], [])
        again.records[1].flags = ["guessed"]  # type: ignore[union-attr]
        return Parsed(again.records, parsed.rejections)

    assert assert_withstands(parse, JSON, SOURCE)


def test_a_table_read_by_place_instead_of_by_name_is_found() -> None:
    def by_place(payload: Payload, source: Source) -> Parsed:
        points, refused = [], []
        for row in list(csv.reader(io.StringIO(payload.body.decode(errors="replace")), delimiter=";"))[1:]:
            try:
                points.append((row[0], parse_instant(row[1]), float(row[2].replace(",", "."))))
            except (ValueError, IndexError, InvalidInput) as error:
                refused.append(str(error))
        return give(payload, points, refused)

    with pytest.raises(AssertionError):
        assert_withstands(by_place, TABLE, SOURCE)


def test_xml_with_entities_is_found() -> None:
    def trusting(payload: Payload, source: Source) -> Parsed:
        try:
            one = etree.fromstring(payload.body).find("one")
            time, level = one.find("time").text, one.find("level").text  # type: ignore[union-attr]
            return give(payload, [("a1", parse_instant(time), float(level))], [])  # type: ignore[arg-type]
        except (etree.XMLSyntaxError, AttributeError, TypeError, ValueError, InvalidInput) as error:
            return give(payload, [], [str(error)])

    with pytest.raises(AssertionError):
        assert_withstands(trusting, XML, SOURCE)


def test_a_sample_without_content_proves_nothing() -> None:
    with pytest.raises(AssertionError, match="gives nothing"):
        assert_withstands(lambda payload, source: Parsed((), ()), JSON, SOURCE)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (JSON, "json"),
        (JSON + b"\n" + JSON, "ndjson"),
        (TABLE, "table"),
        (XML, "xml"),
        (b"21.5", "other"),
        (b"\xff\xfe", "other"),
        (b"{broken\n", "other"),
    ],
)
def test_forms_are_found_by_looking(body: bytes, form: str) -> None:
    assert form_of(body) == form
    made = list(mutations(body))
    assert made == list(mutations(body)), "a failure must come again"
    assert len({mutation.name for mutation in made}) == len(made)
    assert len(made) > (100 if form in ("json", "ndjson") else 40 if form in ("xml", "table") else 10)
