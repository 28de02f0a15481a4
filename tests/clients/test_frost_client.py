"""FROST's own Python client (frost-sta-client), used as its documentation shows, against the running house."""

from typing import Any

import frost_sta_client as fsc
import pytest
import requests
from frost_sta_client.model.ext.data_array_document import DataArrayDocument
from frost_sta_client.model.ext.data_array_value import DataArrayValue
from frost_sta_client.model.ext.unitofmeasurement import UnitOfMeasurement
from geojson import Point

from tests.clients.conftest import Served, require_set

pytestmark = [pytest.mark.xdist_group("served"), pytest.mark.filterwarnings("ignore:furl.pathstr:DeprecationWarning")]
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
COMPLEX = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"


@pytest.fixture
def service(served: Served) -> fsc.SensorThingsService:
    return fsc.SensorThingsService(served.url)


def location(name: str = "here") -> fsc.Location:
    point = Point((-115.81, 37.24))
    return fsc.Location(name=name, description="and there", location=point, encoding_type="application/geo+json")


def sensor() -> fsc.Sensor:
    return fsc.Sensor(name="s", description="a sensor", encoding_type="application/pdf", metadata="https://example.org")


def observed_property() -> fsc.ObservedProperty:
    return fsc.ObservedProperty(name="t", definition="https://example.org/t", description="temperature")


def datastream(**more: Any) -> fsc.Datastream:
    unit = UnitOfMeasurement(name="degree Celsius", symbol="Cel", definition="https://example.org/u")
    return fsc.Datastream(
        name="d", description="a stream", observation_type=MEASUREMENT, unit_of_measurement=unit, **more
    )


def whole_thing(**more: Any) -> fsc.Thing:
    """A Thing with all that hangs on it."""
    thing = fsc.Thing(name="new thing", description="I am a thing with a location", **more)
    thing.locations = [location()]
    stream = datastream(sensor=sensor(), observed_property=observed_property())
    thing.datastreams = [stream]
    return thing


def test_create_update_patch_delete_of_every_entity(service: fsc.SensorThingsService) -> None:
    thing = fsc.Thing(name="new thing", description="I am one", properties={"withLocation": True, "owner": "IOSB"})
    thing.locations = [location()]
    service.create(thing)
    assert isinstance(thing.id, int)
    where = service.things().find(thing.id).get_locations().query().list().get(0)
    history = fsc.HistoricalLocation(time="2020-01-01T00:00:00Z", thing=thing, locations=[where])
    stream = datastream(thing=thing, sensor=sensor(), observed_property=observed_property())
    feature = fsc.FeatureOfInterest(
        name="f", description="a field", encoding_type="application/geo+json", feature=Point((11.5, 50.9))
    )
    for made in (history, stream, feature):
        service.create(made)
    reading = fsc.Observation(
        result=3.5, phenomenon_time="2022-12-19T10:00:00Z", datastream=stream, feature_of_interest=feature
    )
    service.create(reading)
    assert service.observations().find(reading.id).result == 3.5
    for entity in (sensor(), observed_property(), location()):
        service.create(entity)
        entity.description = "other words"
        service.update(entity)
        dao = entity.get_dao(service)
        assert dao.find(entity.id).description == "other words"
        service.patch(entity, [{"op": "replace", "path": "/name", "value": "patched"}])
        assert dao.find(entity.id).name == "patched"
        service.delete(entity)
        with pytest.raises(requests.HTTPError, match="404"):
            dao.find(entity.id)
    for entity in (reading, history, stream, feature, thing):
        service.delete(entity)
        with pytest.raises(requests.HTTPError, match="404"):
            entity.get_dao(service).find(entity.id)


def test_update_puts_the_whole_entity(service: fsc.SensorThingsService) -> None:
    thing = fsc.Thing(name="n", description="d", properties={"a": 1})
    service.create(thing)
    found = service.things().find(thing.id)
    found.name, found.properties = "other", {}
    service.update(found)
    again = service.things().find(thing.id)
    assert (again.name, again.properties) == ("other", {})
    service.delete(thing)


def test_deep_insert_query_and_related_lists(service: fsc.SensorThingsService) -> None:
    thing = whole_thing(properties={"owner": "deep"})
    service.create(thing)
    found = service.things().query().filter("properties/owner eq 'deep'").expand("Datastreams,Locations").list().get(0)
    assert found.id == thing.id
    stream = found.datastreams.get(0)
    assert (stream.unit_of_measurement.symbol, found.locations.get(0).location["type"]) == ("Cel", "Point")
    for result in range(1, 26):
        service.create(
            fsc.Observation(result=result, phenomenon_time=f"2022-12-19T10:{result:02}:00Z", datastream=stream)
        )
    readings = service.datastreams().find(stream.id).get_observations().query()
    assert len(readings.filter("result gt 10").list().entities) == 15
    listed = readings.filter().top(10).count().orderby("phenomenonTime", "desc").list()
    assert (listed.count, [r.result for r in listed.entities]) == (25, list(range(25, 15, -1)))
    assert [r.result for r in listed] == list(range(25, 0, -1))
    assert [r.result for r in readings.skip(20).list().entities] == [5, 4, 3, 2, 1]
    seen: list[int] = []
    for _ in readings.skip(0).list(callback=seen.append, step_size=5):
        pass
    assert seen == [0, 5, 10, 15, 20]
    assert service.things().query().filter(f"id eq {thing.id}").select("name").list().get(0).name == "new thing"
    service.delete(thing)
    assert service.observations().query().filter(f"Datastream/id eq {stream.id}").list().entities == []


def test_an_entity_with_a_name_as_id(service: fsc.SensorThingsService) -> None:
    thing = fsc.Thing(id="bench-7", name="n", description="d")
    service.create(thing)
    assert thing.id == "bench-7"
    assert service.things().find("bench-7").get_datastreams().query().list().entities == []
    assert service.things().query().filter("id eq 'bench-7'").list().get(0).self_link.endswith("/Things('bench-7')")
    service.delete(thing)


def test_basic_authentication_with_a_token(served: Served) -> None:
    known = fsc.SensorThingsService(served.url + "/", auth_handler=fsc.AuthHandler("anybody", served.secret))
    thing = fsc.Thing(name="n", description="d")
    known.create(thing)
    known.delete(thing)
    wrong = fsc.SensorThingsService(served.url, auth_handler=fsc.AuthHandler("admin", "admin"))
    with pytest.raises(requests.HTTPError, match="401"):
        wrong.create(fsc.Thing(name="n", description="d"))


def test_a_mistake_is_said_in_the_servers_words(
    service: fsc.SensorThingsService, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(requests.HTTPError, match="400"):
        service.things().query().filter("nome eq 'x'").list()
    assert "nome" in caplog.text
    with pytest.raises(requests.HTTPError, match="400"):
        service.create(fsc.Thing(name="no description"))
    assert "description is missing" in caplog.text


def test_data_array(service: fsc.SensorThingsService) -> None:
    thing = whole_thing()
    service.create(thing)
    stream = service.things().find(thing.id).get_datastreams().query().list().get(0)
    feature = fsc.FeatureOfInterest(
        name="f", description="a field", encoding_type="application/geo+json", feature=Point((11.5, 50.9))
    )
    service.create(feature)
    values = DataArrayValue()
    values.components = {values.Property.PHENOMENON_TIME, values.Property.RESULT, values.Property.FEATURE_OF_INTEREST}
    values.datastream = stream
    for result, time in ((3, "2022-12-19T10:00:00Z"), (5, "2022-12-19T10:00:00Z/2022-12-19T11:00:00Z")):
        values.add_observation(
            fsc.Observation(result=result, phenomenon_time=time, datastream=stream, feature_of_interest=feature)
        )
    document = DataArrayDocument()
    document.add_data_array_value(values)
    made = service.observations().create(document)
    assert [requests.get(one.self_link, timeout=10).json()["result"] for one in made] == [3, 5]
    service.delete(thing)
    service.delete(feature)


class Units(list[UnitOfMeasurement]):
    """The client asks a list for its state, which is nothing from Python 3.11 on; here it is what was meant."""

    def __getstate__(self) -> Any:
        return [unit.__getstate__() for unit in self]


def test_multi_datastream(served: Served, service: fsc.SensorThingsService) -> None:
    require_set(served, "MultiDatastreams")
    unit = UnitOfMeasurement(name="metre per second", symbol="m/s", definition="https://example.org/ms")
    wind = fsc.ObservedProperty(name="speed", definition="https://example.org/speed", description="of the wind")
    turn = fsc.ObservedProperty(name="direction", definition="https://example.org/dir", description="of the wind")
    stream = fsc.MultiDatastream(
        name="wind",
        description="both",
        unit_of_measurements=Units([unit, unit]),
        multi_observation_data_types=[MEASUREMENT] * 2,
        observation_type=COMPLEX,
        thing=fsc.Thing(name="mast", description="m"),
        sensor=sensor(),
        observed_properties=[wind, turn],
    )
    service.create(stream)
    service.create(fsc.Observation(result=[3.5, 270], phenomenon_time="2022-12-19T10:00:00Z", multi_datastream=stream))
    found = service.multi_datastreams().query().filter(f"id eq {stream.id}").expand("ObservedProperties,Thing").list()
    assert [one.name for one in found.get(0).observed_properties] == ["speed", "direction"]
    assert [one["symbol"] for one in found.get(0).unit_of_measurements] == ["m/s", "m/s"]
    readings = service.multi_datastreams().find(stream.id).get_observations().query().list()
    assert readings.get(0).result == [3.5, 270]
    with pytest.raises(requests.HTTPError, match="400"):
        service.create(fsc.Observation(result=[1], multi_datastream=stream))
    service.delete(found.get(0).thing)
    assert service.multi_datastreams().query().filter(f"id eq {stream.id}").list().entities == []


def test_tasking(served: Served, service: fsc.SensorThingsService) -> None:
    """As far as the client goes: a lamp that can be told how bright to be."""
    require_set(served, "TaskingCapabilities")
    can = fsc.TaskingCapability(
        name="dim",
        description="dims the lamp",
        tasking_parameters={"type": "DataRecord", "field": [{"name": "level", "type": "Quantity"}]},
        thing=fsc.Thing(name="lamp", description="a street lamp"),
        actuator=fsc.Actuator(
            name="dimmer",
            description="in the mast",
            encoding_type="application/pdf",
            metadata="m",
            properties={"volt": 24},  # the client cannot read an Actuator without any
        ),
    )
    service.create(can)
    service.create(fsc.Task(tasking_parameters={"level": 40}, tasking_capability=can))
    listed = service.tasking_capabilities().query().filter(f"id eq {can.id}").expand("Actuator,Thing").list()
    found = listed.get(0)
    tasks = service.tasks().query().filter(f"TaskingCapability/id eq {can.id}").list()
    assert [task.tasking_parameters for task in tasks.entities] == [{"level": 40}]
    assert (found.actuator.name, found.thing.name) == ("dimmer", "lamp")
    service.delete(tasks.get(0))
    service.delete(found.actuator)
    assert service.tasking_capabilities().query().filter(f"id eq {can.id}").list().entities == []
    service.delete(found.thing)
