"""Search over described datasets: forms of words, compounds, slips, order, figures and places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.dataset import DatasetProfile, Organisation
from allmende.domain.errors import InvalidQuery
from allmende.domain.search.datasets import Question, make_index, read_box, search
from allmende.domain.search.index import Index, highlight, read_question
from allmende.domain.search.shelf import Document, Part, Shelf
from allmende.domain.search.words import distance, fold, slips, stem

TEXTS = {
    "counters": "Fahrradzählstellen",
    "parking": "Parkplätze mit freien Stellplätzen",
    "trees": "Baumkataster der Stadt Jena",
    "houses": "Häuser und Straßen",
    "bikes": "Zählstellen für Fahrräder",
    "water": "Wasserstände der Saale",
}


def index_of(texts: dict[str, str], language: str = "de", weight: float = 1.0) -> Index:
    return Index(Shelf([Document(key, (Part(weight, text, language),)) for key, text in texts.items()]))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("Parkplatz", {"parking"}),
        ("parkplaetze", {"parking"}),
        ("PARKPLATZE", {"parking"}),
        ("Haus", {"houses"}),
        ("strasse", {"houses"}),
        ("Fahrrad", {"counters", "bikes"}),
        ("zählstelle", {"counters", "bikes"}),
        ("Zaehlstellen", {"counters", "bikes"}),
        ("Fahrradzählstelle", {"counters", "bikes"}),
        ("Kataster", {"trees"}),
        ("Baumkatster", {"trees"}),
        ("Wasserstand Saale", {"water"}),
        ("Wasserstand Jena", set()),
        ("Wo sind die freien Parkplätze?", {"parking"}),
        ("fahrrad -fahrradzählstellen", {"bikes"}),
        ('"Stadt Jena"', {"trees"}),
        ('"Jena Stadt"', set()),
        ("-Saale", set(TEXTS) - {"water"}),
        ("", set(TEXTS)),
        ('"" - --', set(TEXTS)),
        ("xyz", set()),
    ],
)
def test_words_are_found_in_any_form(asked: str, names: set[str]) -> None:
    assert set(index_of(TEXTS).search(asked).scores) == names


@pytest.mark.parametrize(
    ("slip", "names", "meant"),
    [
        ("Parkpläze", {"parking"}, "Parkplätze"),
        ("Wasserstädne", {"water"}, "Wasserstände"),
        ("Farradzählstellen", {"counters"}, "Fahrradzählstellen"),
        ("Zälstellen", {"counters", "bikes"}, "Zählstellen"),
        ("Saalle", {"water"}, "Saale"),
    ],
)
def test_slips_are_forgiven_and_said(slip: str, names: set[str], meant: str) -> None:
    found = index_of(TEXTS).search(slip)
    assert names & set(found.scores) == set(found.scores) != set()
    assert meant in found.instead[slip]


@pytest.mark.parametrize("asked", ["Fahrplanlage", "Sal", "qqqqqqqq"])
def test_another_word_is_no_slip(asked: str) -> None:
    assert not index_of({"timetable": "Fahrplan an der Saale"}).search(asked).scores


def test_what_is_called_so_is_not_taken_for_a_slip() -> None:
    found = index_of({"hand": "Hand", "hund": "Hund"}).search("Hund")
    assert (set(found.scores), dict(found.instead)) == ({"hund"}, {})


def test_nothing_outside_of_an_index_is_proposed() -> None:
    """What a reader may not know of is in no index of theirs."""
    assert index_of({"trees": "Bäume"}).search("Geheimniss").instead == {}


def test_english_words_are_stemmed_as_english() -> None:
    parts = (Part(1, "Bicycle counters of cities", "en"), Part(1, "Fahrradzähler der Städte", "de"))
    texts = Index(Shelf([Document("a", parts)]))
    for asked in ("counter", "city", "Stadt", "bicycles", "Fahrradzähler"):
        assert set(texts.search(asked).scores) == {"a"}, asked


def test_found_words_are_marked() -> None:
    stems = index_of(TEXTS).search("fahrrad stadt").stems | index_of(TEXTS).search("fahrrad").stems
    assert highlight("Fahrräder & Fahrradzählstellen.", "de", stems) == [
        ("Fahrräder", True), (" & ", False), ("Fahrradzählstellen", True), (".", False),
    ]  # fmt: skip
    assert highlight("", "de", stems) == []


@given(st.text(max_size=40))
def test_any_question_is_understood(text: str) -> None:
    for sought in read_question(text):
        assert sought.words
    index_of(TEXTS).search(text)


@given(st.text(max_size=60), st.sampled_from(["de", "en", "xx"]))
def test_marking_keeps_the_text(text: str, language: str) -> None:
    stems = frozenset(stem(word, language) for word in text.split())
    assert "".join(piece for piece, _ in highlight(text, language, stems)) == text


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_a_distance(one: str, other: str) -> None:
    apart = distance(one, other)
    assert apart == distance(other, one)
    assert (apart == 0) == (one == other)
    assert abs(len(one) - len(other)) <= apart <= max(len(one), len(other))


def test_words_are_folded() -> None:
    assert [fold(word) for word in ("Zählstraße", "CAFÉ", "H₂O")] == ["zahlstrasse", "cafe", "h2o"]
    assert distance("teh", "the") == 1
    assert [slips(length) for length in (3, 4, 8)] == [0, 1, 2]


CITY = Organisation(id="city", name="Stadt Jena")


def entry(name: str, title: str, *, text: str = "", words: str = "", bbox=None, modified: str = "", **more) -> Entry:  # type: ignore[no-untyped-def]
    dataset = DatasetProfile(
        id=name, title={"de": title}, description={"de": text}, keywords={"de": words.split()} if words else {},
        publisher="Stadt Jena", licence=more.pop("licence", "CC0-1.0"), attribution="", **more,
    )  # fmt: skip
    return Entry(dataset=dataset, address=f"https://x.example/dataset/{name}", publisher=CITY, bbox=bbox,
                 modified=modified)  # fmt: skip


CATALOGUE = Catalogue(
    root="https://x.example", title={}, description={}, languages=("de", "en"), publisher=CITY, contact=None,
    licence="", geocoding=(), contributor="", services=(), organisations={},
    entries=(
        entry("a", "Wetter", text="Bäume im Wind", themes=["ENVI"], modified="2026-01-03", bbox=(11.5, 50.9, 11.6, 51)),
        entry("b", "Bäume", themes=["ENVI", "REGI"], licence="CC-BY-4.0", modified="2026-01-01"),
        entry("c", "Grünflächen", words="Baum", themes=["REGI"], modified="2026-01-02", bbox=(10, 50, 10.5, 50.5)),
        entry("d", "Verkehr", themes=["TRAN"]),
    ),
)  # fmt: skip
INDEX = make_index(CATALOGUE, {"d": ["Baumschule"]})


def ids(question: Question) -> list[str]:
    return [each.id for each in search(CATALOGUE, INDEX, question, "de").entries]


def test_titles_come_before_keywords_before_texts_before_names() -> None:
    assert ids(Question(text="Baum")) == ["b", "c", "a", "d"]
    assert ids(Question(text="Baum", order="newest")) == ["a", "c", "b", "d"]
    assert ids(Question(text="Baum", order="title")) == ["b", "c", "d", "a"]
    assert ids(Question()) == ["b", "c", "d", "a"]


def test_figures_count_what_the_other_figures_leave() -> None:
    found = search(CATALOGUE, INDEX, Question(text="Baum", chosen={"licence": ("CC0-1.0",)}), "de")
    assert [each.id for each in found.entries] == ["c", "a", "d"]
    assert found.facets["theme"] == {"ENVI": 1, "REGI": 1, "TRAN": 1}
    assert found.facets["licence"] == {"CC0-1.0": 3, "CC-BY-4.0": 1}
    either = Question(chosen={"theme": ("TRAN", "REGI"), "licence": ("CC0-1.0",)})
    assert ids(either) == ["c", "d"]
    none = search(CATALOGUE, INDEX, Question(text="Wetter", chosen={"theme": ("TRAN",)}), "de")
    assert (list(none.entries), none.facets["theme"]) == ([], {"ENVI": 1, "TRAN": 0})


def test_what_lies_elsewhere_or_nowhere_is_not_in_a_map_extent() -> None:
    assert ids(Question(bbox=(11.55, 50.95, 12, 52))) == ["a"]
    assert ids(Question(bbox=(0, 0, 90, 90), order="title")) == ["c", "a"]
    assert ids(Question(bbox=(0, 0, 1, 1))) == []


@pytest.mark.parametrize(
    ("numbers", "where"),
    [
        (("x", "1", "2", "3"), "west"),
        (("1", "1", "", "3"), "east"),
        (("1", "91", "2", "3"), "south"),
        (("3", "1", "2", "3"), "east"),
        (("1", "3", "2", "1"), "north"),
        (("nan", "1", "2", "3"), "west"),
    ],
)
def test_a_wrong_number_is_named(numbers: tuple[str, ...], where: str) -> None:
    with pytest.raises(InvalidQuery) as error:
        read_box(numbers)
    assert error.value.where == where


def test_german_numbers_are_read() -> None:
    assert read_box(("11,5", "50.9", " 11.6 ", "51")) == (11.5, 50.9, 11.6, 51.0)
    assert read_box(("", "", " ", "")) is None
