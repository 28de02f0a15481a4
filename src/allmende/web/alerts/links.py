"""Links that messages bear: to the alert's page, and one by which it is acknowledged without an account.

The second leads to a page with a button; to look at it, as mail filters do, changes nothing.
"""

from django.core import signing
from django.urls import reverse

from allmende.web.config import Config

_SALT = "allmende.alerts.acknowledge"
_SECONDS = 30 * 86_400


def page_of(config: Config, event: str) -> str:
    """The address of an alert's page."""
    return f"{_root(config)}{reverse('alerts:alert', args=[event])}"


def link_to_acknowledge(config: Config, event: str, channel: str) -> str:
    """The address by which whoever has it acknowledges an alert; it is good for 30 days."""
    token = signing.dumps([event, channel], salt=_SALT, compress=True)
    return f"{_root(config)}{reverse('alerts:by-link', args=[token])}"


def read_link(token: str) -> tuple[str, str] | None:
    """Event and channel of a link; None where it was not made here, or is too old."""
    try:
        event, channel = signing.loads(token, salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(event), str(channel)


def _root(config: Config) -> str:
    return (config.public_url or config.url).rstrip("/")
