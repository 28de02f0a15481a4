"""Which streams a rule reads, and for whom: the streams of its selectors, put together by stream, thing or group."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import shapely

from allmende.domain.errors import InvalidInput
from allmende.domain.policy import Reader
from allmende.domain.query import Compare, Expand, Expression, In, Logic, Page, Path, Query, Value
from allmende.domain.records import Position, ThingDeclaration
from allmende.domain.rules import ALL, BY_STREAM, BY_THING, GroupProfile, InputProfile
from allmende.domain.store import Store
from allmende.domain.units import converter
from allmende.knowledge.prepare import Rule

_PAGE = 1_000
Convert = Callable[[float], float]


class Member(msgspec.Struct, frozen=True):
    """A stream that a rule reads; ``convert`` turns its numbers into the rule's unit (None: they are in it)."""

    stream: str
    convert: Convert | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One for whom a rule gives something. ``facts`` are numbers of the group's table, by column."""

    key: str
    thing: ThingDeclaration
    inputs: dict[str, tuple[Member, ...]]
    facts: dict[str, float | None] = {}
    kept: frozenset[str] = frozenset()
    """Ids of the streams among them of which those may not know who see what the rule gives."""

    @property
    def streams(self) -> list[str]:
        """The ids of all streams that it reads."""
        return sorted({member.stream for members in self.inputs.values() for member in members})


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as selectors see it."""

    id: str
    unit: str
    properties: Mapping[str, Any]
    thing: str
    thing_properties: Mapping[str, Any]
    places: tuple[Any, ...] = ()
    """Where the thing stands, as shapes."""


class Found(NamedTuple):
    """The groups of a rule as they are now."""

    groups: dict[str, Group]
    problems: list[str]
    """What keeps streams out of them, in words."""
    standing: frozenset[str]
    """Ids of things whose place decides to which group they belong."""


def find_groups(store: Store, reader: Reader, rule: Rule) -> Found:
    """Look for the streams of a rule, and put them together."""
    problems: list[str] = []
    inside = rule.groups is not None and rule.groups.match == "inside"
    look = partial(find_streams, store, simulated=rule.simulated, places=inside)
    # What is derived is seen by whoever sees the rule's dataset, so that the rule sees no more than it may tell of.
    seeing = Reader(name=reader.name, datasets=rule.sees) if reader.sees_all else reader
    found = {name: look(seeing, put) for name, put in rule.profile.inputs.items()}
    if rule.unseen and reader.sees_all:
        for name, put in rule.profile.inputs.items():
            left = len(look(reader, put)) - len(found[name])
            if left:
                problems.append(
                    f"{rule.id}: {left} streams of {name} are of closed datasets that `opens` does not name"
                )
    grouped: dict[str, dict[str, list[Member]]] = {}
    kept, crossing = _kept(rule, reader, look, found), 0
    listed = rule.groups.groups if rule.groups else ()
    outlines = {group.key: shapely.geometry.shape(dict(group.outline)) for group in listed if group.outline}
    for name, streams in found.items():
        for stream in streams:
            try:
                convert = _convert(stream, rule.profile.inputs[name])
            except InvalidInput as error:
                problems.append(f"{rule.id}: stream {stream.id}: {error.message}")
                continue
            keys_of = _keys(rule, stream, outlines)
            if rule.profile.suppress is not None and len(keys_of) > 1:
                crossing += 1
                continue
            for key in keys_of:
                grouped.setdefault(key, {}).setdefault(name, []).append(Member(stream.id, convert))
    if crossing:
        # A district and its city would be a sum and its parts.
        problems.append(f"{rule.id}: {crossing} streams stand in several groups; people are told of in one alone")
    things = {
        stream.id if rule.profile.by == BY_STREAM else stream.thing: stream for s in found.values() for stream in s
    }
    keys: Iterable[str] = [group.key for group in rule.groups.groups] if rule.groups else grouped
    if grouped and (awaited := _awaited(store, reader, rule)):
        # It comes with its own source, perhaps tomorrow: until then there is nothing to hang a value on.
        problems.append(f"{rule.id}: there is no Thing {awaited!r} yet, and so no values")
        keys = ()
    return Found(
        {key: _group(rule, key, grouped.get(key, {}), things, kept) for key in keys},
        problems,
        frozenset(stream.thing for stream in things.values()) if inside else frozenset(),
    )


def _kept(
    rule: Rule, reader: Reader, look: Callable[[Reader, InputProfile], list[Stream]], found: Mapping[str, list[Stream]]
) -> frozenset[str]:
    """The streams that the rule reads by its ``opens`` alone: who sees what it gives does not hear of them."""
    if not (rule.profile.opens and reader.sees_all):
        return frozenset()
    told = Reader(name=reader.name, datasets=rule.sees & {rule.profile.dataset})
    seen = {stream.id for put in rule.profile.inputs.values() for stream in look(told, put)}
    return frozenset(stream.id for streams in found.values() for stream in streams if stream.id not in seen)


def _group(
    rule: Rule, key: str, inputs: dict[str, list[Member]], things: Mapping[str, Stream], kept: frozenset[str]
) -> Group:
    named = {
        name: tuple(sorted(inputs.get(name, ()), key=lambda member: member.stream)) for name in rule.profile.inputs
    }
    if rule.groups is not None:
        group = next(group for group in rule.groups.groups if group.key == key)
        facts = {column: _number(group.facts.get(column)) for column in rule.groups.facts}
        return Group(key=key, thing=_thing_of_group(rule, group), inputs=named, facts=facts, kept=kept)
    if rule.profile.by == ALL:
        return Group(key=key, thing=_thing_of_rule(rule), inputs=named, kept=kept)
    thing = ThingDeclaration(id=things[key].thing, name="", kept=True)
    return Group(key=key, thing=thing, inputs=named, kept=kept)


def _awaited(store: Store, reader: Reader, rule: Rule) -> str:
    """The thing of another source to which the rule's values belong, where it is not there; else ""."""
    thing = None if rule.groups is not None or rule.profile.by != ALL else _thing_of_rule(rule)
    if thing is None or not thing.kept:
        return ""
    there = store.find(Query(entity="Thing", reader=reader, id=thing.id, select=("id",))).rows
    return "" if there else thing.id


def _number(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _thing_of_group(rule: Rule, group: GroupProfile) -> ThingDeclaration:
    groups = rule.groups
    assert groups is not None
    properties: dict[str, Any] = {"kind": groups.kind, "source": groups.source, "date": groups.date, **group.facts}
    lon, lat = group.lon, group.lat
    if group.outline is not None:
        properties["outline"] = group.outline
        if lon is None:
            inside = shapely.geometry.shape(dict(group.outline)).representative_point()
            lon, lat = round(inside.x, 6), round(inside.y, 6)
    return ThingDeclaration(
        id=group.thing,
        name=group.name,
        description=groups.title.get(rule.language, ""),
        properties=properties,
        position=None if lon is None or lat is None else Position(lon, lat),
    )


def _thing_of_rule(rule: Rule) -> ThingDeclaration:
    thing = rule.profile.thing
    assert thing is not None
    if not thing.name:
        return ThingDeclaration(id=thing.id, name="", kept=True)
    return ThingDeclaration(
        id=thing.id,
        name=thing.name,
        description=thing.description,
        properties={"kind": thing.kind} if thing.kind else {},
        position=None if thing.lon is None or thing.lat is None else Position(thing.lon, thing.lat),
    )


def _keys(rule: Rule, stream: Stream, outlines: Mapping[str, Any]) -> list[str]:
    """The groups that a stream belongs to."""
    by = rule.profile.by
    if by == ALL:
        return [ALL]
    if by in (BY_STREAM, BY_THING):
        return [stream.id if by == BY_STREAM else stream.thing]
    groups = rule.groups
    assert groups is not None
    if groups.match == "members":
        return [group.key for group in groups.groups if stream.thing in group.members]
    if groups.match == "property":
        said = _plain(stream.thing_properties.get(groups.property))
        return [group.key for group in groups.groups if group.key == said]
    return [key for key, outline in outlines.items() if any(outline.covers(place) for place in stream.places)]


def _plain(value: Any) -> str:
    """A property as text; a fact of the profile stands for its first figure."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("value")
    return "" if value is None else str(value)


def _convert(stream: Stream, put: InputProfile) -> Convert | None:
    return converter(stream.unit, put.unit) if put.unit and put.type == "number" else None


def find_streams(
    store: Store, reader: Reader, put: InputProfile, *, simulated: bool = False, places: bool = False
) -> list[Stream]:
    """The streams of a selector, in the order of their ids; with the ``places`` of their things. What rules give is
    read by the rule's name alone: a property or an id could lead a rule to itself."""
    things = Query(entity="Thing", reader=reader, select=("id", "properties"), simulated=simulated)
    if places:
        standing = Query(entity="Location", reader=reader, select=("location",), top=10)
        things = msgspec.structs.replace(things, expand=(Expand(relation="Locations", query=standing),))
    query = Query(
        entity="Datastream",
        reader=reader,
        filter=_filter(put),
        select=("unitOfMeasurement", "properties"),
        expand=(Expand(relation="Thing", query=things),),
        top=_PAGE,
        simulated=simulated,
    )
    found: list[Stream] = []
    while True:
        page = store.find(query)
        found += [stream for row in page.rows for stream in _read(page, row) if bool(put.rule) == _derived(stream)]
        if page.next is None:
            return sorted(found, key=lambda stream: stream.id)
        query = msgspec.structs.replace(query, after=page.next)


def _derived(stream: Stream) -> bool:
    return "rule" in stream.properties


def _filter(put: InputProfile) -> Expression:
    if put.streams:
        conditions: list[Expression] = [In(Path(("id",)), tuple(Value(id_, "string") for id_ in put.streams))]
    elif put.rule:
        rule, _, output = put.rule.partition(".")
        conditions = [_equals(("properties", "rule"), rule), _equals(("properties", "output"), output)]
    else:
        wanted = [put.property] if isinstance(put.property, str) else put.property
        conditions = [In(Path(("ObservedProperty", "id")), tuple(Value(id_, "string") for id_ in wanted))]
    conditions += [_equals(("Thing", "properties", name), value) for name, value in put.thing.items()]
    return conditions[0] if len(conditions) == 1 else Logic("and", tuple(conditions))


def _equals(path: Sequence[str], value: str | int | float | bool) -> Compare:
    kind: Any = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
    return Compare("eq", Path(tuple(path)), Value(value, kind))


def _read(page: Page, row: tuple[Any, ...]) -> Iterable[Stream]:
    pk, stream, unit, properties = row[:4]
    things = page.expanded["Thing"].get(pk)
    if things is None or not things.rows:
        return
    thing = things.rows[0]
    spots = things.expanded.get("Locations", {}).get(thing[0])
    yield Stream(
        id=str(stream),
        unit=str(_decode(unit).get("symbol") or ""),
        properties=_decode(properties),
        thing=str(thing[1]),
        thing_properties=_decode(thing[2]),
        places=tuple(_shape(spot[-1]) for spot in spots.rows) if spots else (),
    )


def _shape(text: str) -> Any:
    return shapely.from_geojson(text)


def _decode(text: Any) -> dict[str, Any]:
    value = msgspec.json.decode(text) if text else {}
    return value if isinstance(value, dict) else {}
