"""Rules that tell of people (``suppress``): one table of the same people, of counts as they are (decision 46)."""

from collections.abc import Iterable, Iterator, Mapping

from allmende.domain.profile_checks import ProfileError
from allmende.domain.rules import InputProfile, RuleProfile
from allmende.knowledge.language import Apply, Name, RuleError, parse

_PLAIN = ("sum", "count", "members", "max", "min")
"""What may become of an input: nothing that makes more of few."""


def check_telling(rule: RuleProfile, rules: Mapping[str, RuleProfile], others: Iterable[RuleProfile]) -> None:
    """Raise ProfileError where a rule tells of people otherwise than it may; ``others`` are those that are ready."""
    if rule.suppress is None:
        return
    _check_plain(rule)
    own = list(_roots(rule, rules))
    for other in others:
        # What each of them keeps to itself could be had from the difference of their windows or sums.
        if other.suppress is not None and any(_meet(a, b) for a in own for b in _roots(other, rules)):
            raise ProfileError(
                f"{rule.place}.inputs",
                '"%(other)s" tells of the same people already; derive from what that gives',
                other=other.id,
            )


def _check_plain(rule: RuleProfile) -> None:
    """Few times ten are many: what is left out and rounded has to be the count itself."""
    for key, output in rule.outputs.items():
        try:
            node = parse(output.expression) if output.expression else None
            for _ in range(len(rule.steps) + 1):  # a step may be another step's name
                while isinstance(node, Apply) and node.function in _PLAIN and len(node.arguments) == 1:
                    node = node.arguments[0]
                if isinstance(node, Name) and node.name in rule.steps:
                    node = parse(rule.steps[node.name])
        except RuleError:
            continue  # it is said where expressions are compiled, with its place
        if not isinstance(node, Name) or node.name not in rule.inputs:
            raise ProfileError(
                f"{rule.place}.outputs.{key}.expression",
                "is the count itself: sum(…), count(…), max(…) or min(…) of the input, or the input",
            )


def _roots(
    rule: RuleProfile, rules: Mapping[str, RuleProfile], seen: frozenset[str] = frozenset()
) -> Iterator[InputProfile]:
    """What a rule's counts are of in the end: through other rules, up to what has been told already."""
    for put in rule.inputs.values():
        other = rules.get(put.rule.partition(".")[0]) if put.rule else None
        if not put.rule:
            yield put
        elif other is not None and other.suppress is None and other.id not in seen:
            yield from _roots(other, rules, seen | {rule.id})


def _meet(one: InputProfile, other: InputProfile) -> bool:
    """Whether two selectors may lead to one stream. By a stream's id and by its property: nobody knows beforehand."""
    if any(name in other.thing and other.thing[name] != value for name, value in one.thing.items()):
        return False
    if one.streams and other.streams:
        return bool(set(one.streams) & set(other.streams))
    if not (one.property and other.property):
        return True
    return bool(_properties(one) & _properties(other))


def _properties(put: InputProfile) -> set[str]:
    return {put.property} if isinstance(put.property, str) else set(put.property)
