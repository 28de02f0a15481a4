"""An own sensor's token at the SensorThings API: it may send readings of its own streams, and nothing else.

They take the way of all that the sensor sends: a place of their own, an opinion on quality or a new stream cannot come
in by this door.
"""

from typing import Any
from urllib.parse import quote

import msgspec

from allmende.connectors.own_sensor.parse import read_time
from allmende.domain.errors import AllmendeError, InvalidInput, NotFound
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.store import Store
from allmende.domain.times import format_instant
from allmende.faces.sensorthings.address import parse_address
from allmende.faces.sensorthings.answers import refuse
from allmende.faces.sensorthings.face import answer, error_response
from allmende.web.citizens.intake import TooOften, sensor_of_token, take
from allmende.web.citizens.models import OwnSensor

_TAKEN = frozenset({"result", "phenomenonTime", "resultTime", "Datastream"})


def give(question: Request, store: Store, limits: FaceLimits) -> Response | None:
    """The answer to a POST of an own sensor's token; None where it is somebody else's."""
    if question.reader.may_write:
        return None
    sensor = sensor_of_token(question.reader.name)
    if sensor is None:
        return None
    try:
        return _give(question, store, limits, sensor)
    except TooOften as error:
        return refuse(429, str(error), {"Retry-After": str(int(error.wait) + 1)})
    except AllmendeError as error:
        return error_response(error)


def _give(question: Request, store: Store, limits: FaceLimits, sensor: OwnSensor) -> Response:
    said = _read(question.body)
    stream = _stream(question.path, said)
    name = stream.removeprefix(f"{sensor.id_}~")
    if name == stream or name not in sensor.measures:
        own = ", ".join(f"{sensor.id_}~{name}" for name in sensor.measures)
        raise NotFound(f"this token sends readings of {own} alone")
    time = said.get("phenomenonTime") or format_instant(question.now)
    taken = take(sensor, msgspec.json.encode({"value": said["result"], "time": time}), name)
    if taken.rejections:
        raise InvalidInput(taken.rejections[0].reason)
    return _created(question, store, limits, stream, read_time(time), new=bool(taken.receipt.accepted))


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"this is no JSON object: {error}") from None
    if "result" not in said:
        raise InvalidInput("an observation has a result")
    more = sorted(set(said) - _TAKEN)
    if more:
        raise InvalidInput(f"an own sensor sends result and phenomenonTime alone, not {', '.join(more)[:200]}")
    return said


def _stream(path: str, said: dict[str, Any]) -> str:
    address = parse_address(path)
    if address.entity != "Observation" or address.single:
        raise NotFound("an own sensor's token creates Observations alone")
    if address.path:
        return address.path[-1].id or ""
    named = said.get("Datastream")
    id_ = named.get("@iot.id", named.get("id")) if isinstance(named, dict) else None
    if id_ is None:
        raise InvalidInput("an observation belongs to a Datastream", where="Datastream")
    return str(id_)


def _created(question: Request, store: Store, limits: FaceLimits, stream: str, at: int, *, new: bool) -> Response:
    """201 with the address of what is kept now; 200 for a reading that was there, or corrects one."""
    asked = msgspec.structs.replace(
        question,
        method="GET",
        path=f"Datastreams('{stream}')/Observations",
        query=quote(f"$filter=phenomenonTime eq {format_instant(at)}&$top=1", safe="$=&:"),
        body=b"",
        accept="",
    )
    found = msgspec.json.decode(answer(asked, store, limits).body)["value"][0]
    address = {"Location": found["@iot.selfLink"]}
    return Response(status=201 if new else 200, body=msgspec.json.encode(found), headers=address)
