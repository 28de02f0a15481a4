"""SensorThings over HTTP: Django's request to the face's, and back."""

import time
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from allmende.domain.face import FaceLimits, Request
from allmende.faces.sensorthings.face import answer


@cache
def face_limits() -> FaceLimits:
    """The operator's bounds."""
    config = settings.ALLMENDE
    return FaceLimits(
        page_size=config.page_size,
        page_size_max=config.page_size_max,
        skip_max=config.skip_max,
        expand_depth=config.expand_depth,
        filter_length=config.filter_length,
    )


# A token is sent on purpose with each request, so that there is no session to forge a request in.
@csrf_exempt
def sensorthings(request: HttpRequest, path: str | None) -> HttpResponse:
    """``/sta/v1.1/…``"""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    response = answer(
        Request(
            method=request.method or "GET",
            path=path or "",
            query=request.META.get("QUERY_STRING", ""),
            root=request.build_absolute_uri("/sta/v1.1"),
            reader=house.reader,
            now=time.time_ns() // 1000,
            body=request.body if request.method == "POST" else b"",
            content_type=request.headers.get("Content-Type", ""),
        ),
        house.store,
        face_limits(),
    )
    return HttpResponse(
        response.body, status=response.status, content_type=response.content_type, headers=dict(response.headers)
    )
