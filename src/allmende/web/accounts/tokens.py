"""Makes tokens, and finds the one that a secret belongs to."""

import hashlib
import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from allmende.domain.errors import Conflict, NotFound
from allmende.domain.policy import COMMONS, Reader
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import Token, User

PREFIX = "allmende_"
"""Makes a leaked secret easy to find for scanners."""
_COARSE = timedelta(hours=1)
_SECONDS_KNOWN = 1.0
"""So long a token that was looked up is taken for valid."""
_MOST_KNOWN = 1000
_known: dict[str, tuple[float, Reader]] = {}
"""Readers by the digest of their token, and until when."""


def create_token(
    name: str,
    *,
    actor: str,
    may_write: bool = False,
    datasets: Iterable[str] = (),
    user: User | None = None,
    expires: datetime | None = None,
) -> tuple[Token, str]:
    """A new token and its secret, which cannot be seen again. Raises Conflict where the name is taken."""
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if Token.objects.filter(name=name).exists():
            raise Conflict(f'there is a token "{name}" already; choose another name, or revoke that one')
        token = Token.objects.create(
            name=name,
            digest=digest_of(secret),
            user=user,
            datasets=sorted(set(datasets)),
            may_write=may_write,
            expires=expires,
        )
        until = expires.isoformat() if expires else None
        record(actor, "token.create", f"token:{name}", may_write=may_write, datasets=token.datasets, expires=until)
    return token, secret


def revoke_token(name: str, *, actor: str) -> Token:
    """End a token for good: here at once, in other processes within a second. Raises NotFound."""
    with transaction.atomic():
        token = Token.objects.filter(name=name).first()
        if token is None:
            raise NotFound(f'there is no token "{name}"; `allmende token list` names them')
        if token.revoked is None:
            token.revoked = timezone.now()
            token.save(update_fields=["revoked"])
            _known.clear()
            # Again behind the commit: until then others still find it valid.
            transaction.on_commit(_known.clear)
            record(actor, "token.revoke", f"token:{name}")
    return token


def forget_token(token: Token) -> None:
    """Delete a token whose use nobody needs to look up: here at once, in other processes within a second."""
    token.delete()
    _known.clear()
    transaction.on_commit(_known.clear)


def find_token(secret: str) -> Token | None:
    """The valid token of a secret, or None. Notes the hour of its use."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    token = Token.objects.select_related("user").filter(digest=digest_of(secret)).first()
    now = timezone.now()
    if token is None or not token.is_valid(now):
        return None
    if token.last_used is None or now - token.last_used >= _COARSE:
        hour = now.replace(minute=0, second=0, microsecond=0)
        Token.objects.filter(pk=token.pk).update(last_used=hour)
    return token


def known_reader(secret: str) -> Reader | None:
    """Who the valid token of a secret stands for, or None. Programs send the same one with each of many requests, so
    that it is looked up once a second."""
    digest, now = digest_of(secret), time.monotonic()
    until, reader = _known.get(digest, (0.0, None))
    if now < until:
        return reader
    _known.pop(digest, None)
    token = find_token(secret)
    if token is None:
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    reader = reader_of_token(token)
    _known[digest] = (now + _SECONDS_KNOWN, reader)
    return reader


def reader_of_token(token: Token) -> Reader:
    """What a token may read and write."""
    granted = frozenset(token.datasets)
    writes = granted | {COMMONS}
    return Reader(name=f"token:{token.name}", datasets=granted, may_write=token.may_write, writes=writes)


def digest_of(secret: str) -> str:
    """How a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
