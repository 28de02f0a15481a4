"""Alerts made ready: their conditions are compiled as rules are, with functions that ask for the clock or for history.

Such a function takes the name of an input that is one stream. It is read before anything is computed: in the tree
``per_hour(level)`` is a name, and what it stands for is known at each look (:mod:`allmende.knowledge.alerts.look`).
"""

from collections.abc import Mapping

import msgspec

from allmende.domain.alerts import CLEAR, RAISE, AlertProfile
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.rules import micros
from allmende.domain.units import Measure, read_unit
from allmende.knowledge.alerts.state import Terms
from allmende.knowledge.language import Apply, Constant, Kind, Name, Node, RuleError, names, parse
from allmende.knowledge.prepare import Prepared, Rule, prepare_rule, prepare_rules
from allmende.knowledge.program import Meaning, Program

SINCE, PER_HOUR, USUAL, DEVIATION = "minutes_since", "per_hour", "usual", "deviation"
HIGHEST, LOWEST = "highest_ahead", "lowest_ahead"
ASKING = (SINCE, PER_HOUR, USUAL, DEVIATION, HIGHEST, LOWEST)
"""Functions that alerts have beside those of rules."""
_TIMED = (SINCE, HIGHEST, LOWEST)
Ask = tuple[str, str]
"""A function and the input that it asks of."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that can be watched for."""

    profile: AlertProfile
    rule: Rule
    edition: str
    asks: frozenset[Ask]
    terms: Terms

    @property
    def id(self) -> str:
        """Its id."""
        return self.profile.id

    @property
    def raises(self) -> Program:
        """What raises it."""
        return self.rule.outputs[RAISE]

    @property
    def clears(self) -> Program:
        """What ends it."""
        return self.rule.outputs[CLEAR]

    @property
    def timed(self) -> bool:
        """Whether the clock alone may raise it, or a forecast, which is no reading of its streams."""
        return any(function in _TIMED for function, _ in self.asks)

    @property
    def foresees(self) -> bool:
        """Whether it speaks of forecasts."""
        return any(function in (HIGHEST, LOWEST) for function, _ in self.asks)


class PreparedAlerts(msgspec.Struct, frozen=True):
    """A city's alerts, and what is wrong with the others."""

    alerts: tuple[Alert, ...]
    errors: dict[str, ProfileError]


def prepare_alerts(profile: Profile, rules: Prepared | None = None) -> PreparedAlerts:
    """All alerts of a profile that are switched on. One that is wrong is left out."""
    ready = {rule.id: rule for rule in (rules or prepare_rules(profile)).rules} if profile.alerts else {}
    found: list[Alert] = []
    errors: dict[str, ProfileError] = {}
    for each in profile.alerts.values():
        if each.enabled:
            try:
                found.append(prepare_alert(each, profile, ready))
            except ProfileError as error:
                errors[each.id] = error
    return PreparedAlerts(tuple(found), errors)


def prepare_alert(alert: AlertProfile, profile: Profile, ready: Mapping[str, Rule]) -> Alert:
    """One alert, given the city's rules. Raises ProfileError."""
    asks: set[Ask] = set()

    def read(text: str) -> Node:
        return _read(parse(text), alert, asks)

    try:
        rule = prepare_rule(alert.rule(), profile, ready, read=read, more=lambda known: _more(alert, known))
    except ProfileError as error:
        raise _named(alert, error) from None
    return Alert(
        profile=alert,
        rule=rule,
        edition=alert.edition(profile.groups),
        asks=frozenset(asks),
        terms=Terms(
            raise_after=micros(alert.raise_after), clear_after=micros(alert.clear_after), lapse=micros(alert.lapse)
        ),
    )


def name_of(ask: Ask) -> str:
    """What a function of an input is called among the values."""
    return f"{ask[0]}({ask[1]})"


def _more(alert: AlertProfile, known: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """What may be asked of each input that is one stream of numbers."""
    one = read_unit("1")
    hour = read_unit("h")
    found: dict[str, Meaning] = {}
    for name in alert.inputs:
        meaning = known[name]
        found[name_of((SINCE, name))] = Meaning(Kind("number"), read_unit("min"))
        if meaning.kind.base is not None or meaning.kind.type != "number":
            continue
        units: dict[str, Measure | None] = dict.fromkeys((USUAL, HIGHEST, LOWEST), meaning.unit)
        # a difference of degrees is no temperature: of a unit with an offset no rate is told
        plain = meaning.unit is not None and not meaning.unit.offset
        units[PER_HOUR] = meaning.unit.times(hour, -1) if meaning.unit is not None and plain else None
        units[DEVIATION] = one
        for function, unit in units.items():
            found[name_of((function, name))] = Meaning(Kind("number"), unit)
    return found


def _read(node: Node, alert: AlertProfile, asks: set[Ask]) -> Node:
    """The tree with a name in the place of each function that asks."""
    if not isinstance(node, Apply):
        return node
    if node.function not in ASKING:
        return msgspec.structs.replace(node, arguments=tuple(_read(each, alert, asks) for each in node.arguments))
    argument = node.arguments[0] if len(node.arguments) == 1 else Constant(None, node.at)
    at = {"line": node.at.line, "column": node.at.column}
    if not isinstance(argument, Name) or argument.name not in alert.inputs:
        raise RuleError("%(function)s() asks for the name of an input here", function=node.function, **at)
    for functions, key in (((PER_HOUR,), "window"), ((HIGHEST, LOWEST), "horizon")):
        if node.function in functions and not getattr(alert, key):
            raise RuleError("%(function)s() needs the alert's %(key)s", function=node.function, key=key, **at)
    ask = (node.function, argument.name)
    asks.add(ask)
    return Name(name_of(ask), node.at)


def _named(alert: AlertProfile, error: ProfileError) -> ProfileError:
    """The key as it stands in the alert, for errors of the two expressions."""
    place = error.place
    for name in (RAISE, CLEAR):
        place = place.removesuffix(".expression") if place == f"{alert.place}.outputs.{name}.expression" else place
        place = place.replace(f"{alert.place}.outputs.{name}", f"{alert.place}.{name}")
    return ProfileError(place, error.template, **error.arguments)


def names_in(alert: AlertProfile) -> frozenset[str]:
    """What the alert's conditions speak of, by name: for those who ask why."""
    texts = (alert.raise_when, alert.clear_when, *alert.steps.values())
    return frozenset(name for text in texts if text for name in names(parse(text)))
