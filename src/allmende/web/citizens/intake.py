"""What own sensors send, whichever way it came: looked up, limited, and taken like everything else.

A message is taken with its sensor's row locked, so that none comes in behind a deletion, and none tells a place that
was made coarser meanwhile.
"""

import random
import time
from collections.abc import Sequence
from functools import cache

import msgspec
import structlog
from django.conf import settings
from django.utils import timezone

from allmende.domain.batch import Receipt
from allmende.domain.connector import Payload
from allmende.domain.errors import Forbidden, LimitExceeded, LostRace, NotFound
from allmende.domain.records import Rejection
from allmende.web.broker.session import Client
from allmende.web.citizens.models import BLOCKED, OwnSensor
from allmende.web.citizens.source import source_of
from allmende.web.counts import Bucket
from allmende.web.disk import DiskFloor
from allmende.web.house import open_profile, open_store
from allmende.web.intake import Intake

TOPICS = ("own/+", "own/+/+")
"""``own/7``, and ``own/7/temperature`` for devices that send each value by itself."""
_REPEATS = 8
_PAUSE = 0.05

log = structlog.get_logger("allmende.citizens")


class Paused(Forbidden):
    """The giver wants nothing to be taken now."""


class TooOften(LimitExceeded):
    """More messages a minute than are taken of one sensor."""

    def __init__(self, wait: float) -> None:
        super().__init__("too many messages a minute; send them again later", setting="ALLMENDE_OWN_RATE")
        self.wait = wait


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message."""

    receipt: Receipt
    rejections: Sequence[Rejection]


@cache
def _bucket() -> Bucket:
    return Bucket(settings.ALLMENDE.own_rate, "own sensors")


@cache
def _disk() -> DiskFloor:
    return DiskFloor(settings.ALLMENDE)


def find_sensor(number: str) -> OwnSensor:
    """By the number in an address or a topic; raises NotFound."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise NotFound("there is no such sensor")
    found = OwnSensor.objects.filter(pk=int(number)).first()
    if found is None:
        raise NotFound("there is no such sensor")
    return found


def sensor_of_token(name: str) -> OwnSensor | None:
    """The sensor that a token (``token:own-7.a1b2``) was made for; None for any other."""
    token = name.removeprefix("token:")
    if token == name:
        return None
    found = OwnSensor.objects.select_related("token__user").filter(token__name=token).first()
    return found if found is not None and found.token is not None and found.token.is_valid(timezone.now()) else None


def take(sensor: OwnSensor, body: bytes, part: str = "") -> Taken:
    """Take a message; when this returns, it is committed. ``part`` says what its values are, if the address does.

    Raises Forbidden where nothing is taken of this sensor, LimitExceeded, and what Intake.take raises.
    """
    limit = settings.ALLMENDE.own_bytes
    if len(body) > limit:
        raise LimitExceeded(f"the message has {len(body)} bytes, allowed are {limit}", setting="ALLMENDE_OWN_BYTES")
    wait = _bucket().take(sensor.id_)
    if wait:
        raise TooOften(wait)
    name = f"own/{sensor.pk}/{part}" if part else f"own/{sensor.pk}"
    for repeats in range(_REPEATS, -1, -1):
        try:
            return open_store().together(lambda: _take(sensor.pk, body, name))
        except LostRace:
            if not repeats:
                raise
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311  no secret: two that met do not meet again
    raise AssertionError("unreachable")


def _take(pk: int, body: bytes, name: str) -> Taken:
    sensor = OwnSensor.objects.select_for_update().filter(pk=pk).first()
    if sensor is None:
        raise NotFound("there is no such sensor")
    check_takes(sensor)
    prepared = source_of(sensor)
    intake = Intake(open_store(), open_profile(), settings.ALLMENDE, sources={sensor.id_: prepared})
    intake.disk = _disk()
    payload = Payload(body=body, name=name, received_at=intake.clock())
    rejections = intake.read(prepared, payload).rejections
    receipt = intake.take(sensor.id_, payload)
    OwnSensor.objects.filter(pk=pk).update(last_received=timezone.now(), told_silent=None)
    return Taken(receipt=receipt, rejections=rejections)


def check_takes(sensor: OwnSensor) -> None:
    """Raise Forbidden where its readings are not wanted."""
    if sensor.state == BLOCKED:
        raise Forbidden("the city takes nothing of this sensor; its page says why")
    if sensor.paused:
        raise Paused("its giver has paused this sensor; its page lets it go on")


def is_own(topic: str) -> bool:
    """Whether a topic is for own sensors alone."""
    return topic.startswith("own/")


def may_give(client: Client, topic: str) -> bool:
    """Whether a client of the embedded broker may publish to a topic of an own sensor: with its token alone."""
    sensor = None if client.anonymous else sensor_of_token(client.name)
    levels = topic.split("/")
    return sensor is not None and sensor.takes and len(levels) in (2, 3) and levels[1] == str(sensor.pk)


def take_message(topic: str, body: bytes) -> None:
    """Take a message of a topic; who may publish there was asked before.

    What is refused for good is told in the log: a broker would send it for ever. Raises what may be over the next
    time, so that it is not acknowledged: StorageError, TooOften.
    """
    levels = topic.split("/")
    try:
        take(find_sensor(levels[1]), body, levels[2] if len(levels) == 3 else "")
    except TooOften:
        raise
    except (Forbidden, LimitExceeded, NotFound) as error:
        log.info("a message of an own sensor was not taken", topic=topic[:80], reason=str(error))


def take_broker_messages(messages: Sequence[tuple[str, bytes]]) -> None:
    """The same for messages of the operator's broker, in their order. Nobody slows one down there, so what comes too
    often is dropped and told in the log."""
    for topic, body in messages:
        try:
            take_message(topic, body)
        except TooOften as error:
            log.warning("a message of an own sensor was dropped", topic=topic[:80], reason=str(error))
