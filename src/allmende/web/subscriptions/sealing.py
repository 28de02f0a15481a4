"""Addresses lie encrypted by the house's secret: a copy of the database alone tells nobody's."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from allmende.domain.errors import ConfigurationError


def seal(text: str) -> str:
    """Encrypt it."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was encrypted; raises ConfigurationError where the house's secret is another one than then."""
    try:
        return _cipher().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ConfigurationError(
            "an address was encrypted with another secret; bring back the one that it was", where="ALLMENDE_SECRET_KEY"
        ) from None


def mark_of(way: str, address: str) -> str:
    """By which an address is known again, and nobody learns it. Case does not matter in mail addresses."""
    said = address.lower() if way == "mail" else address
    return hmac.new(_key("marks"), f"{way} {said}".encode(), hashlib.sha256).hexdigest()


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_key("addresses")))


def _key(purpose: str) -> bytes:
    secret = settings.SECRET_KEY.encode()
    return hmac.new(secret, f"allmende.subscriptions.{purpose}".encode(), hashlib.sha256).digest()
