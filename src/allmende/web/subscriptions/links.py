"""Links that letters bear. Each leads to a page with a button: to look at it, as mail filters do, changes nothing."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from allmende.web.subscriptions.models import Subscriber, Subscription

_SALT = "allmende.subscriptions."


def link(view: str, *values: str | int) -> str:
    """The whole address of a page; ``values`` are signed."""
    return f"{root()}{path(view, *values)}"


def path(view: str, *values: str | int) -> str:
    """The same without the host."""
    token = signing.dumps(list(values), salt=f"{_SALT}{view}")
    return reverse(f"subscriptions:{view}", args=[token])


def root() -> str:
    """The house's address as letters say it, without a slash at the end."""
    config = settings.ALLMENDE
    return str(config.public_url or config.url).rstrip("/")


def confirm_link(subscription: Subscription) -> str:
    """By which a subscription begins, and its subscriber renews."""
    return link("confirm", subscription.pk, subscription.subscriber.key)


def manage_link(subscriber: Subscriber) -> str:
    """To one's own list."""
    return link("mine", subscriber.pk, subscriber.key)


def off_link(subscriber: Subscriber, subscription: Subscription | None) -> str:
    """By which one subscription ends, or all."""
    return link("off", subscriber.pk, subscriber.key, subscription.pk if subscription else 0)


def renew_link(subscriber: Subscriber) -> str:
    """By which a subscriber stays for another year."""
    return link("renew", subscriber.pk, subscriber.key)


def read_token(view: str, token: str, *, hours: float | None = None) -> list[str | int]:
    """What was signed; empty where it was not signed here for this view, or is older than ``hours``."""
    try:
        found = signing.loads(token, salt=f"{_SALT}{view}", max_age=None if hours is None else round(hours * 3600))
    except (signing.BadSignature, ValueError):
        return []
    return list(found) if isinstance(found, list) else []


def read_subscriber(view: str, token: str) -> tuple[Subscriber | None, int]:
    """Whose link it is, and the third value that was signed; None where it opens nothing any more."""
    values = read_token(view, token)
    if len(values) < 2:
        return None, 0
    subscriber = Subscriber.objects.filter(pk=values[0], key=str(values[1])).first()
    return subscriber, int(values[2]) if len(values) > 2 else 0
