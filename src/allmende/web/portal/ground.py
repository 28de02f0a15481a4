"""The map's ground: the city's outlines from its profile, which change only when the house starts anew."""

import hashlib

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import etag, require_safe

NAMES = frozenset({"boundary", "districts", "waters"})
HOUR = 3600


def encode(request: HttpRequest, name: str) -> bytes:
    """One outline as GeoJSON, with the attribution that its licence asks for. Raises Http404 for another name."""
    if name not in NAMES:
        raise Http404(name)
    geography = request.house.profile.geography  # type: ignore[attr-defined]
    return msgspec.json.encode({"attribution": geography.attribution, **getattr(geography, name)})


def tag(request: HttpRequest, name: str) -> str:
    """An ETag of the content."""
    return quote_etag(hashlib.blake2b(encode(request, name), digest_size=12).hexdigest())


@require_safe
@gzip_page
@etag(tag)
def send(request: HttpRequest, name: str) -> HttpResponse:
    """One outline, or 304 for whoever has it already."""
    response = HttpResponse(encode(request, name), content_type="application/geo+json")
    patch_cache_control(response, public=True, max_age=HOUR)
    return response
