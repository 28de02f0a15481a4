"""Rules made ready: expressions compiled, units checked, chains put in order. What is wrong names file and key."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec

from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.rules import GroupsProfile, InputProfile, OutputProfile, RuleProfile, micros
from allmende.domain.units import read_unit
from allmende.domain.windows import Grid
from allmende.domain.wording import PropertyWords
from allmende.knowledge.actions import Action, prepare_action
from allmende.knowledge.language import Apply, Constant, Kind, Node, Place, RuleError, parse
from allmende.knowledge.program import Meaning, Program, compile_node
from allmende.knowledge.telling import check_telling

_TYPES = {"measurement": "number", "count": "number", "category": "text", "truth": "truth"}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that can be evaluated. Durations are in microseconds."""

    profile: RuleProfile
    edition: str
    groups: GroupsProfile | None
    steps: tuple[tuple[str, Program], ...]
    outputs: dict[str, Program]
    actions: dict[str, Action]
    grid: Grid | None
    zone: str
    language: str
    simulated: bool
    """Whether simulated readings may be read: where what it gives is simulated too."""
    sees: frozenset[str]
    """Ids of the datasets that are not open and that it reads."""
    unseen: frozenset[str]
    """Ids of all others that are not open."""
    words: Mapping[str, PropertyWords]
    """What the city says of observed properties."""
    reach: int
    """How much later than a reading a value can be that depends on it, beyond its own window."""

    @property
    def id(self) -> str:
        """Its id."""
        return self.profile.id

    @property
    def size(self) -> int:
        """How many parts its expressions have together."""
        programs = [*(program for _, program in self.steps), *self.outputs.values()]
        return sum(program.size for program in programs) + sum(action.size for action in self.actions.values())

    @property
    def origin(self) -> str:
        """Who its readings say that they are from. No source's id has a slash."""
        return f"rule/{self.id}"


class Prepared(msgspec.Struct, frozen=True):
    """A city's rules, each behind those that it reads, and what is wrong with the others."""

    rules: tuple[Rule, ...]
    errors: dict[str, ProfileError]

    @property
    def problems(self) -> dict[str, str]:
        """The errors in words, by rule."""
        return {rule: str(error) for rule, error in self.errors.items()}


def prepare_rules(profile: Profile) -> Prepared:
    """All rules of a profile that are switched on. One that is wrong is left out, and those that read it are too."""
    errors: dict[str, ProfileError] = {}
    ready: dict[str, Rule] = {}
    for rule in _in_order(profile.rules, errors):
        if not rule.enabled:
            continue
        try:
            check_telling(rule, profile.rules, (other.profile for other in ready.values()))
            ready[rule.id] = prepare_rule(rule, profile, ready)
        except ProfileError as error:
            errors[rule.id] = error
    return Prepared(tuple(ready.values()), errors)


def _in_order(rules: Mapping[str, RuleProfile], errors: dict[str, ProfileError]) -> Iterable[RuleProfile]:
    remaining = dict(rules)
    while True:
        reads = {
            key: {put.rule.partition(".")[0] for put in rule.inputs.values() if put.rule} & remaining.keys()
            for key, rule in remaining.items()
        }
        try:
            return [remaining[key] for key in TopologicalSorter(reads).static_order()]
        except CycleError as error:
            circle = error.args[1]
            for key in set(circle):
                way = " → ".join(reversed(circle))
                place = f"{remaining.pop(key).place}.inputs"
                errors[key] = ProfileError(place, "the rules read each other in a circle: %(way)s", way=way)


Read = Callable[[str], Node]
More = Callable[[Mapping[str, Meaning]], Mapping[str, Meaning]]


def prepare_rule(
    rule: RuleProfile,
    profile: Profile,
    ready: Mapping[str, Rule],
    *,
    read: Read = parse,
    more: More = lambda inputs: {},
) -> Rule:
    """One rule, given those that it reads. Raises ProfileError.

    ``read`` makes the tree of an expression, which may speak of ``more`` names than the inputs give.
    """
    groups = profile.groups.get(rule.by)
    known: dict[str, Meaning] = {}
    sees = _sees(rule, profile)
    closed = frozenset(each.id for each in profile.datasets.values() if each.access != "open")
    for name, put in rule.inputs.items():
        _check_seen(rule, name, put, ready, closed - sees)
        known[name] = _meaning(rule, name, put, ready)
    known.update(more(known))
    for name, value in rule.parameters.items():
        known[name] = Meaning(Kind(_type_of(value)))
    for column in groups.facts if groups else ():
        known.setdefault(column, Meaning(Kind("number")))
    steps: list[tuple[str, Program]] = []
    for name, text in rule.steps.items():
        program = _compile(f"{rule.place}.steps.{name}", partial(read, text), known)
        steps.append((name, program))
        known[name] = Meaning(program.kind, program.unit)
    outputs = {name: _output(rule, name, output, known, read) for name, output in rule.outputs.items()}
    given = known | {name: Meaning(program.kind, program.unit) for name, program in outputs.items()}
    return Rule(
        profile=rule,
        edition=rule.edition(profile.groups),
        groups=groups,
        steps=tuple(steps),
        outputs=outputs,
        actions={
            name: prepare_action(action, given, f"{rule.place}.actions.{name}") for name, action in rule.actions.items()
        },
        grid=_grid(rule, profile.time_zone),
        zone=profile.time_zone,
        language=profile.languages[0],
        words=profile.properties,
        simulated=profile.datasets[rule.dataset].simulated,
        sees=sees,
        unseen=closed - sees,
        reach=max(_reach(rule, put) for put in rule.inputs.values()),
    )


def _sees(rule: RuleProfile, profile: Profile) -> frozenset[str]:
    for key in rule.opens:
        found = profile.datasets.get(key)
        if found is None or found.access == "open":
            raise ProfileError(f"{rule.place}.opens.{key}", "is no dataset that is not open")
        if found.counts_of_people > (rule.suppress.below if rule.suppress else 0):
            raise ProfileError(
                f"{rule.place}.opens.{key}",
                "counts people, of whom fewer than %(least)s are not told of: say suppress.below",
                least=found.counts_of_people,
            )
    own = {rule.dataset} if profile.datasets[rule.dataset].access != "open" else set()
    return frozenset(own | rule.opens.keys())


def _check_seen(
    rule: RuleProfile, name: str, put: InputProfile, ready: Mapping[str, Rule], unseen: frozenset[str]
) -> None:
    other = ready.get(put.rule.partition(".")[0])
    if other is not None and other.profile.dataset in unseen:
        raise ProfileError(
            f"{rule.place}.inputs.{name}.rule",
            '"%(other)s" gives to the dataset "%(dataset)s", which is not open: say in opens why this may',
            other=other.id,
            dataset=other.profile.dataset,
        )


def _meaning(rule: RuleProfile, name: str, put: InputProfile, ready: Mapping[str, Rule]) -> Meaning:
    place = f"{rule.place}.inputs.{name}"
    if put.rule:
        other, _, output = put.rule.partition(".")
        if other not in ready or output not in ready[other].outputs:
            raise ProfileError(f"{place}.rule", 'there is no rule in order that gives "%(rule)s"', rule=put.rule)
        type_ = ready[other].outputs[output].kind.type
        if type_ not in (put.type, "missing"):
            raise ProfileError(
                f"{place}.type",
                'is %(type)s, but "%(rule)s" gives a %(given)s',
                type=put.type,
                rule=put.rule,
                given=type_,
            )
    unit = _read_unit(put.unit, f"{place}.unit") if put.unit else None
    alone = put.take == "latest" and (rule.by == "stream" or put.single or len(put.streams) == 1)
    return Meaning(Kind(put.type, None if alone else name), unit, is_input=True)


def _read_unit(symbol: str, place: str) -> Any:
    try:
        return read_unit(symbol)
    except InvalidInput as error:
        raise ProfileError(place, "%(error)s", error=error) from None


def _type_of(value: Any) -> Any:
    return "truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _compile(place: str, build: Callable[[], Node], known: Mapping[str, Meaning]) -> Program:
    try:
        return compile_node(build(), known)
    except RuleError as error:
        raise ProfileError(place, "%(error)s", error=error) from None


def _output(rule: RuleProfile, name: str, output: OutputProfile, known: Mapping[str, Meaning], read: Read) -> Program:
    place = f"{rule.place}.outputs.{name}"
    if output.cases:
        program = _compile(f"{place}.cases", lambda: _decisions(output, f"{place}.cases", known), known)
    else:
        program = _compile(f"{place}.expression", lambda: read(output.expression), known)
    if program.kind.base is not None:
        raise ProfileError(f"{place}.expression", "gives several values; sum them up, e.g. with mean()")
    wanted = _TYPES[output.type]
    if program.kind.type not in (wanted, "missing"):
        raise ProfileError(
            f"{place}.type",
            "is %(type)s, but the expression gives a %(given)s",
            type=output.type,
            given=program.kind.type,
        )
    unit = _read_unit(output.unit, f"{place}.unit")
    # what is true or false is in no unit, though what it compares is
    if wanted == "number" and program.unit is not None and not program.unit.same(unit):
        raise ProfileError(f"{place}.unit", 'is "%(unit)s", but the expression gives another one', unit=output.unit)
    return program


def _decisions(output: OutputProfile, place: str, known: Mapping[str, Meaning]) -> Node:
    """A table of decisions as one case(). Its rows are compiled one by one first: an error names the row."""
    nodes: list[Node] = []
    for number, row in enumerate(output.cases):
        last = number == len(output.cases) - 1
        if not row.when and not last:
            raise ProfileError(f"{place}[{number}]", "has no when, so no row behind it is ever looked at")
        for key in ("when", "then"):
            text = getattr(row, key)
            if text:
                _compile(f"{place}[{number}].{key}", partial(parse, text), known)
                nodes.append(parse(text))
            elif key == "then":
                raise ProfileError(f"{place}[{number}].then", "is empty")
    if len(nodes) == 1:
        return nodes[0]
    if len(nodes) % 2 == 0:
        nodes.append(Constant(None, Place()))
    return Apply("case", tuple(nodes), Place(), 1, 1 + sum(node.size for node in nodes))


def _grid(rule: RuleProfile, zone: str) -> Grid | None:
    if not rule.window.every:
        return None
    try:
        return Grid(rule.window.every, zone)
    except InvalidInput as error:
        raise ProfileError(f"{rule.place}.window.every", "%(error)s", error=error) from None


def _reach(rule: RuleProfile, put: InputProfile) -> int:
    back = micros(rule.window.length) if put.take == "readings" else micros(put.age)
    longest = max((micros(other.hold) for other in rule.inputs.values()), default=0)
    # What is held is asked for at the times of another input's readings, which reach on by themselves.
    furthest = max(micros(o.age) if o.take == "latest" else micros(rule.window.length) for o in rule.inputs.values())
    return max(back, furthest + longest if put.hold else back)
