"""The indexes of a process: made once however many ask, shared where all may know, never older than a description."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from django.conf import settings

from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.dataset import DatasetProfile, Organisation
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.web.catalogue.finding import Finder

CITY = Organisation(id="city", name="City")
INSIDER = Reader(name="user:insider", datasets=frozenset({"secret"}))


class Names:
    """A store that knows names, and how often it was asked; ``held`` keeps who asks waiting."""

    def __init__(self, held: threading.Event | None = None) -> None:
        self.asked = 0
        self._held = held
        self.known: dict[str, list[str]] = {}

    def names(self, reader: Reader, most: int) -> dict[str, list[str]]:
        self.asked += 1
        if self._held is not None:
            assert self._held.wait(20)
        return self.known


def entry(name: str, title: str, **more: Any) -> Entry:
    dataset = DatasetProfile(
        id=name, title={"de": title}, description={}, publisher="City", licence="CC0-1.0", attribution="", **more
    )
    return Entry(dataset=dataset, address="", publisher=CITY)


def catalogue(*entries: Entry) -> Catalogue:
    return Catalogue(
        root="", title={}, description={}, languages=("de",), publisher=CITY, contact=None, licence="", geocoding=(),
        contributor="", entries=entries, services=(), organisations={},
    )  # fmt: skip


TREES, SECRET = entry("trees", "Bäume"), entry("secret", "Geheimnisse", access="restricted")


def test_who_asks_at_the_same_time_waits_for_the_first() -> None:
    go = threading.Event()
    finder, store = Finder(), Names(go)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(finder.index, catalogue(TREES), store, ANONYMOUS) for _ in range(8)]
        go.set()
        found = {id(each.result(20)) for each in waiting}
    assert (len(found), finder.made, store.asked) == (1, 1, 1)


def test_a_changed_description_is_found_at_once_and_the_rest_is_kept() -> None:
    finder, store = Finder(), Names()
    many = [entry("d-0", "Quellwolken"), *(entry(f"d-{number}", "Karte") for number in range(1, 100))]
    before = finder.index(catalogue(*many), store, ANONYMOUS)
    changed = [entry("d-0", "Brunnen"), *many[1:]]
    after = finder.index(catalogue(*changed), store, ANONYMOUS)
    assert set(after.search("Brunnen").scores) == {"d-0"}
    assert not after.search("Quellwolken").scores
    assert after.search("Quellwolkn").instead == {}
    assert after._shelves[0] is before._shelves[0], "what did not change is not read again"
    assert len(after) == len(before) == 100
    fewer = finder.index(catalogue(*many[50:]), store, ANONYMOUS)
    assert len(fewer.search("").scores) == 50


def test_what_is_hidden_is_in_no_index_of_others() -> None:
    finder, store = Finder(), Names()
    inside = finder.index(catalogue(SECRET, TREES), store, INSIDER)
    outside = finder.index(catalogue(TREES), store, ANONYMOUS)
    assert set(inside.search("Geheimnis").scores) == {"secret"}
    assert not outside.search("Geheimnis").scores
    assert outside.search("Geheimniss").instead == {}
    assert inside._shelves[0] is outside._shelves[0], "what all may know of is kept once"


def test_what_was_open_is_no_longer_proposed_once_it_is_closed() -> None:
    finder, store = Finder(), Names()
    many = [entry(f"d-{number}", "Karte") for number in range(50)]
    once = entry("secret", "Geheimnisse")
    assert finder.index(catalogue(*many, once), store, ANONYMOUS).search("Geheimnis").scores
    closed = finder.index(catalogue(*many), store, ANONYMOUS)
    assert closed.search("Geheimniss") == closed.search("Unbekanntess")


def test_names_are_read_anew_when_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, store = Finder(), Names()
    finder.index(catalogue(TREES), store, ANONYMOUS)
    store.known = {"trees": ["Linde am Markt"]}
    assert not finder.index(catalogue(TREES), store, ANONYMOUS).search("Linde").scores
    monkeypatch.setattr(settings, "ALLMENDE", msgspec.structs.replace(settings.ALLMENDE, search_age=0))
    assert set(finder.index(catalogue(TREES), store, ANONYMOUS).search("Linde Baum").scores) == {"trees"}
    finder.index(catalogue(TREES), store, ANONYMOUS)
    assert (store.asked, finder.made) == (3, 2)


def test_the_indexes_of_many_readers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    finder, store = Finder(), Names()
    monkeypatch.setattr("allmende.web.catalogue.finding._KEPT", 3)
    readers = [Reader(name="user:x", datasets=frozenset({f"d-{number}"})) for number in range(6)]
    for reader in readers:
        finder.index(catalogue(TREES), store, reader)
    assert len(finder._places) == 3
    finder.index(catalogue(TREES), store, readers[-1])
    assert finder.made == 6
