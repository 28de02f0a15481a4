"""Sensors that citizens give, from the form to the deletion."""

import base64
import json
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from allmende.domain.coarsening import coarsen
from allmende.domain.model import ENTITIES
from allmende.domain.policy import house_reader
from allmende.domain.query import Query
from allmende.domain.records import Position
from allmende.domain.store import Points
from allmende.web.accounts.authentication import authenticate_mqtt, writer_of_mqtt
from allmende.web.accounts.models import AuditEntry, Token, User
from allmende.web.accounts.people import give_role, remove_user
from allmende.web.broker.session import Client as MqttClient
from allmende.web.citizens import intake, keeping
from allmende.web.citizens.chart import draw
from allmende.web.citizens.models import BLOCKED, LEAVE, OPEN, RETURNED, WAITING, OwnSensor
from allmende.web.citizens.silence import tell_silent
from allmende.web.citizens.texts import snippets
from allmende.web.config import load_config
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.messages import create_from_message

pytestmark = pytest.mark.django_db(transaction=True)
LON, LAT = 11.58643, 50.92718
HOUSE = house_reader("test")
FORM = {
    "name": "Geheimer Hof",
    "description": "Nordseite",
    "indoor": "no",
    "measures": ["temperature", "humidity"],
    "precision": "1km",
    "lat": str(LAT),
    "lon": f"{LON}".replace(".", ","),
    "licence": "CC0-1.0",
    "afterwards": "delete",
    "consent": "yes",
}


@pytest.fixture(autouse=True)
def house(transactional_db):
    intake._bucket.cache_clear()
    if not open_profile().geography.districts.get("features"):
        pytest.skip("this city has no districts")
    furnish(open_store(), open_profile())
    yield
    for sensor in OwnSensor.objects.all():  # the measured world is not Django's to empty
        open_store().forget_source(sensor.id_, sensor.id_, reader=HOUSE, origin="test", at=0)


def person(name: str, role: str = "contributor") -> tuple[User, Client]:
    user = User.objects.create_user(name, f"{name}@city.example")
    give_role(user, role, actor="test")
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    client.force_login(user)
    return user, client


@pytest.fixture
def anna() -> tuple[User, Client]:
    return person("anna")


@pytest.fixture
def given(anna) -> tuple[OwnSensor, str]:
    """A sensor of Anna's, held, and its token."""
    return register(anna[1])


def register(client: Client, **more: object) -> tuple[OwnSensor, str]:
    answer = client.post("/own/new/", {**FORM, **more})
    assert answer.status_code == 200, answer.text
    assert "no-store" in answer["Cache-Control"]
    token = re.search(r"<code data-token>(allmende_[\w-]+)</code>", answer.text)
    return OwnSensor.objects.latest("pk"), token[1]


def send(given: tuple[OwnSensor, str], body: object, **more: str):
    sensor, token = given
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return Client().post(
        f"/own/{sensor.pk}", text, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token}", **more
    )


def release(sensor: OwnSensor) -> None:
    keeping.decide(User.objects.create_user("editor"), sensor, OPEN)


def everything() -> str:
    """All that anybody could ask for, if they might see it."""
    found = [open_store().find(Query(entity=name, reader=HOUSE, top=500)).rows for name in ENTITIES]
    return repr(found)


# --- registering ---


def test_who_may_not_give_is_led_away():
    assert Client().get("/own/new/").status_code == 302
    assert person("otto", "reader")[1].get("/own/new/").status_code == 403


def test_only_the_coarse_place_is_kept(anna):
    sensor, token = register(anna[1])
    expected = coarsen(Position(LON, LAT), "1km", {})
    assert sensor.place == expected
    assert sensor.measures == {"temperature": {}, "humidity": {}}
    assert (sensor.state, sensor.user) == (WAITING, anna[0])
    assert token not in repr(list(Token.objects.values()))
    kept = everything() + repr(list(OwnSensor.objects.values())) + repr(list(AuditEntry.objects.values()))
    assert str(LON) not in kept
    assert str(LAT) not in kept
    assert str(expected.position.lon) in kept
    log = AuditEntry.objects.filter(action="own.register").get()
    assert (log.actor, log.object) == ("user:anna", f"own-sensor:{sensor.handle}")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"name": ""}, "Bitte füllen Sie das aus."),
        ({"measures": []}, "Bitte wählen Sie mindestens eine Sache, die der Sensor misst."),
        ({"consent": ""}, "Ohne Ihre Zustimmung dürfen wir die Werte nicht zeigen."),
        ({"lat": ""}, "Bitte wählen Sie den Ort auf der Karte"),
        ({"lat": "nan"}, "Dieser Ort"),
        ({"lat": str(LON), "lon": str(LAT)}, "vertauscht"),
        ({"own_name": "Temperature"}, "Bitte schreiben Sie einen anderen Namen"),
        ({"own_name": "Tonne", "own_unit": "Eimer"}, "Diese Einheit kennen wir nicht."),
        ({"own_name": "Tonne", "own_low": "5", "own_high": "3"}, "Der höchste Wert liegt unter dem niedrigsten."),
    ],
)
def test_what_is_wrong_is_said(anna, said, words):
    answer = anna[1].post("/own/new/", {**FORM, **said})
    assert answer.status_code == 422
    assert words in answer.text
    assert not OwnSensor.objects.exists()


def test_a_district_or_no_place(anna):
    sensor, _ = register(anna[1], precision="district", district="Burgau", lat="", lon="")
    assert (sensor.district, sensor.place.precision) == ("Burgau", "district")
    sensor, _ = register(anna[1], precision="district", lat=str(LAT), lon=str(LON))
    assert sensor.district == "Jena-Zentrum"
    sensor, _ = register(anna[1], precision="none")
    assert sensor.place.position is None


def test_one_account_has_so_many(anna, settings):
    settings.ALLMENDE = replace(settings.ALLMENDE, own_each=1)
    register(anna[1])
    answer = anna[1].post("/own/new/", FORM)
    assert answer.status_code == 422
    assert "Sie haben schon 1 Sensoren" in answer.text
    assert OwnSensor.objects.count() == 1


# --- sending ---


def test_what_is_sent_is_committed_and_told(given):
    answer = send(given, {"temperature": 21.5, "humidity": 40, "temprature": 1})
    assert answer.status_code == 200
    assert {key: answer.json()[key] for key in ("accepted", "rejected")} == {"accepted": 2, "rejected": 1}
    assert "it measures temperature, humidity" in answer.json()["problems"][0]["message"]
    at = "2026-05-01T12:00:00+02:00"
    assert send(given, {"temperature": 20, "time": at}).json()["accepted"] == 1
    assert send(given, {"temperature": 20, "time": at}).json()["repeated"] == 1
    assert send(given, "nonsense").status_code == 422


def test_by_basic_as_devices_of_sensor_community(given):
    sensor, token = given
    basic = base64.b64encode(f"own:{token}".encode()).decode()
    body = json.dumps({"sensordatavalues": [{"value_type": "BME280_temperature", "value": "21.5"}]})
    answer = Client().post(
        f"/own/{sensor.pk}", body, content_type="application/json", HTTP_AUTHORIZATION=f"Basic {basic}"
    )
    assert answer.json()["accepted"] == 1


def test_nobody_else_sends(given, anna):
    sensor, token = given
    other = register(anna[1])
    assert Client().post(f"/own/{sensor.pk}", "{}", content_type="application/json").status_code == 401
    assert send((sensor, other[1]), {"temperature": 1}).status_code == 403
    assert send((OwnSensor(pk=99999), token), {"temperature": 1}).status_code == 403
    assert send((sensor, "allmende_wrong"), {"temperature": 1}).status_code == 401
    # a session is no right to send
    assert anna[1].post(f"/own/{sensor.pk}", "{}", content_type="application/json").status_code == 403


def test_size_and_rate_are_limited(given, settings):
    assert send(given, "[" + "1," * 40_000 + "1]").status_code == 413
    answers = (send(given, {"temperature": 1}) for _ in range(4 * settings.ALLMENDE.own_rate))
    # A slow machine is allowed some more: room comes back while it sends.
    answer = next(answer for answer in answers if answer.status_code != 200)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1


def test_a_paused_or_blocked_sensor_takes_nothing(given, anna):
    sensor, _ = given
    anna[1].post(f"/own/{sensor.pk}/pause/", {"paused": "yes"})
    assert send(given, {"temperature": 1}).status_code == 409
    anna[1].post(f"/own/{sensor.pk}/pause/", {"paused": "no"})
    assert send(given, {"temperature": 1}).status_code == 200
    keeping.decide(User.objects.create_user("editor"), sensor, BLOCKED, "no")
    assert send(given, {"temperature": 1}).status_code == 403


def test_a_new_token_ends_the_old_one(given, anna):
    sensor, token = given
    answer = anna[1].post(f"/own/{sensor.pk}/token/")
    fresh = re.search(r"<code data-token>(allmende_[\w-]+)</code>", answer.text)[1]
    assert send((sensor, token), {"temperature": 1}).status_code == 401
    assert send((sensor, fresh), {"temperature": 1}).status_code == 200
    client = MqttClient(name=authenticate_mqtt("own", fresh).name)
    assert intake.may_give(client, f"own/{sensor.pk}")
    anna[1].post(f"/own/{sensor.pk}/token/")
    assert not intake.may_give(client, f"own/{sensor.pk}")


def test_by_the_standard(given):
    sensor, token = given
    api = Client(HTTP_AUTHORIZATION=f"Bearer {token}")
    path = f"/sta/v1.1/Datastreams('own-{sensor.pk}~temperature')/Observations"

    def post(body: object, to: str = path):
        return api.post(to, json.dumps(body), content_type="application/json")

    answer = post({"result": 21.5, "phenomenonTime": "2026-05-01T12:00:00+02:00"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["phenomenonTime"] == "2026-05-01T10:00:00.000Z"
    assert api.get(answer["Location"].replace("http://testserver", "")).json()["result"] == 21.5
    body = {"result": 22, "Datastream": {"@iot.id": f"own-{sensor.pk}~humidity"}}
    assert post(body, "/sta/v1.1/Observations").status_code == 201
    # nothing but readings of its own, in nothing but its own form
    assert post({"result": "warm"}).status_code == 400
    place = {"name": "x", "feature": {"type": "Point", "coordinates": [LON, LAT]}}
    assert post({"result": 1, "FeatureOfInterest": place}).status_code == 400
    assert post({"result": 1}, "/sta/v1.1/Datastreams('garage~free')/Observations").status_code == 404
    assert post({"name": "x", "description": "x"}, "/sta/v1.1/Things").status_code == 403
    thing = f"/sta/v1.1/Things('own-{sensor.pk}')"
    assert api.patch(thing, json.dumps({"name": "x"}), content_type="application/json").status_code == 403
    assert api.delete(thing).status_code == 403


def test_by_mqtt_only_on_its_own_topic(given, anna):
    sensor, token = given
    client = authenticate_mqtt("anything", token)
    assert intake.may_give(client, f"own/{sensor.pk}")
    assert intake.may_give(client, f"own/{sensor.pk}/temperature")
    for topic in ("own/1234", f"own/{sensor.pk}/a/b", "own/", "own/x"):
        assert not intake.may_give(client, topic)
    assert not intake.may_give(MqttClient(name="anonymous", anonymous=True), f"own/{sensor.pk}")
    Token.objects.create(name="city", digest="d", may_write=True)
    assert not intake.may_give(MqttClient(name="token:city"), f"own/{sensor.pk}")
    intake.take_message(f"own/{sensor.pk}/temperature", b"21.5")
    intake.take_message(f"own/{sensor.pk}", b'{"humidity": 40}')
    intake.take_message("own/99999", b"1")
    assert len(open_store().latest(HOUSE, origin=sensor.id_)) == 2
    reader = writer_of_mqtt(client)
    assert not reader.may_write
    wrong = create_from_message("v1.1/Things", b'{"name": "x"}', reader, open_store(), "http://x")
    assert json.loads(wrong)["code"] == 403


def test_ready_made_texts_are_taken_as_they_stand(given, anna):
    """Those for curl and Python are run by the browser's test."""
    sensor, token = given
    texts = {each.title: each.text for each in snippets(sensor, load_config(), "city.example:8000", False, token)}
    assert set(texts) >= {"curl", "Python", "ESPHome", "MQTT (mosquitto_pub)", "Tasmota", "Sensor.Community"}
    # ESPHome: what its lambda gives is a text
    esphome = texts["ESPHome"]
    address = re.search(r"url: http://city\.example:8000(\S+)", esphome)[1]
    name = re.search(r"json:\n\s+(\w+):", esphome)[1]
    bearer = re.search(r"Authorization: (.+)", esphome)[1]
    body = json.dumps({name: "21.500000"})
    answer = Client().post(address, body, content_type="application/json", HTTP_AUTHORIZATION=bearer)
    assert answer.json()["accepted"] == 1
    # Tasmota: each rule publishes a bare number
    said = dict(re.findall(r"^(Mqtt\w+) (.+)$", texts["Tasmota"], re.M))
    assert said["MqttHost"] == "city.example"
    client = authenticate_mqtt(said["MqttUser"], said["MqttPassword"])
    topics = re.findall(r"DO Publish (\S+) %value% ENDON", texts["Tasmota"])
    assert len(topics) == 2
    for topic in topics:
        assert intake.may_give(client, topic)
        intake.take_message(topic, b"22.5")
    # mosquitto_pub
    topic, body = re.search(r"-t (\S+) -m '(.+)'", texts["MQTT (mosquitto_pub)"]).groups()
    intake.take_message(topic, body.encode())
    # Sensor.Community
    lines = dict(line.split(": ", 1) for line in texts["Sensor.Community"].splitlines()[1:])
    basic = base64.b64encode(f"{lines['User']}:{lines['Password']}".encode()).decode()
    body = json.dumps({"sensordatavalues": [{"value_type": "humidity", "value": "40.10"}]})
    answer = Client().post(lines["Path"], body, content_type="application/json", HTTP_AUTHORIZATION=f"Basic {basic}")
    assert answer.json()["accepted"] == 1
    assert open_store().rejections(source=sensor.id_) == []
    latest = {each.stream: each.count for each in open_store().latest(HOUSE, origin=sensor.id_)}
    assert latest == {f"{sensor.id_}~temperature": 3, f"{sensor.id_}~humidity": 3}


def test_a_chart_leaves_out_what_is_doubtful_and_breaks_where_nothing_came():
    assert draw(Points(times=[], results=[], flags=[])) is None
    assert draw(Points(times=[1], results=[900], flags=["above-maximum"])) is None
    times = [0, 10, 20, 30, 200, 210, 220]
    chart = draw(Points(times=times, results=[1, 2, 3, 4, 5, 6, 900], flags=[""] * 6 + ["above-maximum"]))
    assert len(chart.lines) == 2
    assert (chart.low, chart.high, chart.start, chart.end) == (1, 6, 0, 210)
    assert chart.lines[0].startswith("0.0,200.0 ")
    assert chart.lines[1].endswith(" 640.0,0.0")
    many = draw(Points(times=list(range(5000)), results=[1.0] * 5000, flags=[""] * 5000))
    assert len(many.lines[0].split()) <= 320


# --- held ---


def test_nothing_of_a_held_sensor_is_seen(given):
    sensor, _ = given
    send(given, {"temperature": 21.5, "humidity": 40, "what": "Geheimes"})
    id_ = sensor.id_
    nobody = Client()
    for path in (
        "Things", "Datastreams", "Sensors", "Locations", "HistoricalLocations", "FeaturesOfInterest", "Observations",
        "ObservedProperties?$expand=Datastreams", "Things?$expand=Locations,Datastreams($expand=Observations)",
        "Datastreams?$filter=Thing/name eq 'Geheimer Hof'",
        "Observations?$filter=Datastream/Thing/name eq 'Geheimer Hof'",
        f"Things?$filter=startswith(id,'{id_}')&$count=true", f"Datastreams?$filter=startswith(id,'{id_}')&$count=true",
    ):  # fmt: skip
        answer = nobody.get(f"/sta/v1.1/{path}")
        assert answer.status_code == 200, path
        assert id_ not in answer.text, path
        assert "Geheim" not in answer.text, path
        assert answer.json().get("@iot.count", 0) == 0
    for path in (
        f"Things('{id_}')",
        f"Datastreams('{id_}~temperature')",
        f"Datastreams('{id_}~temperature')/Observations",
    ):
        assert nobody.get(f"/sta/v1.1/{path}").status_code == 404
    for path in ("/own/", "/own/map.json", "/sources/", "/", "/metrics"):
        text = nobody.get(path).text
        assert id_ not in text, path
        assert "Geheim" not in text, path
    assert nobody.get(f"/own/{sensor.pk}/").status_code == 404
    assert person("otto")[1].get(f"/own/{sensor.pk}/").status_code == 404
    assert nobody.get(f"/own/review/{sensor.pk}/").status_code == 302
    assert person("paul")[1].get("/own/review/").status_code == 403


def test_the_giver_sees_it_all_along(given, anna):
    sensor, token = given
    send(given, {"temperature": 21.5, "what": "Geheimes"})
    text = anna[1].get(f"/own/{sensor.pk}/").text
    assert "21.5" in text or "21,5" in text
    assert "Der Sensor hat einen Namen geschickt, den wir nicht kennen. Erlaubt sind: temperature, humidity." in text
    assert "Geheimes" in text
    assert "Geheimer Hof" in anna[1].get("/own/mine/").text
    api = Client(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert (
        api.get(f"/sta/v1.1/Datastreams('{sensor.id_}~temperature')/Observations").json()["value"][0]["result"] == 21.5
    )


# --- reviewing ---


def test_somebody_else_releases_it_and_all_see_whose_it_is(given, anna):
    sensor, _ = given
    send(given, {"temperature": 21.5})
    _, editor = person("eva", "editor")
    page = f"/own/review/{sensor.pk}/"
    assert "Geheimer Hof" in editor.get("/own/review/").text
    assert "Konto: anna" in editor.get(page).text
    assert editor.post(page, {"state": "returned", "note": " "}).status_code == 422
    editor.post(page, {"state": "returned", "note": "Bitte ohne „geheim“."})
    sensor.refresh_from_db()
    assert sensor.state == RETURNED
    assert "Bitte ohne „geheim“." in anna[1].get(f"/own/{sensor.pk}/").text
    words = {key: FORM[key] for key in ("description", "indoor", "licence", "afterwards")}
    anna[1].post(f"/own/{sensor.pk}/words/", {**words, "name": "Hof", "shown_name": "Anna B."})
    sensor.refresh_from_db()
    assert (sensor.state, sensor.name) == (WAITING, "Hof")
    editor.post(page, {"state": "open"})
    answer = Client().get(f"/sta/v1.1/Things('{sensor.id_}')?$expand=Datastreams").json()
    assert answer["name"] == "Hof"
    assert answer["properties"]["citizens"] is True
    assert answer["properties"]["verified"] is False
    assert answer["properties"]["giver"] == "Anna B."
    assert {each["name"] for each in answer["Datastreams"]} == {"Hof: Temperatur", "Hof: Luftfeuchte"}
    for path in ("/own/", f"/own/{sensor.pk}/"):
        text = Client(HTTP_ACCEPT_LANGUAGE="de").get(path).text
        assert "Die Stadt hat sie nicht geprüft." in text
        assert "Hof" in text
    feature = Client().get("/own/map.json").json()["features"][0]
    assert feature["geometry"]["type"] == "Polygon"
    assert "anna" not in Client().get(f"/own/{sensor.pk}/").text
    own_alone = Client().get("/sta/v1.1/Things?$filter=not startswith(id,'own-')").json()["value"]
    assert sensor.id_ not in [each["@iot.id"] for each in own_alone]
    # words that nobody has looked at are held again
    anna[1].post(f"/own/{sensor.pk}/words/", {**words, "name": "Neu", "shown_name": ""})
    assert Client().get(f"/sta/v1.1/Things('{sensor.id_}')").status_code == 404
    editor.post(page, {"state": "open"})
    assert Client().get(f"/sta/v1.1/Things('{sensor.id_}')").json()["properties"]["giver"] is None


def test_nobody_releases_their_own(given, anna):
    sensor, _ = given
    give_role(anna[0], "editor", actor="test")
    answer = anna[1].post(f"/own/review/{sensor.pk}/", {"state": "open"})
    assert answer.status_code == 422
    assert "Das ist Ihr eigener Sensor." in answer.text
    sensor.refresh_from_db()
    assert sensor.state == WAITING


# --- changing and taking back ---


def test_a_coarser_place_leaves_no_finer_one_behind(anna):
    given = register(anna[1], precision="exact")
    sensor = given[0]
    send(given, {"temperature": 1, "time": "2026-05-01T12:00:00+02:00"})
    release(sensor)
    assert str(LON) in everything()
    assert anna[1].post(f"/own/{sensor.pk}/place/", {"precision": "1km"}).status_code == 302, (
        "it need not be said again"
    )
    sensor.refresh_from_db()
    assert (sensor.state, sensor.precision) == (OPEN, "1km"), "a coarser place needs no other look"
    assert sensor.place == coarsen(Position(LON, LAT), "1km", {})
    assert anna[1].post(f"/own/{sensor.pk}/place/", {"precision": "100m"}).status_code == 422, "nothing finer is known"
    send(given, {"temperature": 2})
    assert str(LON) not in everything() + repr(list(OwnSensor.objects.values()))
    assert everything().count(str(sensor.lon)) >= 2
    anna[1].post(f"/own/{sensor.pk}/place/", {"precision": "none"})
    assert str(sensor.lon) not in everything()
    anna[1].post(f"/own/{sensor.pk}/place/", {"precision": "100m", "lat": str(LAT), "lon": str(LON)})
    sensor.refresh_from_db()
    assert sensor.state == WAITING, "a finer one does"
    keeping.decide(User.objects.get(username="editor"), sensor, OPEN)
    elsewhere = {"precision": "1km", "lat": str(LAT + 0.05), "lon": str(LON)}
    anna[1].post(f"/own/{sensor.pk}/place/", elsewhere)
    sensor.refresh_from_db()
    assert sensor.state == WAITING, "so does a coarse one somewhere else"


def test_deleted_with_all_readings(given, anna):
    sensor, _ = given
    send(given, {"temperature": 1, "what": 2})
    release(sensor)
    anna[1].post(f"/own/{sensor.pk}/delete/", {"afterwards": "delete"})
    assert not OwnSensor.objects.exists()
    assert "own-" not in everything()
    assert open_store().rejections(source=sensor.id_) == []
    assert not Token.objects.filter(name__startswith="own-").exists()
    assert send(given, {"temperature": 1}).status_code == 401


def test_left_without_a_tie_to_the_person(anna):
    given = register(anna[1], precision="exact", shown_name="Anna B.")
    sensor = given[0]
    send(given, {"temperature": 1, "what": "Annas Rest"})
    release(sensor)
    handle = sensor.handle
    anna[1].post(f"/own/{sensor.pk}/delete/", {"afterwards": "leave"})
    sensor.refresh_from_db()
    assert (sensor.user, sensor.token, sensor.shown_name, sensor.description) == (None, None, "", "")
    kept = everything() + repr(list(OwnSensor.objects.values()))
    for word in ("Anna", "Geheimer", "Nordseite", str(LON), str(LAT)):
        assert word not in kept, word
    assert sensor.handle != handle
    assert not AuditEntry.objects.filter(object__contains=sensor.handle).exists()
    assert open_store().rejections(source=sensor.id_) == []
    assert Client().get(f"/sta/v1.1/Datastreams('{sensor.id_}~temperature')/Observations").json()["value"]
    assert send(given, {"temperature": 1}).status_code == 401
    assert anna[1].get("/own/mine/").text.count(f"/own/{sensor.pk}/") == 0


def test_with_the_account_goes_what_the_person_chose(anna):
    gone, _ = register(anna[1])
    left = register(anna[1], afterwards=LEAVE)
    held, _ = register(anna[1], afterwards=LEAVE)
    send(left, {"temperature": 1})
    release(left[0])
    remove_user(anna[0], actor="test")
    assert list(OwnSensor.objects.values_list("pk", "user")) == [(left[0].pk, None)]
    assert gone.id_ not in everything()
    assert held.id_ not in everything()
    assert left[0].id_ in everything()
    assert not Token.objects.filter(name__startswith="own-").exists()


# --- silence ---


def test_a_silent_sensor_is_told_to_its_giver_once(given, anna, mailoutbox, settings):
    sensor, _ = given
    config = replace(settings.ALLMENDE, mail_url="smtp://localhost", own_silent_hours=24)
    now = timezone.now()
    assert tell_silent(open_profile(), config, now) == 0, "one that never spoke is not silent"
    send(given, {"temperature": 1})
    assert tell_silent(open_profile(), config, now) == 0
    later = now + timedelta(hours=25)
    assert tell_silent(open_profile(), config, later) == 1
    assert mailoutbox == [], "the address is not confirmed"
    assert "Der Sensor hat eine Weile nichts geschickt." in anna[1].get(f"/own/{sensor.pk}/").text
    EmailAddress.objects.create(user=anna[0], email="anna@city.example", verified=True, primary=True)
    assert tell_silent(open_profile(), config, later) == 0, "once"
    send(given, {"temperature": 1})
    assert tell_silent(open_profile(), config, later + timedelta(hours=25)) == 1
    assert [mail.to for mail in mailoutbox] == [["anna@city.example"]]
    assert mailoutbox[0].subject == "Ihr Sensor „Geheimer Hof“ schweigt"
    assert f"/own/{sensor.pk}/" in mailoutbox[0].body
    send(given, {"temperature": 1})
    keeping.pause(anna[0], sensor, True)
    assert tell_silent(open_profile(), config, later + timedelta(hours=99)) == 0


def test_others_sensors_are_not_there(given):
    sensor, _ = given
    _, otto = person("otto")
    for page in ("words", "place", "delete"):
        assert otto.get(f"/own/{sensor.pk}/{page}/").status_code == 404
    for deed in ("token", "pause", "delete", "place", "words"):
        assert otto.post(f"/own/{sensor.pk}/{deed}/", {"afterwards": "delete"}).status_code == 404
    assert OwnSensor.objects.filter(pk=sensor.pk, paused=False).exists()
