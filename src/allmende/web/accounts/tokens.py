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
from allmende.web.accounts.access import datasets_of, may_feed, writes_of
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import Token, User
from allmende.web.accounts.mosquitto import mosquitto_hash

PREFIX = "allmende_"
"""Makes a leaked secret easy to find for scanners."""
_COARSE = timedelta(hours=1)
_SECONDS_KNOWN = 1.0
"""So long a token that was looked up is taken for valid."""
_MOST_KNOWN = 1000
_known: dict[str, tuple[float, Reader]] = {}
"""Readers by the digest of their token, and until when."""
_SECONDS_MET = 600.0
_met: dict[str, float] = {}
"""Digests of tokens that were found valid, and until when each has an allowance of its own: longer than what it may is
known, so that a program that asks once a second does not use up its address's."""


def create_token(
    name: str,
    *,
    actor: str,
    may_write: bool = False,
    datasets: Iterable[str] = (),
    writes: Iterable[str] | None = None,
    publishes: bool | None = None,
    user: User | None = None,
    expires: datetime | None = None,
) -> tuple[Token, str]:
    """A new token and its secret, which cannot be seen again. Raises Conflict where the name is taken.

    Where nothing else is said, one that may write writes to the datasets that it reads, and publishes by MQTT.
    """
    datasets = sorted(set(datasets))
    written = sorted(set(datasets if writes is None else writes)) if may_write else []
    publishes = may_write if publishes is None else publishes
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if Token.objects.filter(name=name).exists():
            raise Conflict(f'there is a token "{name}" already; choose another name, or revoke that one')
        token = Token.objects.create(
            name=name,
            digest=digest_of(secret),
            user=user,
            datasets=datasets,
            may_write=may_write,
            writes=written,
            publishes=publishes,
            broker_hash=mosquitto_hash(secret) if publishes else "",
            expires=expires,
        )
        until = expires.isoformat() if expires else None
        record(
            actor, "token.create", f"token:{name}", may_write=may_write, datasets=datasets, writes=written,
            publishes=publishes, expires=until,
        )  # fmt: skip
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
            forget_known()
            # Again behind the commit: until then others still find it valid.
            transaction.on_commit(forget_known)
            record(actor, "token.revoke", f"token:{name}")
    return token


def forget_token(token: Token) -> None:
    """Delete a token whose use nobody needs to look up: here at once, in other processes within a second."""
    token.delete()
    forget_known()
    transaction.on_commit(forget_known)


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
    if len(_met) >= _MOST_KNOWN:
        _met.clear()
    _met[digest] = now + _SECONDS_MET
    return reader


def reader_of_token(token: Token) -> Reader:
    """What a token may read and write now: of a person's token, no more than the person may."""
    reads, writes = frozenset(token.datasets), frozenset({*token.writes, COMMONS}) if token.may_write else frozenset()
    if token.user is not None:
        reads, writes = reads & datasets_of(token.user), writes & writes_of(token.user)
    return Reader(name=f"token:{token.name}", datasets=reads, may_write=bool(writes), writes=writes)


def may_publish(token: Token) -> bool:
    """Whether devices may send with it to the house's broker."""
    return token.publishes and (token.user is None or may_feed(token.user))


def client_of(secret: str) -> str:
    """Whose allowance a request with this secret uses up: a token that was valid in the last minutes, or ''. Asks
    nothing."""
    digest = digest_of(secret)
    return digest if time.monotonic() < _met.get(digest, 0.0) else ""


def forget_known() -> None:
    """Ask again: somebody may more or less than before. Other processes do within a second."""
    _known.clear()


def digest_of(secret: str) -> str:
    """How a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
