"""The reader's predicate: what may not be seen changes no answer, whichever way one asks."""

from pathlib import Path as File
from typing import Any

import pytest

from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.model import ENTITIES, OBSERVATION_TYPES
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.query import Compare, Expand, Expression, Not, Order, Page, Path, Query, Step, Value
from allmende.domain.records import Series
from allmende.domain.store import DatasetRecord, Store
from tests.support import DATASETS, ENGINES, HOUSE, ask, batch, create

GRANTED = Reader(
    name="user:anna", datasets=frozenset({"hidden"}), may_write=True, writes=frozenset({"hidden", "commons", "parking"})
)
STRANGER = Reader(name="user:bob", datasets=frozenset({"other"}), may_write=True)
PROPERTY = {"name": "P", "description": "p", "definition": "https://example.org/p", "@iot.id": "p"}
FEATURE = {"name": "F", "description": "f", "encodingType": "text/plain", "feature": "here", "@iot.id": "f"}
WHERE = {"open": "parking", "secret": "hidden"}
IDS = {
    "Thing": ["open", "secret"],
    "Location": ["square", "cellar"],
    "HistoricalLocation": ["1", "2", "3"],
    "Datastream": ["open~x", "secret~x"],
    "MultiDatastream": ["open~m", "secret~m"],
    "Sensor": ["sensor", "secret~sensor"],
    "ObservedProperty": ["p"],
    "Observation": ["100", "101", "102", "200", "201", "202"],
    "FeatureOfInterest": ["f"],
    "TaskingCapability": ["open~c", "secret~c"],
    "Task": ["1", "2"],
    "Actuator": ["open~a", "secret~a"],
    "Party": ["open~party", "secret~party"],
    "License": ["by"],
    "Campaign": ["open~campaign", "secret~campaign"],
    "Project": ["open~project", "secret~project"],
    "ObservationGroup": ["open~group", "secret~group"],
    "Relation": ["open~relation", "secret~relation"],
}


def stream(thing: str, **more: Any) -> dict[str, Any]:
    return {
        "@iot.id": f"{thing}~x",
        "name": f"stream of {thing}",
        "description": "d",
        "observationType": "any",
        "unitOfMeasurement": {"name": "u", "symbol": "1", "definition": ""},
        "Thing": {"@iot.id": thing},
        "ObservedProperty": {"@iot.id": "p"},
        **more,
    }


def multi(thing: str, sensor: str) -> dict[str, Any]:
    properties = {"ObservedProperties": [{"@iot.id": "p"}], "multiObservationDataTypes": ["any"]}
    plain = {k: v for k, v in stream(thing).items() if k not in ("unitOfMeasurement", "ObservedProperty")}
    units = {"unitOfMeasurements": [{"name": "u", "symbol": "1", "definition": ""}]}
    more = {"@iot.id": f"{thing}~m", "observationType": OBSERVATION_TYPES["complex"], "Sensor": {"@iot.id": sensor}}
    return {**plain, **properties, **units, **more}


def build_extensions(store: Store, thing: str, first: int, value: int) -> None:
    """A capability with a task, and what STAplus says of the thing's streams; what is secret holds the open, too."""
    create(store, "Actuator", {**sensor(f"{thing}~a"), "name": f"actuator {value}"}, dataset=WHERE[thing])
    record = {"type": "DataRecord", "field": [{"name": "a", "type": "Count"}]}
    capability = {
        "@iot.id": f"{thing}~c",
        "name": f"capability {value}",
        "description": "c",
        "taskingParameters": record,
        "Thing": {"@iot.id": thing},
        "Actuator": {"@iot.id": f"{thing}~a"},
    }
    create(store, "TaskingCapability", {**capability, "Tasks": [{"taskingParameters": {"a": value}}]})
    party = {"@iot.id": f"{thing}~party", "role": "individual", "displayName": f"party {value}"}
    create(store, "Party", party, dataset=WHERE[thing])
    claims = {"Party": {"@iot.id": party["@iot.id"]}, "License": {"@iot.id": "by"}}
    ends = {"Subject": {"@iot.id": first}, "Object": {"@iot.id": 100}}
    create(store, "Relation", {"@iot.id": f"{thing}~relation", "role": f"role {value}", **ends})
    made = {"name": f"made {value}", "description": "d"}
    members = {"Observations": [{"@iot.id": first}, {"@iot.id": 100}], "Relations": [{"@iot.id": f"{thing}~relation"}]}
    create(store, "ObservationGroup", {"@iot.id": f"{thing}~group", **made, **claims, **members})
    gathered = {
        "Datastreams": [{"@iot.id": f"{thing}~x"}],
        "MultiDatastreams": [{"@iot.id": f"{thing}~m"}],
        "ObservationGroups": [{"@iot.id": f"{thing}~group"}],
        "termsOfUse": "none",
    }
    for entity in ("Campaign", "Project"):
        create(store, entity, {"@iot.id": f"{thing}~{entity.lower()}", **made, **claims, **gathered})


def sensor(name: str) -> dict[str, Any]:
    return {"name": name, "description": "s", "encodingType": "text/plain", "metadata": "m", "@iot.id": name}


def build(folder: File, engine: str, secret: int | None) -> Store:
    """A town in which a hidden thing stands at an open square and shares a feature with an open one.

    ``secret`` is what the hidden things hold; None builds the same town without them.
    """
    folder.mkdir()
    store = ENGINES[engine](folder)
    store.put_datasets(DATASETS)
    create(store, "ObservedProperty", PROPERTY)
    create(store, "FeatureOfInterest", FEATURE)
    create(store, "License", {"@iot.id": "by", "name": "by", "definition": "https://example.org/by"})
    create(store, "Thing", {"@iot.id": "open", "name": "open", "description": "t"}, dataset="parking")
    square = {
        "name": "square",
        "description": "l",
        "encodingType": "text/plain",
        "location": "there",
        "@iot.id": "square",
    }
    create(store, "Location", {**square, "Things": [{"@iot.id": "open"}]})
    create(store, "Datastream", stream("open", Sensor=sensor("sensor")))
    create(store, "MultiDatastream", multi("open", "sensor"))
    if secret is not None:
        hidden = {"@iot.id": "secret", "name": f"secret {secret}", "description": "t", "properties": {"a": secret}}
        create(store, "Thing", hidden, dataset="hidden")
        moved = {"time": "2024-01-01T00:00:00Z", "Thing": {"@iot.id": "secret"}, "Locations": [{"@iot.id": "square"}]}
        create(store, "HistoricalLocation", moved)
        cellar = {**square, "name": f"cellar {secret}", "@iot.id": "cellar"}
        create(store, "Datastream", stream("secret", Sensor=sensor("secret~sensor")))
        create(store, "MultiDatastream", multi("secret", "secret~sensor"))
        create(store, "Location", {**cellar, "Things": [{"@iot.id": "secret"}]})
    for name, first, value in (("open", 100, 5), ("secret", 200, secret)):
        for number in (0, 1) if value is not None else ():
            body = {"@iot.id": first + number, "result": value + number, "FeatureOfInterest": {"@iot.id": "f"}}
            create(store, "Observation", body, links={"Datastream": f"{name}~x"}, now=1_700_000_000_000_000 + value)
        if value is not None:
            body = {"@iot.id": first + 2, "result": [value], "FeatureOfInterest": {"@iot.id": "f"}}
            create(store, "Observation", body, links={"MultiDatastream": f"{name}~m"}, now=1_700_000_000_000_000)
            build_extensions(store, name, first, value)
    return store


@pytest.fixture(scope="module", params=sorted(ENGINES))
def towns(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Store]:
    folder = tmp_path_factory.mktemp("towns")
    return [build(folder / str(secret), request.param, secret) for secret in (None, 1, 77)]


def plain(page: Page) -> Any:
    """All that an answer says, but for the engine's own keys."""
    nested = {
        relation: [plain(pages[row[0]]) for row in page.rows] for relation, pages in sorted(page.expanded.items())
    }
    return [row[1:] for row in page.rows], page.count, page.next is None, nested


def name_of(entity: str) -> tuple[str, ...]:
    return ("name",) if ENTITIES[entity].attribute("name") else ("id",)


def conditions(entity: str) -> list[Expression]:
    """Filters that ask along every relation, two steps deep, in ways that are true for most."""
    found: list[Expression] = []
    for first in ENTITIES[entity].relations:
        ends = [(first.name, *name_of(first.target))]
        ends += [(first.name, r.name, *name_of(r.target)) for r in ENTITIES[first.target].relations]
        for end in ends:
            one = Compare("ne", Path(end), Value("zzz", "string"))
            found += [one, Not(one)]
            if len(end) == 2:
                found.append(Compare("ne", Path(end), Value("stream of open", "string")))
    if entity in ("FeatureOfInterest", "ObservedProperty"):
        path = (
            ("Observations", "result") if entity == "FeatureOfInterest" else ("Datastreams", "Observations", "result")
        )
        found += [Compare("gt", Path(path), Value(n, "number")) for n in (0, 6, 50)]
    return found


def questions() -> list[Query]:
    """Everything that can be asked along the relations of the model."""

    def q(entity: str, **more: Any) -> Query:
        return Query(entity=entity, reader=ANONYMOUS, count=True, **more)

    found = []
    for entity, kind in ENTITIES.items():
        found += [q(entity), q(entity, top=1), q(entity, top=0)]
        found += [q(entity, id=name) for name in IDS[entity]]
        found += [q(entity, filter=condition) for condition in conditions(entity)]
        for relation in kind.relations:
            if not relation.many:
                found.append(q(entity, order=(Order(Path((relation.name, *name_of(relation.target))), True),)))
            inner = tuple(Expand(relation=r.name, query=q(r.target)) for r in ENTITIES[relation.target].relations)
            found.append(q(entity, expand=(Expand(relation=relation.name, query=q(relation.target, expand=inner)),)))
            found.append(q(entity, expand=(Expand(relation=relation.name, query=q(relation.target, top=1)),)))
            for name in IDS[entity]:
                found.append(q(relation.target, path=(Step(entity, name, relation.name),)))
                for further in ENTITIES[relation.target].relations:
                    # From the open to the open there is nothing to hide, and from the hidden to it nothing to see.
                    vias = [v for v in IDS[relation.target] if v.startswith("secret") != name.startswith("secret")]
                    for via in [None] if not relation.many else vias or IDS[relation.target]:
                        path = (Step(entity, name, relation.name), Step(relation.target, via, further.name))
                        found.append(q(further.target, path=path))
    return found


@pytest.mark.parametrize("part", range(4))
def test_what_is_hidden_changes_no_answer(towns: list[Store], part: int) -> None:
    without, *others = towns
    for query in questions()[part::4]:
        expected = plain(without.find(query))
        for store in others:
            assert plain(store.find(query)) == expected, query


def test_an_open_stream_says_nothing_of_its_hidden_sensor(tmp_path: File) -> None:
    answers = []
    for secret in (1, 77):
        store = build(tmp_path / str(secret), "sqlite", secret)
        hidden = {**sensor("spy"), "name": f"{'a' if secret == 1 else 'z'} sensor"}
        more = {"@iot.id": "secret~z", "ObservedProperty": {"@iot.id": "p"}, "Sensor": hidden}
        create(store, "Datastream", stream("secret", **more))
        more = {"@iot.id": "open~z", "ObservedProperty": {"@iot.id": "p"}, "Sensor": {"@iot.id": "spy"}}
        create(store, "Datastream", stream("open", **more))
        create(store, "Observation", {"result": 1}, links={"Datastream": "open~z"})
        answers.append([plain(store.find(query)) for query in questions()])
        path = (Step("Datastream", "open~z", "Sensor"),)
        assert ask(store, "Sensor", reader=ANONYMOUS, path=path).rows == []
        assert len(ask(store, "Sensor", reader=GRANTED, path=path).rows) == 1
    assert answers[0] == answers[1]


def test_what_is_hidden_is_there_for_those_who_may(towns: list[Store]) -> None:
    store = towns[-1]
    for entity in ("Thing", "Datastream", "Observation", "Location", "HistoricalLocation", "Sensor"):
        few, many = (ask(store, entity, reader=r, count=True).count for r in (ANONYMOUS, GRANTED))
        assert few is not None
        assert many is not None
        assert 0 < few < many
        assert ask(store, entity, reader=STRANGER, count=True).count == few
        assert ask(store, entity, reader=HOUSE, count=True).count == many
    path = (Step("FeatureOfInterest", "f", "Observations"),)
    assert len(ask(store, "Observation", reader=GRANTED, path=path).rows) == 6
    assert [v.stream for v in store.latest(GRANTED)] == ["open~m", "open~x", "secret~m", "secret~x"]
    assert store.points(GRANTED, "secret~x", 0, 2**60).results == [77, 78]


def test_the_short_ways_are_guarded_too(towns: list[Store]) -> None:
    store = towns[-1]
    for reader in (ANONYMOUS, STRANGER):
        assert [v.stream for v in store.latest(reader)] == ["open~m", "open~x"]
        assert store.points(reader, "secret~x", 0, 2**60, before=True).times == []
    store.append(batch(Series(stream="den~x", times=[1], results=[1]), dataset="hidden", origin="spy"))
    assert store.reports(ANONYMOUS, "spy", 0, 9) == []
    assert store.latest(ANONYMOUS, origin="spy") == []
    assert store.reports(GRANTED, "spy", 0, 9) == [1]


def test_writing_tells_hidden_from_absent_no_more_than_reading(towns: list[Store]) -> None:
    messages = set()
    for store in towns:
        with pytest.raises(InvalidInput) as caught:
            create(store, "Observation", {"result": 1}, links={"Datastream": "secret~x"}, reader=STRANGER)
        messages.add(str(caught.value))
        with pytest.raises(InvalidInput) as caught:
            create(store, "Datastream", stream("secret", Sensor={"@iot.id": "sensor"}), reader=STRANGER)
        messages.add(str(caught.value))
    assert len(messages) == 2
    with pytest.raises(Conflict) as conflict:
        create(towns[-1], "Thing", {"@iot.id": "secret", "name": "x", "description": "x"}, reader=STRANGER)
    assert "77" not in str(conflict.value)
    assert "hidden" not in str(conflict.value)


def test_what_is_made_for_a_hidden_thing_is_hidden(tmp_path: File) -> None:
    store = build(tmp_path / "town", "sqlite", 3)
    before = {e: ask(store, e, reader=ANONYMOUS, count=True).count for e in ENTITIES}
    place = {"name": "new", "description": "l", "encodingType": "text/plain", "location": "under the hill"}
    create(store, "Location", place, links={"Things": "secret"}, reader=GRANTED)
    more = {"@iot.id": "secret~y", "Sensor": sensor("another"), "ObservedProperty": {**PROPERTY, "@iot.id": "q"}}
    create(store, "Datastream", stream("secret", **more), reader=GRANTED)
    feature = {k: v for k, v in FEATURE.items() if k != "@iot.id"}
    create(
        store,
        "Observation",
        {"result": 1, "FeatureOfInterest": feature},
        links={"Datastream": "secret~x"},
        reader=GRANTED,
    )
    create(store, "Observation", {"result": 1}, links={"Datastream": "secret~y"}, reader=GRANTED)
    both = {**place, "Things": [{"@iot.id": "open"}, {"@iot.id": "secret"}]}
    create(store, "Location", both, reader=GRANTED)
    after = {e: ask(store, e, reader=ANONYMOUS, count=True).count for e in ENTITIES}
    # The open thing went with the hidden one to a hidden place: that it moved may be known.
    assert {e: after[e] - before[e] for e in ENTITIES if after[e] != before[e]} == {"HistoricalLocation": 1}  # type: ignore[operator]


def test_a_dataset_that_is_closed_later_is_closed_at_once(tmp_path: File) -> None:
    store = build(tmp_path / "town", "sqlite", 3)
    store.put_datasets([DatasetRecord(id="parking", access="restricted")])
    assert ask(store, "Thing", reader=ANONYMOUS).rows == []
    assert ask(store, "Observation", reader=ANONYMOUS, count=True).count == 0


def test_simulated_ones_are_left_out_when_asked(tmp_path: File) -> None:
    store = build(tmp_path / "town", "sqlite", None)
    store.append(batch(Series(stream="demo~x", times=[1], results=[1]), dataset="simulated"))
    for entity in ("Thing", "Datastream", "Observation", "Location", "Sensor", "FeatureOfInterest"):
        all_of_them = ask(store, entity, reader=ANONYMOUS, count=True).count
        real = ask(store, entity, reader=ANONYMOUS, count=True, simulated=False).count
        assert (all_of_them, real) == (real + 1 if real is not None else None, real)
    for reader in (HOUSE, ANONYMOUS):
        path = (Step("Datastream", "demo~x", "Observations"),)
        assert ask(store, "Observation", reader=reader, path=path, simulated=False).rows == []
        nested = Expand(relation="Datastreams", query=Query(entity="Datastream", reader=reader, simulated=False))
        page = ask(store, "Sensor", reader=reader, expand=(nested,), count=True)
        assert page.count == 2
