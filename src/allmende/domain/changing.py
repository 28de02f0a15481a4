"""From a client's JSON body to a change of one entity: checked, relations by id alone."""

from collections.abc import Mapping
from typing import Any

from allmende.domain.batch import Ref
from allmende.domain.bounds import USUAL, Bounds, check_observation
from allmende.domain.creation import check_one_of, id_of, keep_value, names_existing, time_of_house
from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.model import ENTITIES, EntityType, Kind, Relation

Plan = tuple[dict[str, Any], dict[str, tuple[Ref, ...]]]
"""``values`` and ``links`` of an :class:`allmende.domain.batch.Amendment`."""


def plan_change(
    entity_name: str,
    identifier: str,
    body: object,
    *,
    current: Mapping[str, Any],
    now: int,
    whole: bool = False,
    most: int = 1000,
    bounds: Bounds = USUAL,
) -> Plan:
    """What a body changes. ``current`` are the entity's attributes as JSON; ``whole`` resets what the body leaves out.
    No relation may name more than ``most``.

    Raises InvalidInput for what is no property, for other entities inside of the body, and for another id.
    """
    entity = ENTITIES[entity_name]
    if not isinstance(body, dict):
        raise InvalidInput(f"a {entity.name} is a JSON object")
    said = id_of(body, "")
    if said is not None and said != identifier:
        raise InvalidInput(f"an id stays what it is, here {identifier!r}", where="@iot.id")
    values: dict[str, Any] = {}
    links: dict[str, tuple[Ref, ...]] = {}
    context = body if whole else {**current, **body}
    for key, value in body.items():
        attribute, relation = entity.attribute(key), entity.relation(key)
        if key == "id" or "@iot." in key:
            continue
        if attribute is not None:
            if not attribute.computed:
                values[key] = keep_value(attribute, value, key, context)
        elif relation is not None:
            links[key] = _links(relation, value, most)
        else:
            raise InvalidInput(f"{entity.name} has no property {key!r}", where=key)
    if whole:
        _reset(entity, values)
    elif "encodingType" in values:
        _recheck(entity, values, context)
    for attribute in entity.attributes:
        if attribute.now and attribute.name in values and values[attribute.name] is None:
            values[attribute.name] = time_of_house(attribute, now)
    if entity.name == "Observation":
        check_observation(values, "", now=now, bounds=bounds)
    _keep_one_of(entity, body, values, links)
    return values, links


def _keep_one_of(
    entity: EntityType, body: Mapping[str, Any], values: dict[str, Any], links: dict[str, tuple[Ref, ...]]
) -> None:
    """Who says another one of :attr:`EntityType.one_of` takes the one before it away."""
    said = [name for name in entity.one_of if name in body]
    if not said:
        return
    check_one_of(entity, body, "")
    for name in entity.one_of:
        if body.get(name):
            continue
        if entity.attribute(name):
            values[name] = None
        else:
            links[name] = ()


def _reset(entity: EntityType, values: dict[str, Any]) -> None:
    """Take away what a whole entity leaves out."""
    for attribute in entity.attributes:
        if attribute.computed or attribute.name in values or attribute.name in entity.one_of:
            continue
        if attribute.required:
            raise InvalidInput(f"{attribute.name} is missing", where=entity.name)
        values[attribute.name] = None


def _recheck(entity: EntityType, values: dict[str, Any], context: Mapping[str, Any]) -> None:
    """Another encodingType: what is kept has to be right in it."""
    for attribute in entity.attributes:
        if attribute.kind is Kind.GEOMETRY and attribute.name in context and attribute.name not in values:
            keep_value(attribute, context[attribute.name], attribute.name, context)


def _links(relation: Relation, value: object, most: int) -> tuple[Ref, ...]:
    many = relation.many
    if many and not relation.holds and not hangs(relation):
        raise InvalidInput(f"{relation.name} are changed one by one, each at its own address", where=relation.name)
    if value is None and not relation.required and not many:
        return ()
    items = value if many else [value]
    if not isinstance(items, list) or (relation.required and not items):
        raise InvalidInput(f'{relation.name} is a list of {{"@iot.id": …}}', where=relation.name)
    if len(items) > most:
        where = relation.name
        raise LimitExceeded(f"more than {most} entities at once", setting="ALLMENDE_DEEP_INSERT_MAX", where=where)
    refs = []
    for place, item in enumerate(items):
        where = f"{relation.name}[{place}]" if many else relation.name
        if not isinstance(item, dict) or not names_existing(item):
            raise InvalidInput(
                f'a change takes no {relation.target} inside of it; name one that exists: {{"@iot.id": …}}', where=where
            )
        refs.append(Ref(id=id_of(item, where)))
    return tuple(refs)


def hangs(relation: Relation) -> bool:
    """Whether what a to-many relation leads to hangs on one entity alone, and so may be told to hang on another."""
    inverse = ENTITIES[relation.target].relation(relation.inverse)
    return relation.many and inverse is not None and not inverse.many


def plan_hanging(relation: Relation, name: str) -> Plan:
    """What changes of an entity that a relation leads to (see :func:`hangs`) when it is to hang on that of this id."""
    target = ENTITIES[relation.target]
    values: dict[str, Any] = {}
    links: dict[str, tuple[Ref, ...]] = {relation.inverse: (Ref(id=name),)}
    _keep_one_of(target, {relation.inverse: name}, values, links)
    return values, links
