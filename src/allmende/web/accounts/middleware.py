"""Sets ``request.reader``, which HouseMiddleware takes over."""

from collections.abc import Callable

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from allmende.domain.policy import ANONYMOUS
from allmende.web.accounts.authentication import WrongToken, reader_of
from allmende.web.accounts.sessions import note_seen

_MACHINES = ("/health", "/ready", "/metrics")
"""Answered without a look at accounts; /metrics has a token of its own."""
CHALLENGE = 'Bearer realm="allmende", Basic realm="allmende"'
"""Ways to show a token. Some clients show nothing until they are asked to, and know Basic alone."""


class ReaderMiddleware:
    """Finds out who asks; a token that opens nothing is answered with 401 instead of being taken for anybody.

    What somebody known is answered is for them alone: no cache between may keep it for others, whatever a view says.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in _MACHINES:
            try:
                request.reader = reader_of(request)  # type: ignore[attr-defined]  Django's requests are open for this
                if request.reader.name.startswith("user:"):  # type: ignore[attr-defined]
                    note_seen(request)
            except WrongToken as error:
                return _refuse(str(error))
        response = self.get_response(request)
        if getattr(request, "reader", ANONYMOUS).name != ANONYMOUS.name:
            _keep_private(response)
        return response


def _keep_private(response: HttpResponse) -> None:
    said = response.headers.get("Cache-Control", "")
    if "private" not in said and "no-store" not in said:
        response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Authorization", "Cookie"])


def _refuse(message: str) -> HttpResponse:
    body = msgspec.json.encode({"code": 401, "type": "error", "message": message})
    response = HttpResponse(body, status=401, content_type="application/json")
    response["WWW-Authenticate"] = CHALLENGE
    response["Cache-Control"] = "no-store"
    return response
