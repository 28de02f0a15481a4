"""The short way of a program's request: what serves pages alone is left out of it."""

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

from allmende.web.accounts.middleware import ReaderMiddleware
from allmende.web.explorer.views import series
from allmende.web.house import HouseMiddleware
from allmende.web.ogc.views import features, wants_page
from allmende.web.sta import sensorthings

_APIS = {"/sta/": sensorthings, "/ogc/": features, "/explorer/series.json": series}
"""The views that take the short way, by the beginning of their addresses."""


class ShortCutMiddleware:
    """Takes requests for an API straight to its view: what follows in the chain serves pages.

    Sessions, languages, forms and messages mean nothing to a program, but cost more than many an answer. Whoever sends
    a session's cookie takes the long way, where it is looked at. What stands before (log, metrics, limits, CORS,
    security headers) holds for all, and so do the reader's rights.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._serve = ReaderMiddleware(HouseMiddleware(_call_view))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = self._match(request)
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        response = self._serve(request)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _match(self, request: HttpRequest) -> ResolverMatch | None:
        """The view that is meant, where it may be called at once."""
        path = request.path_info
        view = next((view for start, view in _APIS.items() if path.startswith(start)), None)
        if view is None or settings.SESSION_COOKIE_NAME in request.META.get("HTTP_COOKIE", ""):
            return None
        # where the interface answers with pages, too, those are for people
        if view is features and wants_page(request):
            return None
        try:
            match = _resolve(path)
        except Resolver404:
            return None
        return match if match.func is view else None


@lru_cache(maxsize=2_000)
def _resolve(path: str) -> ResolverMatch:
    """Programs ask for the same again and again; the addresses do not change while the house runs."""
    return resolve(path)


def _call_view(request: HttpRequest) -> HttpResponse:
    match = request.resolver_match
    assert match is not None
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response
