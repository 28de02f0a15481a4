"""Readings of many streams in one batch: the new ones go in together, and each counts as if it had come alone."""

from typing import Any

from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.support import HOUSE, batch


def series(stream: str, *pairs: tuple[int, Any], flags: list[str] | None = None) -> Series:
    return Series(stream=stream, times=[t for t, _ in pairs], results=[r for _, r in pairs], flags=flags)


def kept(store: Store, stream: str) -> list[tuple[int, Any, str]]:
    points = store.points(HOUSE, stream, -(2**62), 2**62)
    return list(zip(points.times, points.results, points.flags, strict=True))


def test_new_ones_together_with_those_that_repeat_and_correct(store: Store) -> None:
    long = ["x" * 3_000]
    first = store.append(batch(series("a", (1, 5), (2, 6)), series("b", (1, 0.5)), series("c", (1, long))))
    assert (first.accepted, first.repeated, first.corrected) == (4, 0, 0)
    before = store.newest_change()
    second = store.append(
        batch(
            series("a", (2, 6), (3, 7)),
            series("b", (2, "dark"), (3, True), flags=["", "late"]),
            series("c", (1, ["y"])),
            series("d", (9, None)),
            series("d", (9, None), (8, 1)),
        )
    )
    assert (second.accepted, second.repeated, second.corrected) == (5, 2, 1)
    assert kept(store, "a") == [(1, 5, ""), (2, 6, ""), (3, 7, "")]
    assert kept(store, "b") == [(1, 0.5, ""), (2, "dark", ""), (3, True, "late")]
    assert kept(store, "c") == [(1, ["y"], "")]
    assert kept(store, "d") == [(8, 1, ""), (9, None, "")]
    changes = store.changes(before, 100)
    assert sorted((c.stream, c.kind, c.start, c.end) for c in changes) == [
        ("a", "append", 3, 3),
        ("b", "append", 2, 3),
        ("c", "correction", 1, 1),
        ("d", "append", 8, 8),
        ("d", "append", 9, 9),
    ]
    assert [change.number for change in changes] == sorted({change.number for change in changes})
    states = {found.stream: (found.start, found.result, found.count) for found in store.latest(HOUSE)}
    assert states == {"a": (3, 7, 3), "b": (3, True, 3), "c": (1, ["y"], 1), "d": (9, None, 2)}
