"""Framing: a stream becomes payloads; what is right is never cut, what is broken does not take the rest with it."""

import gzip
import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.framing import Framing, frames


def cut(body: bytes, framing: Framing, **options: int) -> list[tuple[int, bytes]]:
    payloads = frames(io.BytesIO(body), framing=framing, name="a file", received_at=7, **options)
    return [(payload.line, payload.body) for payload in payloads]


def test_lines_come_in_blocks_under_their_header() -> None:
    body = b"a,b\n1,2\n3,4\n5,6\n"
    assert cut(body, "lines", lines_per_block=2) == [(2, b"a,b\n1,2\n3,4\n"), (4, b"a,b\n5,6\n")]


@pytest.mark.parametrize("body", [b"a\r\n1\r\n2", b"\xef\xbb\xbfa\r\n1\r\n2\r\n"])
def test_windows_lines_a_byte_order_mark_and_a_missing_last_newline(body: bytes) -> None:
    [(line, block)] = cut(body, "lines")
    assert line == 2
    assert block.split() == [b"a", b"1", b"2"]


def test_blank_lines_before_the_header_count_as_lines() -> None:
    assert cut(b"\n\na\n1\n", "lines") == [(4, b"a\n1\n")]


def test_a_header_alone_is_shown_and_nothing_is_nothing() -> None:
    assert cut(b"a,b\n", "lines") == [(2, b"a,b\n")]
    assert cut(b"", "lines") == []


@pytest.mark.parametrize("body", [b"  <a/>\n<b/>", b'{\n"a": 1}', b"\n[1,\n2]"])
def test_a_document_is_no_table(body: bytes) -> None:
    assert cut(body, "lines", lines_per_block=1) == [(1, body)]


@given(st.lists(st.text("ab,", max_size=9), max_size=40), st.integers(1, 7))
def test_no_line_is_lost_or_doubled(lines: list[str], size: int) -> None:
    body = "\n".join(["head", *lines]).encode()
    got = [line for _, block in cut(body, "lines", lines_per_block=size) for line in block.split(b"\n")[1:-1]]
    want = body.split(b"\n")[1:]
    assert got == (want[:-1] if want and not want[-1] else want)


def test_gzip_is_known_by_its_magic_alone() -> None:
    assert cut(gzip.compress(b"a\n1\n"), "lines") == [(2, b"a\n1\n")]


def test_damaged_gzip_says_so() -> None:
    zipped = gzip.compress(random.Random(1).randbytes(100_000))
    for damaged in (zipped[:5000], zipped[:5000] + b"x" * 5000 + zipped[10_000:]):
        with pytest.raises(InvalidInput, match="damaged or cut off"):
            cut(damaged, "whole")


@pytest.mark.parametrize(
    ("framing", "body"), [("whole", b"x" * 101), ("lines", b"h\n" + b"x" * 600_000), ("json", b'["' + b"x" * 600_000)]
)
def test_a_payload_has_a_limit(framing: Framing, body: bytes) -> None:
    with pytest.raises(LimitExceeded, match="max_bytes"):
        cut(body, framing, max_bytes=100)


def test_the_callers_stream_stays_open() -> None:
    stream = io.BytesIO(b"a\n1\n2\n")
    next(frames(stream, framing="lines", name="", received_at=0, lines_per_block=1))
    list(frames(stream, framing="json", name="", received_at=0))
    assert not stream.closed


def test_one_document_stays_whole() -> None:
    document = json.dumps({"a": [{"b": '}]"\n{'}, {"c": []}], "d": {"e": None}}, indent=2).encode()
    assert cut(document, "json") == [(1, document)]


def test_unindented_documents_are_not_cut() -> None:
    document = b'{"a": [\n{"b": 1},\n{"c":\n{"d": 2}}\n]\n}'
    assert cut(document + b"\n" + document, "json") == [(1, document), (7, document)]


def test_one_payload_per_line_document_or_element() -> None:
    assert cut(b'{"a":1}\n\n{"b":2}{"c":3}', "json") == [(1, b'{"a":1}'), (3, b'{"b":2}'), (3, b'{"c":3}')]
    assert cut(b'[\n{"a":1},\n{"b":[2]}, 3\n]\n', "json") == [(2, b'{"a":1}'), (3, b'{"b":[2]}'), (3, b"3")]


@pytest.mark.parametrize(
    "broken",
    [b"not json", b'{"a": "cut off', b'{"a": 1, "b"', b'{"a": [1, 2', b'{"a": 1]}', b"}", b'"a', b'{"a": "x\\'],
)
def test_the_rest_goes_on_after_what_is_broken(broken: bytes) -> None:
    got = cut(b'{"n":1}\n' + broken + b'\n{"n":2}\n{"n":3}\n', "json")
    assert (1, b'{"n":1}') in got
    assert (4, b'{"n":3}') in got
    assert b"".join(body for _, body in got).replace(b"\n", b"") == b'{"n":1}' + broken + b'{"n":2}{"n":3}'


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('a"\\{}[],:\n é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('k"}', max_size=3), inner, max_size=3),
    max_leaves=8,
)


_documents = st.dictionaries(st.text("ab", max_size=2), _values, max_size=3)


@given(st.lists(_documents, max_size=5), st.sampled_from([None, 0, 2]))
def test_every_value_comes_back(values: list[object], indent: int | None) -> None:
    together = "\n".join(json.dumps(value, indent=indent, ensure_ascii=False) for value in values).encode()
    assert [json.loads(body) for _, body in cut(together, "json")] == values
    array = json.dumps(values, indent=indent).encode()
    assert [json.loads(body) for _, body in cut(array, "json")] == values


@given(st.binary(max_size=60) | st.text('{}[]",\\\n a1', max_size=60).map(str.encode))
def test_no_bytes_get_lost(body: bytes) -> None:
    blank = b" \t\r\n"
    kept = b"".join(part for _, part in cut(body, "json"))
    plain = body.removeprefix(b"\xef\xbb\xbf") if not body.startswith(b"\x1f\x8b") else None
    if plain is not None and not plain.lstrip(blank).startswith(b"["):
        assert kept.translate(None, blank) == plain.translate(None, blank)


def test_a_long_array_is_read_in_pieces() -> None:
    values = [{"n": number, "text": "x" * 500} for number in range(5000)]
    body = json.dumps(values).encode()
    assert [json.loads(part) for _, part in cut(body, "json", max_bytes=2000)] == values
