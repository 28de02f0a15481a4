"""Mail of the accounts, handed over beside the request."""

from concurrent.futures import ThreadPoolExecutor, wait
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

log = structlog.get_logger("allmende.accounts")
_MOST_WAITING = 200
_POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="account-mail")
_waiting: set[object] = set()


def hand_over(message: EmailMessage) -> None:
    """Send it soon; what cannot be handed over is logged, without saying to whom. Nothing is kept of it: whoever waits
    in vain asks again."""
    if len(_waiting) >= _MOST_WAITING:
        log.warning("a mail was dropped: too many wait for the mail server")
        return
    future = _POOL.submit(_send, message)
    _waiting.add(future)
    future.add_done_callback(_waiting.discard)


def await_sent(seconds: float = 10) -> None:
    """Until all that was handed over is sent or given up."""
    wait(list(_waiting), timeout=seconds)  # type: ignore[type-var]


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("a mail could not be handed over", error=type(error).__name__)


def at_public_address(url: str) -> str:
    """A link with the address by which others reach the house, where it is known."""
    public = settings.ALLMENDE.public_url
    if not public:
        return url
    parts = urlsplit(url)
    return public.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
