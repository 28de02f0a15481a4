"""Tokens and reports of the devices that drive the displays. A token opens one display."""

import hashlib
import hmac
import secrets
from datetime import datetime

from allmende.city.parking.signs import feed
from allmende.city.parking.signs.model import Display, Shown, Signs
from allmende.city.parking.signs.models import SignReport, SignToken

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


def take_report(display: Display, body: bytes, shown: Shown | None, signs: Signs, now: datetime) -> SignReport:
    """Keep what a controller tells. Raises InvalidInput."""
    report = feed.read_report(display, body)
    agreed = feed.agrees(display, report, shown, now, signs.poll)
    before = SignReport.objects.filter(display=display.id).first()
    differs = before.differs_since if before else None
    if agreed is not None:
        differs = None if agreed else differs or now
    row, _ = SignReport.objects.update_or_create(
        display=display.id,
        defaults={
            "at": now,
            "rows": None if report.rows is None else list(report.rows),
            "faults": list(report.faults),
            "differs_since": differs,
        },
    )
    return row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
