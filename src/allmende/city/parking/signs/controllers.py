"""Tokens of the devices that drive the displays. A token opens one display."""

import hashlib
import hmac
import secrets
from datetime import datetime

from allmende.city.parking.signs.models import SignToken

HEADER = "X-Sign-Token"
"""Not ``Authorization``: that header opens the house's own interfaces, which no sign has to know of."""


def make_token(display: str, now: datetime) -> str:
    """A new token; the one before opens nothing any more. Only its hash is kept."""
    token = secrets.token_urlsafe(32)
    SignToken.objects.update_or_create(display=display, defaults={"digest": _digest(token), "made": now})
    return token


def opens(display: str, token: str) -> bool:
    """Whether the token is the display's."""
    row = SignToken.objects.filter(display=display).first()
    # compared also where there is none, so that time does not tell which displays have a token
    same = hmac.compare_digest(row.digest if row else "", _digest(token))
    return row is not None and bool(token) and same


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
