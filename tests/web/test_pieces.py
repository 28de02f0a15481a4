"""Messages that came together are one batch where that changes nothing."""

import msgspec
from tests.web.simple import EPOCH, city, lines, make_intake, payload

from allmende.domain.times import SECOND
from allmende.web.pieces import ROWS, put_together


def read(intake, *bodies: bytes, source: str = "feed") -> list:
    return [intake.read(intake.sources[source], payload(body)) for body in bodies]


def shape(batches) -> list[list[str]]:
    return [[series.stream for series in batch.series] for batch in batches]


def test_neighbours_become_one(tmp_path):
    intake = make_intake(tmp_path)
    [one] = put_together(read(intake, lines("a,1,5"), lines("b,1,5", "c,1,5")))
    assert shape([one]) == [["a", "b", "c"]]
    assert [d.stream for d in one.declarations] == ["a", "b", "c"]


def test_a_stream_that_says_something_later_stays_in_it(tmp_path):
    intake = make_intake(tmp_path)
    given = read(intake, lines("a,1,5"), lines("b,1,5"), lines("a,2,6"), lines("a,3,-7", "b,2,5"))
    given[3].series[0].flags = ["odd"]
    before = [msgspec.structs.astuple(batch) for batch in given]
    [one] = put_together(given)
    assert [(s.stream, [t // SECOND - EPOCH for t in s.times], s.results, s.flags) for s in one.series] == [
        ("a", [1, 2, 3], [5, 6, -7], ["", "", "odd"]),
        ("b", [1, 2], [5, 5], None),
    ]
    assert [msgspec.structs.astuple(batch) for batch in given] == before


def test_a_stream_that_says_the_same_time_again_begins_another(tmp_path):
    intake = make_intake(tmp_path)
    found = put_together(read(intake, lines("a,1,5"), lines("b,1,5"), lines("a,1,6"), lines("c,1,5")))
    assert shape(found) == [["a", "b"], ["a", "c"]]
    found = put_together(read(intake, lines("a,2,5"), lines("a,1,6")))
    assert shape(found) == [["a"], ["a"]]


def test_what_is_more_than_readings_stays_by_itself(tmp_path):
    intake = make_intake(tmp_path)
    found = put_together(read(intake, lines("a,1,5"), lines("b,1,5", "nonsense"), lines("c,1,5"), lines("d,1,5")))
    assert shape(found) == [["a"], ["b"], ["c", "d"]]


def test_sources_are_put_apart_only_where_they_share_no_stream(tmp_path):
    intake = make_intake(tmp_path, profile=city(one={}, two={}))
    first, third = read(intake, lines("a,1,5"), lines("b,1,5"), source="one")
    [second] = read(intake, lines("c,1,5"), source="two")
    assert shape(put_together([first, second, third])) == [["a", "b"], ["c"]]
    [same] = read(intake, lines("b,1,5"), source="two")
    assert shape(put_together([first, same, third])) == [["a"], ["b"], ["b"]]


def test_nothing_grows_beyond_a_transaction(tmp_path):
    intake = make_intake(tmp_path)
    many = lines(*(f"a,{second},5" for second in range(ROWS - 1)))
    found = put_together(read(intake, many, lines("b,1,5"), lines("c,1,5")))
    assert shape(found) == [["a", "b"], ["c"]]


def test_the_last_one_s_time_of_receipt_is_that_of_all(tmp_path):
    intake = make_intake(tmp_path)
    first, second = read(intake, lines("a,1,5"), lines("b,1,5"))
    later = msgspec.structs.replace(second, received_at=second.received_at + 1)
    [one] = put_together([first, later])
    assert one.received_at == later.received_at
