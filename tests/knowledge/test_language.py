"""The language of rules: what it understands, what it refuses and where, and how missing values go through."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.units import read_unit
from allmende.knowledge.functions import Sample, percentile
from allmende.knowledge.language import MAX_DEPTH, MAX_LENGTH, Kind, RuleError, parse
from allmende.knowledge.program import Meaning, Scope, compile_node

KNOWN = {
    "x": Meaning(Kind("number", "x"), read_unit("hPa"), is_input=True),
    "wind": Meaning(Kind("number", "wind"), read_unit("m/s"), is_input=True),
    "signal": Meaning(Kind("text", "signal"), None, is_input=True),
    "a": Meaning(Kind("number")),
    "word": Meaning(Kind("text")),
    "void": Meaning(Kind("number")),
}
SCOPE = Scope(
    {"x": Sample([1, 2, 3], [1.0, None, 5.0]), "a": -105, "void": None, "word": "green", "wind": Sample([], [])},
    {"signal": lambda time: "green" if time > 1 else None},
    {"x": 4},
)


def run(text: str):
    return compile_node(parse(text), KNOWN).run(SCOPE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("log10(abs(a * 10))", pytest.approx(3.0211893)),
        ("1 + 2 * 3 ^ 2 - 4 / 2", 17),
        ("-2 ^ 2", -4),
        ("7 % 4", 3),
        ("round(2.5) + round(-2.5)", 0),
        ("round(3.2534, 2)", 3.25),
        ("mean(x)", 3.0),
        ("sum(x)", 6.0),
        ("min(x) + max(x) + min(1, 2)", 7.0),
        ("median(x)", 3.0),
        ("percentile(x, 25)", 2.0),
        ("first(x)", 1.0),
        ("last(x)", 5.0),
        ("count(x)", 2),
        ("fresh(x) / members(x)", 0.5),
        ("countif(x > 2)", 1),
        ("share(x > 2)", 0.5),
        ("any(x > 2)", True),
        ("all(x > 2)", False),
        ("sum(case(at(signal, x) = 'green', x, 0))", 5.0),
        ("if a < 0 then 'cold' else 'warm'", "cold"),
        ("case(a > 0, 'one', a > -10, 'two', 'three')", "three"),
        ("word in ('red', 'green')", True),
        ("not a > 0 and (word = 'green' or a = 1)", True),
        ("coalesce(void, a)", -105),
    ],
)
def test_it_computes(text, value):
    assert run(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "void + 1", "abs(void)", "log10(0)", "log10(-1)", "1 / 0", "0 ^ -1", "10 ^ 100 ^ 100", "void > 1",
        "mean(wind)", "sum(wind)", "min(wind)", "if void > 1 then 1 else 2", "case(void > 1, 1, 2)", "missing",
        "not void > 1", "sqrt(-1)", "exp(10000)", "case(a > 0, 1)", "share(wind > 1)", "void in (1, 2)",
    ],
)  # fmt: skip
def test_what_is_missing_or_has_no_answer_is_missing(text):
    assert run(text) is None


def test_two_truths_may_outweigh_a_missing_one():
    assert run("void > 1 and false") is False
    assert run("void > 1 or true") is True
    assert run("void > 1 and true") is None


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("1 +", "line 1, column 4", "ends too early"),
        ("a @ 3", "line 1, column 3", "no meaning"),
        ("(1 + 2))", "line 1, column 8", "does not fit"),
        ("a +\n  b", "line 2, column 3", "nothing is called"),
        ("foo(1)", "line 1, column 1", "no function"),
        ("mean(a)", "line 1, column 1", "several values"),
        ("a + word", "line 1, column 5", "a number"),
        ("x + wind", "line 1, column 3", "other times"),
        ("word < 1", "line 1, column 8", "the same"),
        ("abs(1, 2)", "line 1, column 1", "takes 1"),
        ("case(1, 2)", "line 1, column 6", "true or false"),
        ("at(a, x)", "line 1, column 4", "name of an input"),
        ("mean(x) + mean(wind)", "line 1, column 11", "another unit"),
        ("percentile(x, wind)", "line 1, column 15", "one number"),
        ("if 1 = 1 then 2 else 'a'", "line 1, column 22", "the same"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, where, words):
    with pytest.raises(RuleError) as caught:
        compile_node(parse(text), KNOWN)
    assert caught.value.where == where
    assert words in caught.value.message


@pytest.mark.parametrize("text", ["(" * 5_000, "1 + " * 2_000 + "1", "abs(" * 45 + "1" + ")" * 45, "-" * 300 + "1"])
def test_it_is_bounded(text):
    with pytest.raises(RuleError):
        parse(text)


@given(st.text(alphabet="ax(),+-*/<>='1.^ not andmeiflsth\n", max_size=60))
def test_no_text_makes_it_stumble(text):
    with contextlib.suppress(RuleError):
        compile_node(parse(text), KNOWN).run(SCOPE)


def test_limits_are_what_the_tests_take_them_for():
    assert MAX_DEPTH < 45
    assert MAX_LENGTH < 5_000


def test_units_are_worked_out():
    assert compile_node(parse("mean(x) * 2"), KNOWN).unit == read_unit("hPa")
    assert compile_node(parse("mean(x) / mean(wind)"), KNOWN).unit.same(read_unit("hPa.s/m"))
    assert compile_node(parse("log10(mean(x))"), KNOWN).unit is None
    assert compile_node(parse("count(x)"), KNOWN).unit == read_unit("{site}")


@given(st.lists(st.integers(-50, 50), min_size=1), st.integers(0, 100))
def test_a_percentile_lies_between_its_values(values, share):
    found = percentile(values, share)
    assert min(values) <= found <= max(values)
