"""Settings of MQTT: a part of Config, which says where they come from."""

from typing import Annotated
from urllib.parse import urlsplit

from allmende.domain.errors import ConfigurationError
from allmende.web.account_settings import AccountSettings
from allmende.web.setting import KIB, MIB
from allmende.web.setting import describe as _setting


class MessageSettings(AccountSettings, frozen=True, kw_only=True):
    """The embedded broker, or one of the operator's own; what is told and what is taken there."""

    mqtt_port: Annotated[
        int,
        _setting(
            "ALLMENDE_MQTT_PORT", "Messages", "Port of the embedded MQTT broker. 0: no such listener.", high=65535
        ),
    ] = 18830
    mqtt_websocket_port: Annotated[
        int,
        _setting(
            "ALLMENDE_MQTT_WEBSOCKET_PORT",
            "Messages",
            "Port of the embedded broker for MQTT over WebSocket, which live pages use. 0: no such listener; "
            "pages then ask again every few seconds.",
            high=65535,
        ),
    ] = 18831
    mqtt_websocket_url: Annotated[
        str,
        _setting(
            "ALLMENDE_MQTT_WEBSOCKET_URL",
            "Messages",
            "Address at which browsers reach MQTT over WebSocket, where a proxy stands before it, "
            "e.g. `wss://city.example/mqtt`. Empty: the name in the address bar and the port above.",
            schemes=("ws", "wss"),
        ),
    ] = ""
    broker_url: Annotated[
        str,
        _setting(
            "ALLMENDE_BROKER_URL",
            "Messages",
            "A broker of your own, `mqtt://user:password@host:1883` or `mqtts://…`; the embedded one then stays off.",
            schemes=("mqtt", "mqtts"),
            secret=True,
        ),
    ] = ""
    mqtt_message_bytes: Annotated[
        int,
        _setting("ALLMENDE_MQTT_MESSAGE_BYTES", "Messages", "Largest MQTT message taken.", low=1024, high=256 * MIB),
    ] = 256 * KIB
    mqtt_connections: Annotated[
        int,
        _setting(
            "ALLMENDE_MQTT_CONNECTIONS", "Messages", "Clients at once per listener of the embedded broker.", low=1
        ),
    ] = 1000
    mqtt_questions: Annotated[
        int,
        _setting(
            "ALLMENDE_MQTT_QUESTIONS",
            "Messages",
            "Topics that an account (without one: an address, behind a proxy the proxy's) may have subscribed to at "
            "the embedded broker, all its sessions together, and that are asked of the store at each change (sets, "
            "entities, properties, anything with `$filter`); a stream's own topic is free.",
            low=0,
        ),
    ] = 100
    mqtt_questions_total: Annotated[
        int,
        _setting("ALLMENDE_MQTT_QUESTIONS_TOTAL", "Messages", "Such topics of all clients together.", low=0),
    ] = 1000
    mqtt_retain: Annotated[
        bool,
        _setting(
            "ALLMENDE_MQTT_RETAIN",
            "Messages",
            "Whoever subscribes to a stream's topic gets its latest reading at once (retained), as clients expect that "
            "ask MQTT alone. Masterportal reads the latest values by HTTP and needs it not.",
        ),
    ] = False
    mqtt_create_topics: Annotated[
        tuple[str, ...],
        _setting(
            "ALLMENDE_MQTT_CREATE_TOPICS",
            "Messages",
            "Topics of a broker of your own at which entities are created, separated by commas: `v1.1/Observations`, "
            "or with a word before it `create/v1.1/#`. Whoever may publish there may write. Empty: none. "
            "The embedded broker takes all sets, from those who may write.",
        ),
    ] = ()
    publish_max_age: Annotated[
        float,
        _setting(
            "ALLMENDE_PUBLISH_MAX_AGE",
            "Messages",
            "Readings of a source older than this many seconds on arrival (an import, a back-fill) are not published "
            "by MQTT. What clients create is always published.",
            low=0,
        ),
    ] = 3600.0

    follow_days: Annotated[
        float,
        _setting(
            "ALLMENDE_FOLLOW_DAYS",
            "Messages",
            "Days that a change waits for those who follow (a broker that is away); after that they miss it. "
            "What all have read goes within the hour.",
            low=1,
        ),
    ] = 30.0

    def endpoints(self, host: str) -> tuple[str, ...]:
        """Where clients reach MQTT; ``host`` is the name by which one has called, perhaps with a port."""
        if self.broker_url:
            parts = urlsplit(self.broker_url)
            port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
            return (f"{parts.scheme}://{_bracketed(parts.hostname or 'localhost')}:{port}",)
        name = _bracketed(urlsplit(f"//{host}").hostname or "localhost")
        found = [f"mqtt://{name}:{self.mqtt_port}"] if self.mqtt_port else []
        if self.mqtt_websocket_port:
            found.append(self.mqtt_websocket_url or f"ws://{name}:{self.mqtt_websocket_port}/mqtt")
        return tuple(found)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def check_create_topics(config: MessageSettings) -> None:
    """Raise ConfigurationError for topics at which the house would hear itself."""
    for topic in config.mqtt_create_topics:
        first, *rest = topic.split("/")
        if topic != "v1.1/Observations" and (first in ("v1.1", "+", "#", "") or "v1.1" not in rest):
            raise ConfigurationError(
                f"{topic!r} may be what the house publishes itself; take `v1.1/Observations`, or put a word before it: "
                f"`create/v1.1/{'/'.join(rest) or '#'}`",
                where="ALLMENDE_MQTT_CREATE_TOPICS",
            )
