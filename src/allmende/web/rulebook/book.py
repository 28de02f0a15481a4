"""What the pages on rules show: the city's rules with what they gave, and how a value came about."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from allmende.domain.errors import AllmendeError, StorageError
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.query import Compare, Expression, Logic, Path, Query, Value
from allmende.domain.rules import RuleProfile
from allmende.domain.store import SourceState, Store
from allmende.domain.tracing import Trace
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.explain import Explanation, Used, explain
from allmende.knowledge.groups import find_groups
from allmende.knowledge.prepare import Prepared, Rule, prepare_rules
from allmende.storage.values import decode_result
from allmende.web.portal.sources import as_moment, spoken
from allmende.web.rules import RULES

SHOWN_STREAMS = 200
SHOWN_READINGS = 100
"""Of each input."""
_ASKED_AT_ONCE = 50


class ListedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with how it fares. ``state`` is ``working``, ``off`` or ``wrong``."""

    rule: RuleProfile
    title: str
    description: str
    dataset: str
    version: str
    state: str
    problem: str
    newest: datetime | None
    given: int
    corrected: int

    @property
    def badge(self) -> str:
        """KERN's name for the colour."""
        return {"working": "success", "wrong": "danger"}.get(self.state, "info")


class ShownStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that a rule gives, and its newest value."""

    id: str
    name: str
    output: str
    group: str
    unit: str
    time: datetime | None
    stamp: int | None
    value: Any


class ShownReading(msgspec.Struct, frozen=True, kw_only=True):
    """A reading that went into a value."""

    stream: str
    time: datetime | None
    seen: Any
    """As the rule saw it."""
    trace: Trace | None
    """None for one that is kept no more as it was."""

    @property
    def received(self) -> datetime | None:
        """When it came in."""
        return as_moment(self.trace.received_at) if self.trace else None

    @property
    def rule(self) -> str:
        """The rule that gave it; "" for a source's."""
        origin = self.trace.origin if self.trace else ""
        head, _, name = origin.partition("/")
        return name if head in ("rule", "rerun") else ""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How a value came about."""

    stream: ShownStream
    trace: Trace
    explanation: Explanation | None
    inputs: dict[str, list[ShownReading]]
    more: dict[str, int]
    """By input: so many readings more than are shown, of those that the reader may see."""
    hidden: bool
    """Whether there are others. How many is not said: each may be somebody who passed."""
    agrees: bool
    """Whether the rule gives this value of what is kept now."""
    version: str
    """Of the rule as it is in force now."""
    received: datetime | None
    start: datetime | None
    end: datetime | None


def list_rules(profile: Profile, states: dict[str, SourceState]) -> list[ListedRule]:
    """Every rule, in the profile's order; those that are switched off last."""
    prepared = prepare_rules(profile)
    listed = [describe(rule, profile, prepared, states) for rule in profile.rules.values()]
    return sorted(listed, key=lambda one: one.state == "off")


def describe(rule: RuleProfile, profile: Profile, prepared: Prepared, states: dict[str, SourceState]) -> ListedRule:
    """One rule."""
    known = states.get(f"rule/{rule.id}")
    problem = prepared.problems.get(rule.id, "")
    return ListedRule(
        rule=rule,
        title=spoken(rule.title) or rule.id,
        description=spoken(rule.description),
        dataset=spoken(profile.datasets[rule.dataset].title),
        version=rule.edition(profile.groups),
        state="wrong" if problem else "working" if rule.enabled else "off",
        problem=problem,
        newest=as_moment(known.newest) if known else None,
        given=known.accepted if known else 0,
        corrected=known.corrected if known else 0,
    )


def derived_streams(store: Store, reader: Reader, rule: str, *, stream: str = "") -> list[ShownStream]:
    """The streams that a rule gives and that the reader may see, or the one of this id, with their newest values."""
    which: Expression = Compare("eq", Path(("properties", "rule")), Value(rule, "string"))
    if stream:
        which = Logic("and", (which, Compare("eq", Path(("id",)), Value(stream, "string"))))
    query = Query(
        entity="Datastream",
        reader=reader,
        filter=which,
        select=("name", "unitOfMeasurement", "properties"),
        top=SHOWN_STREAMS,
        simulated=True,
    )
    newest = {row[0]: (row[2], decode_result(*row[3])) for row in store.newest(query).rows}
    found = []
    page = store.find(query)
    for row in page.rows:
        said = dict(zip(page.columns, row, strict=True))
        properties = _decode(said.get("properties"))
        stamp, value = newest.get(said["id"], (None, None))
        found.append(
            ShownStream(
                id=str(said["id"]), name=str(said["name"]), output=str(properties.get("output", "")),
                group=str(properties.get("group", "")), unit=_unit(said.get("unitOfMeasurement")),
                time=as_moment(stamp), stamp=stamp, value=value,
            )
        )  # fmt: skip
    return found


def _decode(text: Any) -> dict[str, Any]:
    value = msgspec.json.decode(text) if isinstance(text, str | bytes) and text else text
    return value if isinstance(value, dict) else {}


def _unit(text: Any) -> str:
    symbol = str(_decode(text).get("symbol") or "")
    return "" if symbol == "1" else symbol


def how_made(store: Store, reader: Reader, rule: Rule, stream: ShownStream, stamp: int, limits: Limits) -> Made | None:
    """How a stream's value at a time came about, for this reader; None where there is none.

    What it was made of is what the rule makes it of now: ``agrees`` says whether that is the same value.
    """
    traces = store.traces(reader, stream.id, stamp, stamp + 1, 1)
    if not traces:
        return None
    group = find_groups(store, RULES, rule).groups.get(stream.group)
    found: Explanation | None = None
    if group is not None:
        try:
            found = explain(store, RULES, rule, group, stamp, limits)
        except StorageError:
            raise
        except AllmendeError:
            found = None  # more readings than one evaluation may take in: the value stands there without them
    inputs: dict[str, list[ShownReading]] = {}
    more: dict[str, int] = {}
    hidden = False
    every = found.inputs if found else {}
    seen = _seen(store, reader, {one.stream for used in every.values() for one in used})
    for name, all_used in every.items():
        used = [one for one in all_used if one.stream in seen]
        hidden = hidden or len(used) < len(all_used)
        inputs[name] = [one for one in _readings(store, reader, used[-SHOWN_READINGS:]) if one.trace is not None]
        if len(used) > SHOWN_READINGS:
            more[name] = len(used) - SHOWN_READINGS
    if found is not None and hidden:
        found = found._replace(steps={})
    return Made(
        stream=stream,
        trace=traces[0],
        explanation=found,
        inputs=inputs,
        more=more,
        hidden=hidden,
        # Of people it is not said either whether some came late.
        agrees=found is not None
        and (rule.profile.suppress is not None or found.outputs.get(stream.output) == traces[0].result),
        version=rule.edition,
        received=as_moment(traces[0].received_at),
        start=as_moment(found.start) if found else None,
        end=as_moment(found.end) if found else None,
    )


def _seen(store: Store, reader: Reader, streams: set[str]) -> set[str]:
    """Those of the streams that a reader may see; their readings are as visible as they are."""
    found: set[str] = set()
    listed = sorted(streams)
    for place in range(0, len(listed), _ASKED_AT_ONCE):
        some: list[Expression] = [
            Compare("eq", Path(("id",)), Value(stream, "string")) for stream in listed[place : place + _ASKED_AT_ONCE]
        ]
        which = some[0] if len(some) == 1 else Logic("or", tuple(some))
        query = Query(
            entity="Datastream", reader=reader, filter=which, select=("name",), top=_ASKED_AT_ONCE, simulated=True
        )
        page = store.find(query)
        found |= {str(row[page.columns.index("id")]) for row in page.rows}
    return found


def _readings(store: Store, reader: Reader, used: list[Used]) -> Iterable[ShownReading]:
    """Each reading with its trace: one question for each stream."""
    spans: dict[str, tuple[int, int]] = {}
    for one in used:
        low, high = spans.get(one.stream, (one.time, one.time))
        spans[one.stream] = min(low, one.time), max(high, one.time)
    traces = {
        # Of several readings at one time (events, runs of a forecast) the last is the one that counts.
        stream: {trace.time: trace for trace in store.traces(reader, stream, low, high + 1, 10 * SHOWN_READINGS)}
        for stream, (low, high) in spans.items()
    }
    for one in used:
        yield ShownReading(
            stream=one.stream, time=as_moment(one.time), seen=one.value, trace=traces[one.stream].get(one.time)
        )
