"""Generated expressions against plain Python: each is built together with what it means for one observation.

A meaning takes an observation as a dictionary and gives a value, or None where there is none.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.domain import times
from allmende.domain.query import Arithmetic, Call, Compare, Expression, In, Logic, Negate, Not, Path, Value
from allmende.domain.store import Store
from tests.storage.test_filters import OPERATORS
from tests.storage.town import BASE, NAMES, Town, build
from tests.support import ask

Row = dict[str, Any]
Meaning = Callable[[Row], Any]
Built = tuple[Expression, Meaning]


@pytest.fixture(scope="module")
def town(shared: Store) -> Town:
    return build(shared)


def strict(function: Callable[..., Any], *meanings: Meaning) -> Meaning:
    """The function of what the meanings give; None where one of them gives none."""

    def meaning(row: Row) -> Any:
        values = [m(row) for m in meanings]
        return None if None in values else function(*values)

    return meaning


# --- properties: by the type that is asked of them ---

PLACES: dict[tuple[str, ...], Meaning] = {
    ("result",): lambda row: row["result"],
    ("parameters", "a"): lambda row: row["parameters"]["a"],
    ("Datastream", "Thing", "properties", "n"): lambda row: row["Datastream"]["Thing"].get("properties", {}).get("n"),
    ("Datastream", "Thing", "properties", "a"): lambda row: row["Datastream"]["Thing"].get("properties", {}).get("a"),
}


def only(wanted: type | tuple[type, ...], meaning: Meaning) -> Meaning:
    def checked(row: Row) -> Any:
        value = meaning(row)
        fits = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
        return value if fits else None

    return checked


def value(kind: Any) -> Callable[[Any], Built]:
    return lambda given: (Value(given, kind), lambda _: given)


def called(name: str, function: Callable[..., Any], *parts: Built) -> Built:
    return Call(name, tuple(node for node, _ in parts)), strict(function, *(m for _, m in parts))


# --- numbers ---


def within(calculate: Callable[[float, float], float]) -> Callable[[float, float], float | None]:
    """Out of the range of doubles, or divided by zero, is none."""

    def calculated(a: float, b: float) -> float | None:
        try:
            found = calculate(float(a), float(b))
        except (ZeroDivisionError, OverflowError):
            return None
        return found if abs(found) < 1e300 else None

    return calculated


CALCULATE = {
    "add": within(lambda a, b: a + b),
    "sub": within(lambda a, b: a - b),
    "mul": within(lambda a, b: a * b),
    "div": within(lambda a, b: a / b),
    "mod": within(lambda a, b: a - b * float(math.trunc(a / b))),
}
PATH_NUMBERS = st.sampled_from([(Path(p), only((int, float), m)) for p, m in PLACES.items()])
NUMBERS = st.one_of(st.sampled_from([0, 1, 2, -3, 7, 0.5, -1.5, 2.5, 1e200]).map(value("number")), PATH_NUMBERS)


def half_up(a: float) -> float:
    return math.copysign(math.floor(abs(a) + 0.5), a)


def more_numbers(inner: st.SearchStrategy[Built]) -> st.SearchStrategy[Built]:
    def arithmetic(op: Any, left: Built, right: Built) -> Built:
        return Arithmetic(op, left[0], right[0]), strict(CALCULATE[op], left[1], right[1])

    rounding = {"round": half_up, "floor": math.floor, "ceiling": math.ceil}
    return st.one_of(
        st.builds(arithmetic, st.sampled_from(sorted(CALCULATE)), inner, inner),
        inner.map(lambda n: (Negate(n[0]), strict(lambda a: -a, n[1]))),
        st.builds(lambda name, n: called(name, rounding[name], n), st.sampled_from(sorted(rounding)), inner),
    )


# --- texts ---

PATH_TEXTS = st.sampled_from(
    [
        (Path(("Datastream", "name")), lambda row: row["Datastream"]["name"]),
        (Path(("Datastream", "Thing", "id")), lambda row: row["Datastream"]["Thing"]["id"]),
        *((Path(p), only(str, m)) for p, m in PLACES.items()),
    ]
)
TEXTS = st.one_of(st.sampled_from([*NAMES, "l", "ph", " B\t", "1"]).map(value("string")), PATH_TEXTS)


def cut(text: str, start: float, length: float) -> str:
    first = max(math.floor(start), 0)
    return text[first : first + max(math.floor(length), 0)]


def more_texts(inner: st.SearchStrategy[Built]) -> st.SearchStrategy[Built]:
    small = st.sampled_from([-1, 0, 1, 2, 1.5, 9]).map(value("number"))
    changes = {"tolower": str.lower, "toupper": str.upper, "trim": str.strip}
    return st.one_of(
        st.builds(lambda name, t: called(name, changes[name], t), st.sampled_from(sorted(changes)), inner),
        st.builds(lambda a, b: called("concat", str.__add__, a, b), inner, inner),
        st.builds(lambda t, a, b: called("substring", cut, t, a, b), inner, small, small),
    )


# --- times: as (start, last) ---

DURATIONS = st.sampled_from([0, times.MINUTE, -3 * times.MINUTE, times.DAY, 400_000 * times.DAY])
PATH_TIMES = st.sampled_from(
    [
        (
            Path(("phenomenonTime",)),
            lambda r: (r["phenomenonTime"][0], r["phenomenonTime"][1] or r["phenomenonTime"][0]),
        ),
        (Path(("resultTime",)), lambda row: row["resultTime"] and (row["resultTime"][0],) * 2),
    ]
)
MOMENTS = st.integers(-1, 24).map(lambda m: BASE + m * times.MINUTE)
TIMES = st.one_of(
    PATH_TIMES,
    MOMENTS.map(lambda m: (Value(m, "instant"), lambda _: (m, m))),
    st.tuples(MOMENTS, st.integers(0, 9)).map(
        lambda s: (
            Value(times.Interval(s[0], s[0] + s[1] * times.MINUTE), "interval"),
            lambda _: (s[0], s[0] + s[1] * times.MINUTE),
        )
    ),
)


def moved(span: tuple[int, int], by: int) -> tuple[int, int] | None:
    both = span[0] + by, span[1] + by
    return both if min(both) >= times.EARLIEST and max(both) <= times.LATEST else None


def more_times(inner: st.SearchStrategy[Built]) -> st.SearchStrategy[Built]:
    def shift(op: Any, when: Built, by: int) -> Built:
        signed = by if op == "add" else -by
        return Arithmetic(op, when[0], Value(by, "duration")), strict(lambda s: moved(s, signed), when[1])

    return st.one_of(
        st.builds(shift, st.sampled_from(["add", "sub"]), inner, DURATIONS),
        inner.map(lambda w: called("date", lambda s: (s[0] - s[0] % times.DAY,) * 2, w)),
    )


def calendar(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def some(strategy: st.SearchStrategy[Built], more: Any) -> st.SearchStrategy[Built]:
    return st.recursive(strategy, more, max_leaves=4)


ALL_TEXTS, ALL_TIMES = some(TEXTS, more_texts), some(TIMES, more_times)
PARTS = st.sampled_from(["year", "month", "day", "hour", "minute", "second"])
ALL_NUMBERS = some(
    st.one_of(
        NUMBERS,
        ALL_TEXTS.map(lambda t: called("length", len, t)),
        st.builds(lambda a, b: called("indexof", str.find, a, b), ALL_TEXTS, ALL_TEXTS),
        st.builds(lambda part, w: called(part, lambda s: getattr(calendar(s[0]), part), w), PARTS, ALL_TIMES),
    ),
    more_numbers,
)

# --- conditions ---

SPANS: dict[str, Callable[[Any, Any], bool]] = {
    "before": lambda a, b: a[1] < b[0],
    "after": lambda a, b: a[0] > b[1],
    "meets": lambda a, b: a[1] == b[0],
    "during": lambda a, b: b[0] <= a[0] and a[1] <= b[1],
    "overlaps": lambda a, b: a[0] < b[1] and b[0] < a[1],
    "starts": lambda a, b: a[0] == b[0] and a[1] <= b[1],
    "finishes": lambda a, b: a[1] == b[1] and a[0] >= b[0],
}
WORDS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "substringof": lambda a, b: a in b,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def compare_times(op: str, a: tuple[int, int], b: tuple[int, int]) -> bool:
    if op in ("gt", "ge"):
        return bool(OPERATORS[op](a[0], b[1]))
    if op in ("lt", "le"):
        return bool(OPERATORS[op](a[1], b[0]))
    return (a == b) == (op == "eq")


def compared(op: Any, left: Built, right: Built, how: Callable[[Any, Any], bool]) -> Built:
    return Compare(op, left[0], right[0]), strict(how, left[1], right[1])


def compared_free(op: Any, left: tuple[Any, Meaning], right: tuple[Any, Meaning]) -> Built:
    """Two properties of any type: only what is of one type is compared."""

    def how(row: Row) -> bool | None:
        a, b = left[1](row), right[1](row)
        kinds = [{bool: "b", int: "n", float: "n", str: "s"}.get(type(v)) for v in (a, b)]
        if kinds[0] is None or kinds[0] != kinds[1]:
            return None
        return bool(OPERATORS[op](a, b))

    return Compare(op, Path(left[0]), Path(right[0])), how


def listed(item: Any) -> Built:
    kind = {bool: "boolean", str: "string"}.get(type(item), "number")

    def how(row: Row) -> bool | None:
        found = row["Datastream"]["Thing"].get("properties", {}).get("list")
        same = [v for v in found or [] if v == item and isinstance(v, bool) == isinstance(item, bool)]
        return None if found is None else bool(same)

    return In(Value(item, kind), Path(("Datastream", "Thing", "properties", "list"))), how  # type: ignore[arg-type]


def doubles(op: str) -> Callable[[float, float], bool]:
    return lambda a, b: bool(OPERATORS[op](float(a), float(b)))


def typed(built: Built) -> bool:
    """Not two properties: they are compared by whatever type they have."""
    node = built[0]
    return not (isinstance(node, Compare) and isinstance(node.left, Path) and isinstance(node.right, Path))


OPS = st.sampled_from(sorted(OPERATORS))
FREE = st.sampled_from(sorted(PLACES.items(), key=lambda p: p[0]))
CONDITIONS = st.one_of(
    st.builds(lambda op, a, b: compared(op, a, b, doubles(op)), OPS, ALL_NUMBERS, ALL_NUMBERS).filter(typed),
    st.builds(lambda op, a, b: compared(op, a, b, OPERATORS[op]), OPS, ALL_TEXTS, ALL_TEXTS).filter(typed),
    st.builds(lambda op, a, b: compared(op, a, b, lambda x, y: compare_times(op, x, y)), OPS, ALL_TIMES, ALL_TIMES),
    st.builds(compared_free, OPS, FREE, FREE),
    st.builds(lambda name, a, b: called(name, WORDS[name], a, b), st.sampled_from(sorted(WORDS)), ALL_TEXTS, ALL_TEXTS),
    st.builds(lambda name, a, b: called(name, SPANS[name], a, b), st.sampled_from(sorted(SPANS)), ALL_TIMES, ALL_TIMES),
    st.sampled_from([1, 1.5, True, False, "b", "1", -3]).map(listed),
    FREE.map(lambda p: (Path(p[0]), only(bool, p[1]))),
)


def negated(inner: Built) -> Built:
    return Not(inner[0]), strict(lambda a: not a, inner[1])


def both(inner: list[Built]) -> Built:
    def how(row: Row) -> bool | None:
        parts = [meaning(row) for _, meaning in inner]
        return False if any(p is False for p in parts) else None if None in parts else True

    return Logic("and", tuple(node for node, _ in inner)), how


FILTERS = st.one_of(
    CONDITIONS, CONDITIONS.map(negated), st.lists(CONDITIONS, min_size=2, max_size=3).map(both).map(negated)
)


@settings(max_examples=200)
@given(built=FILTERS)
def test_an_expression_finds_what_it_means(shared: Store, town: Town, built: Built) -> None:
    node, meaning = built
    page = ask(shared, "Observation", filter=node, top=1000)
    found = sorted(str(row[1]) for row in page.rows)
    assert found == sorted(row["id"] for row in town.observations if meaning(row) is True)
