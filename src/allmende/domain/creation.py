"""From a client's JSON body to entities that a Store can create: checked, in order, to any depth.

Errors name the place in the body, e.g. ``Datastreams[0].unitOfMeasurement``.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from shapely import from_geojson
from shapely.errors import ShapelyError

from allmende.domain import ids, times
from allmende.domain.batch import NewEntity, Ref
from allmende.domain.bounds import USUAL, Bounds, check_observation
from allmende.domain.errors import InvalidInput, LimitExceeded, NotSupported
from allmende.domain.model import ENTITIES, Attribute, EntityType, Kind, Relation
from allmende.domain.query import ResultKind
from allmende.domain.tasking import check_description

MAX_DEPTH = 64
"""Levels of JSON inside of one value: SQLite reads 1,000, other readers fewer."""
GEOJSON = frozenset({"application/geo+json", "application/vnd.geo+json"})


def plan_creation(
    entity: str,
    body: object,
    *,
    now: int,
    links: Mapping[str, Ref] | None = None,
    max_entities: int = 1000,
    bounds: Bounds = USUAL,
) -> list[NewEntity]:
    """The entities that a body asks for, each after those that it refers to; the body's own has an empty ``where``.

    ``links`` are relations that the address gives (``Datastreams('a')/Observations``). Raises InvalidInput.
    """
    planner = _Planner(now, max_entities, bounds)
    try:
        planner.add(ENTITIES[entity], body, dict(links or {}), "")
    except RecursionError:
        raise InvalidInput("entities lie too deep within each other; send them in pieces") from None
    return planner.made


class _Planner:
    def __init__(self, now: int, max_entities: int, bounds: Bounds) -> None:
        self.now = now
        self.max_entities = max_entities
        self.bounds = bounds
        self.made: list[NewEntity] = []
        self.touched = 0

    def add(self, entity: EntityType, body: object, links: dict[str, Ref], where: str) -> int:
        """Plan one entity with everything inside it; gives its place."""
        if not isinstance(body, dict):
            raise InvalidInput(f"a {entity.name} is a JSON object", where=where)
        related, values, own_id = self._split(entity, body, where)
        kept: dict[str, tuple[Ref, ...]] = {name: (ref,) for name, ref in links.items()}
        later: list[tuple[Relation, dict[str, Any], str]] = []
        for relation, inline, place in related:
            if relation.name in links and not relation.many:
                _check_same(links[relation.name], inline, place)
                continue
            places = [f"{place}[{i}]" if relation.many else place for i in range(len(inline))]
            pairs = list(zip(inline, places, strict=True))
            if relation.many and not relation.holds:
                # What says that it belongs here needs this to be there first; those that exist are only named.
                named = _may_name(relation)
                later += [(relation, item, at) for item, at in pairs if not (named and names_existing(item))]
                pairs = [(item, at) for item, at in pairs if named and names_existing(item)]
            refs = tuple(self._reference(relation, item, at) for item, at in pairs)
            kept[relation.name] = kept.get(relation.name, ()) + refs
        for relation in entity.relations:
            if relation.required and not kept.get(relation.name):
                raise InvalidInput(f"{relation.name} is missing", where=where or entity.name)
        check_one_of(entity, {**values, **kept}, where)
        if entity.name == "MultiDatastream":
            check_widths(values, len(kept["ObservedProperties"]), where)
        self._count()
        place_in_batch = len(self.made)
        self.made.append(NewEntity(entity=entity.name, id=own_id, values=values, links=kept, where=where))
        for relation, item, place in later:
            if names_existing(item):
                inverse = ENTITIES[relation.target].relation(relation.inverse)
                if inverse is None or inverse.many:
                    raise NotSupported(f"putting this into an existing {relation.target} by a deep insert", where=place)
                # It hangs on this from now on, and no longer on what it hung on.
                self._count()
                kept[relation.name] = (*kept.get(relation.name, ()), Ref(id=id_of(item, place)))
                continue
            self.add(ENTITIES[relation.target], item, {relation.inverse: Ref(place=place_in_batch)}, place)
        return place_in_batch

    def _count(self) -> None:
        """One more is made or changed."""
        self.touched += 1
        if self.touched > self.max_entities:
            raise LimitExceeded(f"more than {self.max_entities} entities at once", setting="ALLMENDE_DEEP_INSERT_MAX")

    def _reference(self, relation: Relation, item: dict[str, Any], where: str) -> Ref:
        if names_existing(item):
            return Ref(id=id_of(item, where))
        return Ref(place=self.add(ENTITIES[relation.target], item, {}, where))

    def _split(
        self, entity: EntityType, body: dict[str, Any], where: str
    ) -> tuple[list[tuple[Relation, list[dict[str, Any]], str]], dict[str, Any], str | None]:
        """Tell apart what are relations, attributes and the id; refuse what is none of them."""
        related = []
        values: dict[str, Any] = {}
        own_id = id_of(body, where)
        dot = f"{where}." if where else ""
        for key, value in body.items():
            attribute, relation = entity.attribute(key), entity.relation(key)
            if key == "id" or "@iot." in key:
                continue  # ids were read above; links that a client echoes back say nothing new
            if attribute is not None:
                if not attribute.computed:
                    values[key] = keep_value(attribute, value, f"{dot}{key}", body)
            elif relation is not None:
                related.append((relation, _inline(relation, value, f"{dot}{key}"), f"{dot}{key}"))
            else:
                raise InvalidInput(f"{entity.name} has no property {key!r}", where=f"{dot}{key}")
        for attribute in entity.attributes:
            if attribute.required and attribute.name not in values:
                raise InvalidInput(f"{attribute.name} is missing", where=where or entity.name)
        for attribute in entity.attributes:
            if attribute.now and values.get(attribute.name) is None:
                values[attribute.name] = time_of_house(attribute, self.now)
        if entity.name == "Observation":
            check_observation(values, where, now=self.now, bounds=self.bounds)
        return related, values, own_id


def time_of_house(attribute: Attribute, now: int) -> Any:
    """What stands where nobody says a time, in kept form."""
    return times.Interval(now) if attribute.kind is Kind.INTERVAL else now


def check_one_of(entity: EntityType, said: Mapping[str, Any], where: str) -> None:
    """Of some attributes and relations exactly one is there (:attr:`EntityType.one_of`)."""
    if not entity.one_of:
        return
    there = [name for name in entity.one_of if said.get(name)]
    if not there:
        raise InvalidInput(f"{' or '.join(entity.one_of)} is missing", where=where or entity.name)
    if len(there) > 1:
        raise InvalidInput(f"it has {' and '.join(there)}; it takes one of them", where=where or entity.name)


def check_widths(values: Mapping[str, Any], properties: int, where: str = "") -> None:
    """A MultiDatastream's lists are one as long as the other, in one order (18-088, requirement
    multi-datastream/constraints). The lists come in kept form; those that are not there are not looked at."""
    dot = f"{where}." if where else ""
    for name, item, word in (
        ("multiObservationDataTypes", str, "a text each"),
        ("unitOfMeasurements", dict | None, "an object each"),
    ):
        if name not in values:
            continue
        listed = msgspec.json.decode(values[name])
        if not all(isinstance(one, item) for one in listed):
            raise InvalidInput(f"{name} are {word}", where=f"{dot}{name}")
        if len(listed) != properties:
            raise InvalidInput(
                f"{name} are {len(listed)}, ObservedProperties {properties}; there is one for each",
                where=f"{dot}{name}",
            )


def keep_row(result: tuple[int, Any], width: int, where: str) -> tuple[int, Any]:
    """A result of a MultiDatastream with so many ObservedProperties: a list with a value for each of them."""
    listed = msgspec.json.decode(result[1]) if result[0] in (ResultKind.JSON, ResultKind.ROW) else None
    if not isinstance(listed, list):
        raise InvalidInput(f"a MultiDatastream takes a list of {width}", where=where)
    if len(listed) != width:
        raise InvalidInput(f"a MultiDatastream takes a list of {width}, this is one of {len(listed)}", where=where)
    return ResultKind.ROW, result[1]


def keep_value(attribute: Attribute, value: Any, where: str, body: Mapping[str, Any]) -> Any:
    """The value in the form in which it is kept; raises InvalidInput that names ``where``."""
    kind = attribute.kind
    if kind is Kind.RESULT:
        return keep_result(value, where)
    if value is None:
        if attribute.required and kind is not Kind.JSON:
            raise InvalidInput(f"{attribute.name} must not be null", where=where)
        return None
    if kind is Kind.STRING:
        if not isinstance(value, str):
            raise InvalidInput(f"a text is asked for, not {_kind_of(value)}", where=where)
        if attribute.choices and value not in attribute.choices:
            raise InvalidInput(f"{attribute.name} is {' or '.join(attribute.choices)}", where=where)
        return _keep_text(value, where)
    if kind in (Kind.INSTANT, Kind.INTERVAL):
        if not isinstance(value, str):
            raise InvalidInput(f"a time such as 2024-04-30T23:45:02Z is asked for, not {_kind_of(value)}", where=where)
        try:
            return times.parse_instant(value) if kind is Kind.INSTANT else times.parse_interval(value)
        except InvalidInput as error:
            raise InvalidInput(error.message, where=where) from None
    if kind is Kind.OBJECT and not isinstance(value, dict):
        raise InvalidInput(f"a JSON object is asked for, not {_kind_of(value)}", where=where)
    if kind is Kind.LIST and not isinstance(value, list):
        raise InvalidInput(f"a list is asked for, not {_kind_of(value)}", where=where)
    if attribute.swe:
        check_description(value, where)
    if kind is Kind.GEOMETRY and body.get("encodingType") in GEOJSON:
        check_geojson(value, where)
    return _keep_json(value, where)


def keep_result(value: Any, where: str = "result") -> tuple[int, Any]:
    """(:class:`ResultKind`, value) of a result."""
    if value is None:
        return ResultKind.NULL, None
    if isinstance(value, bool):
        return ResultKind.BOOLEAN, int(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise InvalidInput("a whole number of more than 64 bits", where=where)
        return ResultKind.INTEGER, value
    if isinstance(value, float):
        return ResultKind.DECIMAL, value
    if isinstance(value, str):
        return ResultKind.STRING, _keep_text(value, where)
    return ResultKind.JSON, _keep_json(value, where)


def encode(value: Any) -> str:
    """JSON as it is kept: compact text."""
    return msgspec.json.encode(value).decode()


def check_geojson(value: Any, where: str) -> None:
    """Refuse what is no GeoJSON geometry or Feature in degrees; names what is wrong."""
    geometry = value.get("geometry") if isinstance(value, dict) and value.get("type") == "Feature" else value
    if not isinstance(geometry, dict) or not isinstance(geometry.get("type"), str):
        raise InvalidInput("GeoJSON is an object with a type and coordinates", where=where)
    try:
        # The reader that works out the observed areas: what passes here is understood there.
        west, south, east, north = from_geojson(_keep_json(geometry, where)).bounds
    except ShapelyError as error:
        raise InvalidInput(f"no GeoJSON geometry: {error}", where=where) from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput("coordinates are longitude (-180 to 180), latitude (-90 to 90)", where=where)


def _may_name(relation: Relation) -> bool:
    """Whether something new may be put into what is there already: nothing else is said of that by it."""
    inverse = ENTITIES[relation.target].relation(relation.inverse)
    return inverse is not None and inverse.holds and not inverse.required


def names_existing(item: Mapping[str, Any]) -> bool:
    """Whether an inline entity is the id of one that exists, and not one to be made."""
    return len(item) == 1 and ("@iot.id" in item or "id" in item)


def _keep_json(value: Any, where: str) -> str:
    """JSON as it is kept; refuses what other readers of it could not take."""
    if too_deep(value):
        raise InvalidInput(f"more than {MAX_DEPTH} levels of JSON within each other", where=where)
    text = encode(value)
    if holds_nul(text):
        raise InvalidInput("the character NUL cannot be kept", where=where)
    return text


def _keep_text(value: str, where: str) -> str:
    # PostgreSQL keeps no NUL, and both engines mean the same.
    if "\x00" in value:
        raise InvalidInput("the character NUL cannot be kept", where=where)
    return value


def holds_nul(json: str) -> bool:
    """Whether a text of this JSON holds the character NUL."""
    return "\\u0000" in json.replace("\\\\", "")


def too_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether JSON has more than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(too_deep(v, levels - 1) for v in inner)


def _check_same(given: Ref, inline: list[dict[str, Any]], where: str) -> None:
    """What the address or the entity around it says may be said again, but not otherwise."""
    if given.id is None or [names_existing(item) and id_of(item, where) for item in inline] != [given.id]:
        raise InvalidInput("this is given by the address or the entity around it; leave it out", where=where)


def _inline(relation: Relation, value: Any, where: str) -> list[dict[str, Any]]:
    items = value if relation.many else [value]
    if not isinstance(items, list):
        raise InvalidInput(f"{relation.name} is a list", where=where)
    for item in items:
        if not isinstance(item, dict):
            raise InvalidInput(f"a {relation.target} is a JSON object", where=where)
    return items


def id_of(item: Mapping[str, Any], where: str) -> str | None:
    """The id that an inline entity says, None where it says none."""
    value = item.get("@iot.id", item.get("id"))
    if value is None:
        return None
    try:
        return ids.normalise(value)
    except InvalidInput as error:
        raise InvalidInput(error.message, where=f"{where}.@iot.id" if where else "@iot.id") from None


def _kind_of(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "null")
