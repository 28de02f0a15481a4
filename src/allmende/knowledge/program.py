"""Trees of expressions to programs: names, types and units are checked once, then it only computes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from allmende.domain.units import ONE, Measure
from allmende.knowledge.functions import AGGREGATES, SCALARS, Sample
from allmende.knowledge.language import Apply, Constant, Kind, Name, Node, Place, RuleError, Scalar, Type, kind_of

Value = Scalar | Sample


class Scope(NamedTuple):
    """What a program reads: values by name; of inputs also what held at a time, and how many streams they have."""

    values: Mapping[str, Value]
    held: Mapping[str, Callable[[int], Scalar]] = {}
    members: Mapping[str, int] = {}


class Meaning(NamedTuple):
    """What a name stands for. ``unit`` None: not known, and not checked."""

    kind: Kind
    unit: Measure | None = None
    is_input: bool = False


class Program(NamedTuple):
    """A checked expression. ``size`` is the number of its parts."""

    kind: Kind
    unit: Measure | None
    run: Callable[[Scope], Any]
    size: int


_ARITHMETIC = ("+", "-", "*", "/", "%", "^", "negate", "identity", "abs", "round", "floor", "ceil", "sqrt", "exp")
_TAKES: dict[str, Type] = {
    **dict.fromkeys((*_ARITHMETIC, "ln", "log10", "least", "greatest"), "number"),
    **dict.fromkeys(("and", "or", "not"), "truth"),
    **dict.fromkeys(("mean", "min", "max", "sum", "median", "stddev", "percentile"), "number"),
    **dict.fromkeys(("countif", "share", "any", "all"), "truth"),
}
_GIVES: dict[str, Type] = {
    **{name: kind for name, kind in _TAKES.items() if name not in ("countif", "share")},
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "in", "known"), "truth"),
    **dict.fromkeys(("count", "fresh", "countif", "share", "members"), "number"),
}
_COUNTS = {"round": (1, 2), "percentile": (2, 2), "at": (2, 2), "members": (1, 1)}
_MANY = frozenset({"least", "greatest", "and", "or", "case", "coalesce", "in"})
_TWO = frozenset({"+", "-", "*", "/", "%", "^", "=", "!=", "<", "<=", ">", ">="})
_ORDERED = frozenset({"<", "<=", ">", ">="})
_WORDS = {"number": "a number", "text": "a text", "truth": "true or false", "missing": "missing"}
_KEEPS_UNIT = frozenset(
    {
        *("+", "-", "%", "=", "!=", "<", "<=", ">", ">=", "in", "negate", "identity", "abs", "round", "floor", "ceil"),
        *("least", "greatest", "case", "coalesce", "mean", "min", "max", "sum", "median", "stddev", "percentile"),
        *("first", "last"),
    }
)
_UNITLESS = frozenset({"count", "fresh", "countif", "share", "members"})
_INNER = frozenset({"identity", "negate", "least", "greatest", "and", "or", "not", "in"})
FUNCTIONS = tuple(
    sorted({"at", "members"} | {name for name in (*AGGREGATES, *SCALARS) if name.isidentifier()} - _INNER)
)
"""Those that are called by name."""


def compile_node(node: Node, known: Mapping[str, Meaning]) -> Program:
    """A program over these names. Raises RuleError where a name is unknown, or types or units do not go together."""
    if isinstance(node, Constant):
        value = node.value
        return Program(kind_of(value), None, lambda _: value, 1)
    if isinstance(node, Name):
        return _name(node, known)
    if node.function == "at":
        return _at(node, known)
    if node.function == "members":
        name = _input(node, 0, known)
        return Program(Kind("number"), ONE, lambda scope: scope.members.get(name, 0), node.size)
    function = _chosen(node)
    arguments = [compile_node(argument, known) for argument in node.arguments]
    _count_arguments(node, function, len(arguments))
    if function in AGGREGATES:
        return _aggregate(node, function, arguments)
    return _scalar(node, function, arguments)


def _fail(at: Place, message: str, **arguments: object) -> RuleError:
    return RuleError(message, line=at.line, column=at.column, **arguments)


def _name(node: Name, known: Mapping[str, Meaning]) -> Program:
    meaning = known.get(node.name)
    if meaning is None:
        raise _fail(
            node.at,
            'nothing is called "%(name)s" here; there are %(known)s',
            name=node.name,
            known=", ".join(known) or "no names",
        )
    name = node.name
    return Program(meaning.kind, meaning.unit, lambda scope: scope.values.get(name), 1)


def _chosen(node: Apply) -> str:
    name = node.function
    if name in ("min", "max") and len(node.arguments) > 1:
        return "least" if name == "min" else "greatest"
    if name not in AGGREGATES and name not in SCALARS:
        raise _fail(
            node.at,
            'there is no function "%(name)s"; there are %(functions)s',
            name=name,
            functions=", ".join(FUNCTIONS),
        )
    return name


def _count_arguments(node: Apply, function: str, given: int) -> None:
    least, most = _COUNTS.get(function, (2, 2) if function in _TWO else (1, 1))
    if function in _MANY:
        least, most = 2 if function == "case" else 1, 1_000
    if not least <= given <= most:
        wanted = str(least) if least == most else f"{least} or more" if most == 1_000 else f"{least} to {most}"
        raise _fail(
            node.at,
            "%(function)s() takes %(wanted)s of them, not %(given)s",
            function=node.function,
            wanted=wanted,
            given=given,
        )


def _aggregate(node: Apply, function: str, arguments: list[Program]) -> Program:
    sample = arguments[0]
    if sample.kind.base is None:
        raise _fail(node.at, "%(function)s() sums up several values; what it is given is one value", function=function)
    _check_type(node, 0, sample, _TAKES.get(function))
    if function == "percentile":
        _check_type(node, 1, arguments[1], "number")
        if arguments[1].kind.base is not None:
            raise _fail(node.arguments[1].at, "the share of a percentile is one number, from 0 to 100")
    work, runs = AGGREGATES[function], [argument.run for argument in arguments]
    kind = Kind(_GIVES.get(function, sample.kind.type))
    unit = ONE if function in _UNITLESS else sample.unit
    return Program(kind, unit, lambda scope: work(*(run(scope) for run in runs)), node.size)


def _scalar(node: Apply, function: str, arguments: list[Program]) -> Program:
    type_ = _types(node, function, arguments)
    bases = {argument.kind.base for argument in arguments} - {None}
    if len(bases) > 1:
        one, other = sorted(str(base) for base in bases)[:2]
        raise _fail(
            node.at,
            '"%(one)s" and "%(other)s" have readings at other times; at(x, y) gives x at the times of y',
            one=one,
            other=other,
        )
    unit = _unit(node, function, arguments)
    work, runs = SCALARS[function], [argument.run for argument in arguments]
    if not bases:
        return Program(Kind(type_), unit, lambda scope: work(*(run(scope) for run in runs)), node.size)
    leader = next(place for place, argument in enumerate(arguments) if argument.kind.base is not None)
    return Program(Kind(type_, bases.pop()), unit, _lifted(work, runs, leader), node.size)


def _lifted(work: Callable[..., Scalar], runs: list[Callable[[Scope], Any]], leader: int) -> Callable[[Scope], Sample]:
    """The same for each reading of a sample."""

    def run(scope: Scope) -> Sample:
        values = [each(scope) for each in runs]
        leading: Sample = values[leader]
        columns: list[Iterable[Any]] = [
            value.values if isinstance(value, Sample) else repeat(value) for value in values
        ]
        return Sample(leading.times, [work(*row) for row in zip(*columns, strict=False)])

    return run


def _types(node: Apply, function: str, arguments: list[Program]) -> Type:
    wanted = _TAKES.get(function)
    if function == "case":
        places = list(range(len(arguments)))
        conditions = places[: len(places) // 2 * 2 : 2]
        for place in conditions:
            _check_type(node, place, arguments[place], "truth")
        return _one_type(node, [(place, arguments[place]) for place in places if place not in conditions])
    if wanted is not None:
        for place, argument in enumerate(arguments):
            _check_type(node, place, argument, wanted)
        return _GIVES[function]
    if function == "known":
        return "truth"
    type_ = _one_type(node, list(enumerate(arguments)))
    if function in _ORDERED and type_ == "truth":
        raise _fail(node.at, "%(function)s compares numbers or texts, not true and false", function=function)
    return _GIVES.get(function, type_)


def _check_type(node: Apply, place: int, argument: Program, wanted: Type | None) -> None:
    given = argument.kind.type
    if wanted is not None and given not in (wanted, "missing"):
        raise _fail(
            node.arguments[place].at,
            "%(function)s asks for %(wanted)s; this is %(given)s",
            function=node.function,
            wanted=_WORDS[wanted],
            given=_WORDS[given],
        )


def _one_type(node: Apply, arguments: list[tuple[int, Program]]) -> Type:
    found: Type = "missing"
    for place, argument in arguments:
        given = argument.kind.type
        if given == "missing":
            continue
        if found not in ("missing", given):
            message = f"this is {_WORDS[given]}, beside {_WORDS[found]}; both have to be the same"
            raise _fail(node.arguments[place].at, message)
        found = given
    return found


def _unit(node: Apply, function: str, arguments: list[Program]) -> Measure | None:
    """The unit of the outcome; None where it is not known. A bare number takes the unit of what stands beside it."""
    if function in ("*", "/"):
        left, right = arguments
        measures = [argument.unit or (ONE if _is_bare(argument) else None) for argument in (left, right)]
        if measures[0] is None or measures[1] is None or measures[0].offset or measures[1].offset:
            return None
        return measures[0].times(measures[1], 1 if function == "*" else -1)
    if function not in _KEEPS_UNIT:
        return None
    places: Sequence[int] = range(len(arguments))
    if function == "case":
        thens = range(len(arguments))[1::2]
        places = [*thens, len(arguments) - 1] if len(arguments) % 2 else thens
    elif function == "round":
        places = range(1)
    found: Measure | None = None
    for place in places:
        unit = arguments[place].unit
        if unit is None:
            continue
        if found is not None and not found.same(unit):
            raise _fail(node.arguments[place].at, "this has another unit than what stands beside it")
        found = unit
    return found


def _is_bare(argument: Program) -> bool:
    return argument.unit is None and argument.size == 1


def _input(node: Apply, place: int, known: Mapping[str, Meaning]) -> str:
    _count_arguments(node, node.function, len(node.arguments))
    argument = node.arguments[place]
    if not isinstance(argument, Name) or argument.name not in known or not known[argument.name].is_input:
        raise _fail(argument.at, "%(function)s() asks for the name of an input here", function=node.function)
    return argument.name


def _at(node: Apply, known: Mapping[str, Meaning]) -> Program:
    name = _input(node, 0, known)
    along = compile_node(node.arguments[1], known)
    if along.kind.base is None:
        raise _fail(node.arguments[1].at, "at(x, y) gives x at the times of y; this is one value, without times")
    meaning = known[name]

    def run(scope: Scope) -> Sample:
        sample: Sample = along.run(scope)
        held = scope.held[name]
        return Sample(sample.times, [held(time) for time in sample.times])

    return Program(Kind(meaning.kind.type, along.kind.base), meaning.unit, run, node.size)
