"""What one client may ask of the house: the size of a body, and how often."""

from collections.abc import Callable

import msgspec
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse

from allmende.web.accounts.authentication import token_of
from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.counts import Bucket

MAKING = "/office/sources/new/"
"""Where files are brought to make a source of: larger ones than by other forms."""
_FORM = 64 * 1024
"""What a form has beside the file."""
_MACHINES = ("/health", "/ready", "/metrics")
"""Never limited: who watches the house must not be turned away by it."""


class Allowance:
    """How often one kind of client may ask, and the headers that say so (draft-ietf-httpapi-ratelimit-headers-10)."""

    def __init__(self, rate: int, setting: str) -> None:
        self._bucket = Bucket(rate, setting) if rate else None
        self._setting = setting
        self._policy = f'"minute";q={rate};w=60'

    def answer(self, client: str, get_response: Callable[[], HttpResponse]) -> HttpResponse:
        """The answer, or 429 with Retry-After where the client has asked too often."""
        if self._bucket is None:
            return get_response()
        wait, left = self._bucket.spend(client)
        if wait:
            response = _refuse(429, f"more than {self._bucket.rate} requests a minute (limit: {self._setting})")
            response.headers["Retry-After"] = str(int(wait) + 1)
        else:
            response = get_response()
        full = (self._bucket.rate - left) * 60 / self._bucket.rate
        response.headers["RateLimit-Policy"] = self._policy
        response.headers["RateLimit"] = f'"minute";r={int(left)};t={int(full) + 1}'
        return response


class LimitsMiddleware:
    """413 for a body that says it is too large, 429 for whoever asks too often: a token, else an address.

    A token has an allowance of its own once it was found valid; until then, and if it is made up, its sender's address
    pays. (What a client merely claims must not give it a fresh allowance.)
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._addresses = Allowance(settings.ALLMENDE.rate_limit, "ALLMENDE_RATE_LIMIT")
        self._tokens = Allowance(settings.ALLMENDE.token_rate_limit, "ALLMENDE_TOKEN_RATE_LIMIT")
        self._free = (*_MACHINES, settings.STATIC_URL)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        form = request.content_type == "multipart/form-data"
        limit = settings.ALLMENDE.upload_bytes if form else settings.ALLMENDE.body_bytes
        name = "ALLMENDE_UPLOAD_BYTES" if form else "ALLMENDE_BODY_BYTES"
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > limit and form and request.path_info == MAKING and _is_known(request):
            limit, name = settings.ALLMENDE.making_bytes + _FORM, "ALLMENDE_MAKING_BYTES"
        if length > limit:
            return _refuse(413, f"the body has {length} bytes, allowed are {limit} (limit: {name})")
        if request.path_info.startswith(self._free):
            return self.get_response(request)
        token = token_of(request)
        if token:
            return self._tokens.answer(token, lambda: self.get_response(request))
        return self._addresses.answer(prefix_of(address_of(request)), lambda: self.get_response(request))


def _is_known(request: HttpRequest) -> bool:
    """Whether somebody has logged in. Asked before the body is read, for large ones alone: a form's body lies on the
    disk by the time that a view can say no."""
    session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return SESSION_KEY in session


def _refuse(status: int, message: str) -> HttpResponse:
    body = msgspec.json.encode({"code": status, "type": "error", "message": message})
    return HttpResponse(body, status=status, content_type="application/json")
