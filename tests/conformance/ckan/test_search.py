"""Questions to CKAN's search: understood or refused, never taken for another."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.errors import InvalidQuery
from allmende.faces.ckan.face import ACTIONS, answer
from allmende.faces.ckan.search import Condition, parse
from allmende.web.profiles import load_profile
from tests.conformance.dcat.catalogues import catalogue_of

CATALOGUE = catalogue_of(load_profile("jena"))


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", []),
        ("*:*", []),
        ("trees AND weather", [Condition("", ("trees",)), Condition("", ("weather",))]),
        (
            '+tags:"free spaces" -name:x',
            [Condition("tags", ("free spaces",)), Condition("name", ("x",), unwanted=True)],
        ),
        ('name:(a OR "b c")', [Condition("name", ("a", "b c"))]),
        (
            "metadata_modified:[2025-01-01T00:00:00Z TO *]",
            [Condition("metadata_modified", (), "2025-01-01T00:00:00Z", "*")],
        ),
        ("name:*", []),
    ],
)
def test_questions_are_read(text: str, conditions: list[Condition]) -> None:
    assert parse(text) == conditions


@pytest.mark.parametrize("text", ["a OR b", "name:[a TO b]", '"', "(", "a" * 3000, "tags:[x"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery):
        parse(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_names = st.sampled_from(
    ["id", "q", "fq", "fq_list", "rows", "start", "sort", "facet.field", "facet.limit", "limit", "offset", "query",
     "all_fields", "include_datasets"]
)  # fmt: skip


@given(st.sampled_from(sorted(ACTIONS)), st.dictionaries(_names, _json, max_size=4))
def test_any_parameters_get_an_answer_of_ckan_s(action: str, parameters: dict[str, object]) -> None:
    found = answer(action, parameters, CATALOGUE)
    said = msgspec.json.decode(found.body)
    assert found.status in (200, 404, 409)
    assert said["success"] is (found.status == 200)
