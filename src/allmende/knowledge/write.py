"""Keeping what a rule gave: values that are new or other, and the end of those that are no more."""

import math
from collections.abc import Iterable, Iterator

import msgspec

from allmende.domain.batch import Batch, Receipt, Removal
from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.ingest import check_declaration
from allmende.domain.policy import Reader
from allmende.domain.query import Compare, Expression, Logic, Path, Query, Step, Value
from allmende.domain.records import Declaration, Property, SensorDeclaration, Series, Unit
from allmende.domain.rules import SuppressProfile
from allmende.domain.store import Store
from allmende.domain.wording import said_of
from allmende.knowledge.evaluate import Outcome
from allmende.knowledge.groups import Group
from allmende.knowledge.language import Scalar
from allmende.knowledge.lineage import Lineage, describe
from allmende.knowledge.prepare import Rule

_AT_ONCE = 50
RERUN = "rerun/"
"""How the origin of values begins that a re-run put in the place of others: nobody is alarmed by them."""


def output_stream(rule: Rule, group: Group, output: str) -> str:
    """The id of the stream that a rule gives for a group."""
    return filled(rule.profile.outputs[output].stream or "{group}~" + output, rule, group)


def filled(template: str, rule: Rule, group: Group) -> str:
    """An id that a rule says, with ``{stream}``, ``{thing}`` or ``{group}``, for a group."""
    by_stream = rule.profile.by == "stream"
    name = group.key if by_stream else group.thing.id
    for mark, text in (("{group}", name), ("{stream}", group.key if by_stream else name), ("{thing}", group.thing.id)):
        template = template.replace(mark, text)
    return template


def write_outcomes(
    store: Store,
    reader: Reader,
    rule: Rule,
    given: Iterable[tuple[Group, Outcome]],
    lineage: Lineage,
    *,
    received_at: int,
    rerun: bool = False,
) -> Receipt:
    """Keep what a rule gave for its groups in the transaction that is open: that, and nothing else in its spans. What
    was deleted is counted as ``gone``.

    Raises InvalidInput and Conflict where the streams cannot be kept.
    """
    declared: dict[str, tuple[Group, Declaration]] = {}
    series: list[Series] = []
    gone = 0
    for group, outcome in given:
        streams = dict(lineage.outputs.get((rule.id, group.key), {}))
        for output, values in outcome.values.items():
            stream = output_stream(rule, group, output)
            if stream not in declared and streams.get(output) != stream:
                _check_ours(store, reader, rule, stream)
            streams[output] = stream
            kept = kept_values(rule, output, outcome.times, values)
            gone += _remove(store, reader, stream, outcome, {time for time, _ in kept}, rule, received_at)
            if kept:
                declared.setdefault(stream, (group, _declared(rule, group, output, stream)))
                series.append(Series(stream=stream, times=[t for t, _ in kept], results=[value for _, value in kept]))
        for output, stream in streams.items():
            if output not in outcome.values:  # the rule gave it once
                gone += _remove(store, reader, stream, outcome, set(), rule, received_at)
    if not series:
        return Receipt(gone=gone)
    receipt = store.append(
        Batch(
            origin=f"{RERUN}{rule.id}" if rerun else rule.origin,
            declared_by=rule.origin,
            dataset=rule.profile.dataset,
            reader=reader,
            received_at=received_at,
            version=rule.edition,
            declarations=[declaration for _, declaration in declared.values()],
            series=series,
            name=rule.profile.file,
        )
    )
    for group, declaration in declared.values():
        output = declaration.properties["output"]
        lineage.note(rule.id, group.key, output, declaration.stream, group.thing.id, group.streams)
    receipt.gone += gone
    return receipt


def _declared(rule: Rule, group: Group, output: str, stream: str) -> Declaration:
    declaration = _declaration(rule, group, output, stream)
    problem = check_declaration(declaration)
    if problem:
        raise InvalidInput(f"the stream {stream}: {problem}", where=rule.profile.place)
    return declaration


def _check_ours(store: Store, reader: Reader, rule: Rule, stream: str) -> None:
    """Raise Conflict where a stream of this id is a source's, a client's or another rule's."""
    for row in store.find(Query(entity="Datastream", reader=reader, id=stream, select=("properties",))).rows:
        properties = msgspec.json.decode(row[2]) if row[2] else {}
        if properties.get("rule") != rule.id:
            raise Conflict(f'"{stream}" is there already, and not of this rule', where=rule.profile.place)


def kept_values(rule: Rule, output: str, times: list[int], values: list[Scalar]) -> list[tuple[int, Scalar]]:
    """What of an output's values becomes readings: times with what is kept there."""
    said = rule.profile.outputs[output]
    if rule.profile.suppress is not None:
        values = [suppressed(value, rule.profile.suppress) for value in values]
    return [
        (time, round(value) if said.type == "count" and isinstance(value, float) and value.is_integer() else value)
        for time, value in zip(times, values, strict=True)
        if value is not None or said.missing == "null"
    ]


def suppressed(value: Scalar, said: SuppressProfile) -> Scalar:
    """A count of people as it is told. Few are not told of, nor that there was nobody: that would tell what the others
    are not. Halves are rounded up."""
    if value is None or isinstance(value, str | bool) or value < said.below:
        return None
    return math.floor(value / said.step + 0.5) * said.step


def _declaration(rule: Rule, group: Group, output: str, stream: str) -> Declaration:
    said, language = rule.profile.outputs[output], rule.language
    observed = said.property
    name = observed.name.get(language) or observed.id
    title = rule.profile.title.get(language) or rule.id
    measured = said.type in ("measurement", "count")
    return Declaration(
        stream=stream,
        name=f"{group.thing.name or group.key}: {name}",
        description=rule.profile.description.get(language) or title,
        thing=group.thing,
        sensor=SensorDeclaration(
            id=f"rule-{rule.id}",
            name=title,
            description=rule.profile.description.get(language, ""),
            encoding_type="application/json",
            metadata={"rule": rule.id, "file": rule.profile.file},
        ),
        observed_property=said_of(
            rule.words,
            Property(
                id=observed.id, name=name, definition=observed.definition or f"urn:x-allmende:property:{observed.id}"
            ),
            language,
        ),
        unit=_unit(said.unit, said.unit_name) if measured else Unit("1", "1", "https://ucum.org/ucum"),
        observation_type=said.type,
        properties=describe(rule, group, output),
    )


def _unit(symbol: str, name: str) -> Unit:
    return Unit(name or symbol or "1", symbol or "1", "https://ucum.org/ucum")


def _remove(
    store: Store, reader: Reader, stream: str, outcome: Outcome, kept: set[int], rule: Rule, received_at: int
) -> int:
    """Delete the readings of a span that are given no more; gives how many."""
    there = store.points(reader, stream, outcome.low, outcome.high + 1).times
    gone = [time for time in there if time not in kept]
    if not gone:
        return 0
    whole = len(gone) == len(there)
    for condition in [_within(outcome.low, outcome.high)] if whole else _at(gone):
        target = Query(
            entity="Observation",
            reader=reader,
            path=(Step("Datastream", stream, "Observations"),),
            filter=condition,
        )
        store.remove(Removal(target=target, origin=rule.origin, received_at=received_at))
    return len(gone)


_WHEN = Path(("phenomenonTime",))


def _within(low: int, high: int) -> Expression:
    return Logic("and", (Compare("ge", _WHEN, Value(low, "instant")), Compare("le", _WHEN, Value(high, "instant"))))


def _at(times: list[int]) -> Iterator[Expression]:
    for place in range(0, len(times), _AT_ONCE):
        same: list[Expression] = [
            Compare("eq", _WHEN, Value(time, "instant")) for time in times[place : place + _AT_ONCE]
        ]
        yield same[0] if len(same) == 1 else Logic("or", tuple(same))
