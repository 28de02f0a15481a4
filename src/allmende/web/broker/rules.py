"""What the house's broker may do: from the accounts, and from the profile's sources."""

from allmende.web.accounts.authentication import authenticate_mqtt, may_publish_mqtt, may_subscribe_mqtt
from allmende.web.broker.broker import Rules
from allmende.web.broker.session import Client
from allmende.web.config import Config
from allmende.web.house import open_profile, open_store
from allmende.web.intake import Intake
from allmende.web.secrets import kept_secret

INTERNAL_TOKEN = "internal_token"  # noqa: S105  a file's name
"""File in the home with the password of the house's own client, for the worker's publisher."""


def house_rules(config: Config) -> Rules:
    """Rules over the opened house; Django's apps are loaded."""
    intake = Intake(open_store(), open_profile(), config)
    take = intake.message_intake()

    def ingest(topic: str, payload: bytes, _client: Client) -> None:
        take(topic, payload)

    return Rules(
        ingest=ingest,
        ingest_filters=intake.topics(),
        authenticate=authenticate_mqtt,
        may_publish=may_publish_mqtt,
        may_subscribe=may_subscribe_mqtt,
        internal_token=kept_secret(config.home, INTERNAL_TOKEN),
    )
