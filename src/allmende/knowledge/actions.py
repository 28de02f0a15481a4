"""Actions of rules made ready: the condition and the task's parameters as programs over the rule's values."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from allmende.domain.actions import EXPRESSION, ActionProfile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.rules import micros
from allmende.knowledge.language import RuleError, parse
from allmende.knowledge.program import Meaning, Program, Scope, compile_node


class Wish(NamedTuple):
    """What an action would have at a time: ``end``, at which all that it looks at is there."""

    end: int
    holds: bool
    parameters: Any = None
    """The task's, where it holds; whole numbers as such. What is missing is left out."""


class Action(msgspec.Struct, frozen=True):
    """An action that can be asked. Durations are in microseconds."""

    profile: ActionProfile
    when: Program
    parameters: Any
    """As the profile says them, with programs in the place of expressions."""
    size: int
    """How many parts its expressions have together."""

    @property
    def age(self) -> int:
        """How far a value may be from the present."""
        return micros(self.profile.age)

    def ask(self, end: int, scope: Scope) -> Wish:
        """What it would have, where ``scope`` holds what the rule gives, too."""
        # What is missing is not true.
        if self.when.run(scope) is not True:
            return Wish(end, False)
        return Wish(end, True, _run(self.parameters, scope))


def prepare_action(action: ActionProfile, known: Mapping[str, Meaning], place: str) -> Action:
    """One action of a rule that gives ``known``. Raises ProfileError."""
    when = _compile(action.when, known, f"{place}.when")
    if when.kind.type not in ("truth", "missing"):
        raise ProfileError(
            f"{place}.when", "is true or false, but the expression gives a %(type)s", type=when.kind.type
        )
    sizes = [when.size]
    parameters = _prepare(action.parameters, known, f"{place}.parameters", sizes)
    return Action(action, when, parameters, sum(sizes))


def _compile(text: str, known: Mapping[str, Meaning], place: str) -> Program:
    try:
        program = compile_node(parse(text), known)
    except RuleError as error:
        raise ProfileError(place, "%(error)s", error=error) from None
    if program.kind.base is not None:
        raise ProfileError(place, "gives several values; sum them up, e.g. with mean()")
    return program


def _prepare(value: Any, known: Mapping[str, Meaning], place: str, sizes: list[int]) -> Any:
    if isinstance(value, dict):
        if set(value) == {EXPRESSION}:
            if not isinstance(value[EXPRESSION], str):
                raise ProfileError(f"{place}.{EXPRESSION}", "is a text")
            program = _compile(value[EXPRESSION], known, f"{place}.{EXPRESSION}")
            sizes.append(program.size)
            return program
        return {name: _prepare(item, known, f"{place}.{name}", sizes) for name, item in value.items()}
    if isinstance(value, list):
        return [_prepare(item, known, f"{place}[{number}]", sizes) for number, item in enumerate(value)]
    return value


def _run(value: Any, scope: Scope) -> Any:
    if isinstance(value, Program):
        given = value.run(scope)
        return int(given) if isinstance(given, float) and given.is_integer() else given
    if isinstance(value, dict):
        found = {name: _run(item, scope) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not None}
    if isinstance(value, list):
        return [_run(item, scope) for item in value]
    return value
