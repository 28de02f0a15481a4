"""Every request gets an id, a line in the log and a place in the metrics."""

import re
import secrets
import time
from collections.abc import Callable
from logging import DEBUG, ERROR, INFO

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, reset_contextvars

from allmende.web.observability.logs import request_log
from allmende.web.observability.metrics import LOOKUPS, REQUESTS

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}\Z", re.ASCII)
_MACHINES = ("health", "ready", "metrics")
_OPENING = ("secret", "key")
"""Parts of addresses that open something to whoever has them: an invitation, a new password, a download."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMiddleware:
    """Outermost: sees what all others made of the request.

    ``request.request_id`` is the caller's ``X-Request-ID`` where it is 8 to 64 plain characters, else a fresh one; the
    response carries it. Logs say the path, without what opens something, and never the query, the address or the user.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE.match(given) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]  Django's requests are open for this
        tokens = bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            self._note(request, response, time.perf_counter() - started)
            return response
        finally:
            reset_contextvars(**tokens)

    def _note(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        route = _route(request)
        method = request.method if request.method in _METHODS else "OTHER"
        REQUESTS.labels(method, route, str(response.status_code)).observe(seconds)
        LOOKUPS.note()
        level = DEBUG if route in _MACHINES else ERROR if response.status_code >= 500 else INFO
        fields = {
            "method": method,
            "path": _path(request),
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        }
        request_log.write(level, request.request_id, fields)  # type: ignore[attr-defined]


def _path(request: HttpRequest) -> str:
    path, match = request.path, request.resolver_match
    for name in _OPENING if match is not None and "kind" not in match.kwargs else ():  # a table's key is no secret
        opening = match.kwargs.get(name) if match is not None else None
        if opening:
            path = path.replace(str(opening), "…")
    return path


def _route(request: HttpRequest) -> str:
    """The pattern that matched, so that the metrics do not grow with the ids asked for."""
    match = request.resolver_match
    if match is not None:
        # A regular expression is no name for people; its view has one.
        return match.view_name if match.route.startswith("^") and match.view_name else match.route or "/"
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "unmatched"
