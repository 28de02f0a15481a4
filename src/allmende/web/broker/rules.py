"""What the house's broker may do: from the accounts, and from the profile's sources."""

import asyncio
import threading

from django.db import close_old_connections

from allmende.domain.errors import AllmendeError, NotFound
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.store import Store
from allmende.faces.sensorthings.render import observation_json
from allmende.faces.sensorthings.topics import observations_topic, parse_subscription
from allmende.web.accounts.authentication import (
    authenticate_mqtt,
    may_publish_mqtt,
    may_subscribe_mqtt,
    reader_of_mqtt,
    writer_of_mqtt,
)
from allmende.web.alerts.mqtt import lasting
from allmende.web.alerts.telling import EmbeddedTeller
from allmende.web.broker.broker import ALERT_TOPICS, Broker, Rules
from allmende.web.broker.notifier import Notifier
from allmende.web.broker.session import Client
from allmende.web.broker.topics import covers, is_wild, matches
from allmende.web.citizens import intake as own
from allmende.web.config import Config
from allmende.web.house import open_profile, open_sources, open_store
from allmende.web.intake import Intake
from allmende.web.latest import latest_reading, latest_readings
from allmende.web.messages import create_from_message
from allmende.web.reads.noting import noting
from allmende.web.sta import face_limits
from allmende.web.worker.looks import Looks


def house_rules(config: Config) -> Rules:
    """Rules over the opened house; Django's apps are loaded."""
    store = open_store()
    intake = Intake(store, open_profile(), config, look=Looks().take, follow=open_sources)
    take = intake.message_intake()

    topics = intake.topics()

    def may_publish(client: Client, topic: str) -> bool:
        if own.is_own(topic):
            return own.may_give(client, topic)
        nonlocal topics
        topics = intake.topics()  # the city's sources may be others by now; here, since a look may ask the database
        return may_publish_mqtt(client, topic)

    def ingest(topic: str, payload: bytes, _client: Client) -> None:
        if own.is_own(topic):
            close_old_connections()
            own.take_message(topic, payload)
        else:
            take(topic, payload)

    def create(topic: str, payload: bytes, client: Client) -> bytes:
        close_old_connections()
        return create_from_message(topic, payload, writer_of_mqtt(client), store, config.api_root)

    return Rules(
        ingest=ingest,
        ingest_filters=lambda: (*topics, *own.TOPICS),
        authenticate=authenticate_mqtt,
        may_publish=may_publish,
        may_subscribe=may_subscribe_mqtt,
        create=create,
        weigh=lambda topic, client: weigh(store, topic, reader_of_mqtt(client.name)),
        retained=lambda filter_, client: retained(noting(store), config, filter_, client),
    )


def house_notifier(broker: Broker, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> Notifier:
    """What tells the broker's clients of all that is committed."""
    return Notifier(broker, loop, open_store(), reader_of_mqtt, face_limits(), stop)


def house_tellers(broker: Broker, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> list[threading.Thread]:
    """All that tell the broker's clients something: what is committed, and public alerts."""
    return [house_notifier(broker, loop, stop), EmbeddedTeller(broker, loop, stop)]


def weigh(store: Store, topic: str, reader: Reader | None) -> bool:
    """Whether a topic has to be asked of the store at each change; raises what is wrong with it."""
    if reader is None:
        raise NotFound("there is no such account")
    asked = parse_subscription(topic, reader=reader, limits=face_limits())
    if not asked.canonical:
        store.find(asked.question("0"))  # names that there are not, and types that do not fit, are found out here
    return not asked.canonical


def retained(store: Store, config: Config, filter_: str, client: Client) -> list[tuple[str, bytes]]:
    """The latest reading of each stream whose topic a filter takes, and public alerts that last."""
    close_old_connections()
    if covers(ALERT_TOPICS, filter_):
        return [(topic, body) for topic, body in lasting(open_profile(), config) if matches(filter_, topic)]
    reader = reader_of_mqtt(client.name)
    if reader is None:
        return []
    if is_wild(filter_):
        found = ((observations_topic(stream, kind), row) for stream, kind, row in latest_readings(store, ANONYMOUS))
        return [(topic, observation_json(row, config.api_root)) for topic, row in found if matches(filter_, topic)]
    try:
        asked = parse_subscription(filter_, reader=reader, limits=face_limits())
    except AllmendeError:
        return []
    if asked.stream is None or not asked.canonical:
        return []
    rows = latest_reading(store, reader, asked.stream)
    return [(filter_, observation_json(row, config.api_root)) for row in rows]
