"""The map's ground: the city's outlines from its profile, which change only when the house starts anew."""

import hashlib

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_safe

NAMES = frozenset({"boundary", "districts", "waters"})
HOUR = 3600


@require_safe
def send(request: HttpRequest, name: str) -> HttpResponse:
    """One outline as GeoJSON, with the attribution that its licence asks for. Raises Http404 for another name."""
    if name not in NAMES:
        raise Http404(name)
    geography = request.house.profile.geography  # type: ignore[attr-defined]
    body = msgspec.json.encode({"attribution": geography.attribution, **getattr(geography, name)})
    etag = quote_etag(hashlib.blake2b(body, digest_size=12).hexdigest())
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="application/geo+json")
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=HOUR)
    return response
