"""A change that names what is to hang on an entity: it does from then on, wherever it hung before."""

from typing import Any

import pytest

from allmende.domain.changing import hangs, plan_change
from allmende.domain.errors import Conflict, Forbidden, InvalidInput, LimitExceeded
from allmende.domain.model import ENTITIES
from allmende.domain.policy import Reader
from allmende.domain.query import Step
from allmende.domain.records import Series
from allmende.domain.store import Store
from allmende.storage.relations import JOINS
from tests.storage.test_amendment import change, observe, place, readings
from tests.storage.test_creation import PROPERTY, SENSOR, THING, ids, location, made_id, stream
from tests.support import HOUSE, ask, batch, create

WRITER = Reader(name="token:a", may_write=True)


def named(*names: str) -> list[dict[str, Any]]:
    return [{"@iot.id": name} for name in names]


def below(store: Store, entity: str, name: str, relation: str) -> list[str]:
    target = ENTITIES[entity].relation(relation)
    assert target is not None
    return ids(store, target.target, Step(entity, name, relation))


def test_the_model_and_the_tables_say_the_same() -> None:
    found = {
        (entity.name, relation.name) for entity in ENTITIES.values() for relation in entity.relations if hangs(relation)
    }
    assert found == {way for way, join in JOINS.items() if join.kind == "far"}


@pytest.mark.parametrize(("entity", "body"), [("Thing", THING), ("Sensor", SENSOR), ("ObservedProperty", PROPERTY)])
def test_streams_come_to_hang_on_another(store: Store, entity: str, body: dict[str, Any]) -> None:
    for name in "abc":
        create(store, "Datastream", stream(**{"@iot.id": name}))
    create(store, entity, {**body, "@iot.id": "new"})
    change(store, entity, "new", {"Datastreams": named("a")})
    change(store, entity, "new", {"name": "newer", "Datastreams": named("c", "b")})
    assert below(store, entity, "new", "Datastreams") == ["a", "b", "c"]
    log = [(c.entity, c.id, c.fields) for c in store.entity_changes(0, 100) if c.kind == "update"]
    assert log == [
        (entity, "new", ("Datastreams",)),
        ("Datastream", "a", (entity,)),
        (entity, "new", ("name", "Datastreams")),
        ("Datastream", "c", (entity,)),
        ("Datastream", "b", (entity,)),
    ]


def test_what_moves_observes_at_its_new_place(store: Store) -> None:
    readings(store, 1, Thing={**THING, "Locations": [location(1)]})
    create(store, "Thing", {**THING, "@iot.id": "new", "Locations": [location(9)]})
    change(store, "Thing", "new", {"Datastreams": named("d")})
    observe(store, "d", 2)
    features = ask(store, "FeatureOfInterest", select=("feature",)).rows
    assert ['"coordinates":[9,50.0]' in row[2] for row in features] == [False, True]


def test_observations_move_with_all_that_is_known_of_their_streams(store: Store) -> None:
    first = readings(store, 1, 2)
    create(store, "Datastream", stream(**{"@iot.id": "e"}))
    before = store.newest_change()
    change(store, "Datastream", "e", {"Observations": named(*first)})
    assert [(s.stream, s.count) for s in store.latest(HOUSE)] == [("e", 2)]
    assert [(c.stream, c.kind) for c in store.changes(before, 10)] == [("d", "deletion"), ("e", "append")] * 2
    create(store, "FeatureOfInterest", {**place(5), "@iot.id": "f"})
    change(store, "FeatureOfInterest", "f", {"Observations": named(first[0])})
    assert below(store, "FeatureOfInterest", "f", "Observations") == first[:1]


def test_a_relation_has_one_object(store: Store) -> None:
    one, other = readings(store, 1, 2)
    relation = {"role": "r", "externalResource": "https://example.org/x", "Subject": {"@iot.id": one}}
    name = made_id(store, "Relation", relation)
    before = store.newest_change()
    change(store, "Observation", other, {"Subjects": named(name)})
    assert ask(store, "Relation", select=("externalResource",)).rows[0][2:] == (None,)
    assert below(store, "Observation", other, "Subjects") == [name]
    assert store.changes(before, 10) == []  # the observation says what it said


def test_all_or_nothing_with_the_place_of_what_is_wrong(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "a"}))
    create(store, "Thing", {**THING, "@iot.id": "new"})
    log = store.newest_entity_change()
    with pytest.raises(InvalidInput, match=r"Datastreams\[1\].*there is no Datastream 'b'"):
        change(store, "Thing", "new", {"name": "other", "Datastreams": named("a", "b")})
    assert below(store, "Thing", "new", "Datastreams") == []
    assert store.entity_changes(log, 10) == []


def test_both_ends_have_to_be_ones_own(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    create(store, "Thing", {**THING, "@iot.id": "mine"})
    create(store, "Datastream", stream(**{"@iot.id": "free"}))
    for body in (named("garage~free"), named("free", "garage~free")):
        with pytest.raises(Forbidden, match="parking"):
            change(store, "Thing", "mine", {"Datastreams": body}, reader=WRITER)
    with pytest.raises(Forbidden, match="parking"):
        change(store, "Thing", "garage", {"Datastreams": named("free")}, reader=WRITER)
    with pytest.raises(Conflict, match=r"Datastreams\[0\].Thing: that Thing belongs to another dataset"):
        change(store, "Thing", "garage", {"Datastreams": named("free")})
    assert below(store, "Thing", "mine", "Datastreams") == []
    change(store, "Thing", "mine", {"Datastreams": named("free")}, reader=WRITER)
    assert below(store, "Thing", "mine", "Datastreams") == ["free"]


def test_a_stream_may_hang_on_a_sensor_that_others_use(store: Store) -> None:
    create(store, "Sensor", {**SENSOR, "@iot.id": "shared"})
    create(store, "Thing", {**THING, "@iot.id": "theirs"}, dataset="hidden")
    create(store, "Datastream", stream(**{"@iot.id": "hers", "Thing": {"@iot.id": "theirs"}}), dataset="hidden")
    change(store, "Sensor", "shared", {"Datastreams": named("hers")})
    create(store, "Datastream", stream(**{"@iot.id": "mine"}))
    change(store, "Sensor", "shared", {"Datastreams": named("mine")}, reader=WRITER)
    with pytest.raises(Forbidden):
        change(store, "Sensor", "shared", {"name": "n", "Datastreams": named("mine")}, reader=WRITER)
    assert below(store, "Sensor", "shared", "Datastreams") == ["hers", "mine"]


def test_what_is_made_inside_of_a_change_is_refused() -> None:
    said = {"current": {}, "now": 0}
    with pytest.raises(InvalidInput, match=r"Datastreams\[0\]"):
        plan_change("Thing", "t", {"Datastreams": [stream()]}, **said)
    with pytest.raises(InvalidInput, match="one by one"):
        plan_change("Location", "l", {"Things": named("t")}, **said)
    with pytest.raises(LimitExceeded, match="ALLMENDE_DEEP_INSERT_MAX"):
        plan_change("Thing", "t", {"Datastreams": named("a", "b", "c")}, most=2, **said)
