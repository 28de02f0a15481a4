"""Finds out who asks: a program by its token, a person by their session, or anybody."""

import base64
import binascii

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from allmende.domain.errors import AllmendeError
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.web.accounts.access import datasets_of
from allmende.web.accounts.models import Token
from allmende.web.accounts.tokens import client_of, find_token, known_reader, may_publish, reader_of_token
from allmende.web.broker.session import Client


class WrongToken(AllmendeError):
    """Somebody named a token that opens nothing."""


def reader_of(request: HttpRequest) -> Reader:
    """Who sent the request. Raises WrongToken where an Authorization header does not hold.

    A token comes as ``Authorization: Bearer <token>``, or as the password of HTTP Basic with any name. A session reads
    alone: what a browser sends along by itself must not write through the APIs.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if header:
        reader = known_reader(_secret(header))
        if reader is None:
            raise WrongToken("the token is unknown, expired or revoked; `allmende token create` makes a new one")
        return reader
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        user = request.user
        if user.is_authenticated:
            return Reader(name=f"user:{user.get_username()}", datasets=datasets_of(user))
    if settings.ALLMENDE.anonymous_writes and _comes_from_here(request):
        return Reader(name="anonymous", may_write=True)
    return ANONYMOUS


def token_of(request: HttpRequest) -> str:
    """The valid token that a request has shown, as far as that is known without asking; else ''."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    try:
        return client_of(_secret(header)) if header else ""
    except WrongToken:
        return ""


def _comes_from_here(request: HttpRequest) -> bool:
    """Whether somebody on this machine asks, and neither through a proxy nor by a page of somebody else's."""
    headers = request.headers
    if any(name in headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")):
        return False
    origin = headers.get("Origin", "")
    own = (f"http://{request.get_host()}", f"https://{request.get_host()}")
    return request.META.get("REMOTE_ADDR", "") in ("127.0.0.1", "::1", "") and (not origin or origin in own)


def _secret(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() != "basic":
        raise WrongToken("give a token as `Authorization: Bearer <token>`, or as the password of HTTP Basic")
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        raise WrongToken("the header for HTTP Basic is no base64 of name:token") from None


def authenticate_mqtt(username: str, password: str) -> Client | None:
    """The client of a token that came as the password, with any name; None where it opens nothing."""
    token = find_token(password)
    return None if token is None else Client(name=f"token:{token.name}")


def may_publish_mqtt(client: Client, topic: str) -> bool:
    """Whether the client's token may publish, asked anew for each message: it may have been revoked meanwhile."""
    if client.anonymous:
        return writer_of_mqtt(client).may_write
    token = _valid_token(client.name)
    return token is not None and may_publish(token)


def reader_of_mqtt(name: str) -> Reader | None:
    """What the client of this name may read now; None where its token was revoked meanwhile."""
    if name == ANONYMOUS.name:
        return ANONYMOUS
    token = _valid_token(name)
    return None if token is None else reader_of_token(token)


def _valid_token(client_name: str) -> Token | None:
    token = Token.objects.select_related("user").filter(name=client_name.removeprefix("token:")).first()
    return token if token is not None and token.is_valid(timezone.now()) else None


def writer_of_mqtt(client: Client) -> Reader:
    """The same for one that publishes: without a token it may write in trials alone, and from this machine."""
    if client.anonymous and client.local and settings.ALLMENDE.anonymous_writes:
        return Reader(name=ANONYMOUS.name, may_write=True)
    return reader_of_mqtt(client.name) or ANONYMOUS


def may_subscribe_mqtt(client: Client, topic_filter: str) -> bool:
    """Nobody but the house reads what devices send: it may hold what is dropped before it is stored."""
    return False
