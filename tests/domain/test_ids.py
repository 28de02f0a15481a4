"""Ids: text that a source keeps, numbers that the house gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain import ids
from allmende.domain.errors import InvalidInput


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_a_number_and_its_text_are_one_id(number: int) -> None:
    assert ids.normalise(number) == ids.normalise(str(number))
    assert ids.shown(ids.normalise(number)) == number


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_what_is_shown_names_the_same_entity_again(text: str) -> None:
    assert ids.normalise(ids.shown(ids.normalise(text))) == text


@pytest.mark.parametrize("text", ["007", "+7", "7.0", "-0", "٧", " 7", str(2**63), "1e3", "-", "K440~K1_1~color"])
def test_what_only_looks_like_a_number_stays_text(text: str) -> None:
    assert ids.shown(ids.normalise(text)) == text


@pytest.mark.parametrize(
    "value", [None, True, 1.0, "", "a" * 256, "a\nb", "\x00", "\x7f", "\ud800", ["a"], {}, 10**300]
)
def test_what_cannot_be_an_id(value: object) -> None:
    with pytest.raises(InvalidInput):
        ids.normalise(value)


def test_a_number_too_long_even_to_be_printed() -> None:
    with pytest.raises(InvalidInput):
        ids.normalise(-(10**5000))
