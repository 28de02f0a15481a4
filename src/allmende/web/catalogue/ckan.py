"""CKAN's action API over HTTP: parameters in the address, or as JSON in the body, as its clients send them."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from allmende.faces.ckan.face import answer
from allmende.web.catalogue.finding import index_for
from allmende.web.catalogue.gather import catalogue_for
from allmende.web.catalogue.gone import tombstones


# Nothing is written here, so that there is nothing to forge a request for.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def action(request: HttpRequest, name: str) -> HttpResponse:
    """``/api/3/action/NAME``; ``/api/action/NAME`` is the same."""
    parameters: Any = request.GET.dict()
    if request.method == "POST" and request.body:
        try:
            parameters = msgspec.json.decode(request.body)
        except msgspec.DecodeError:
            parameters = request.POST.dict()
        if not isinstance(parameters, dict):
            body = b'"Bad request - JSON Error: Request data JSON decoded is no object"'
            return HttpResponse(body, status=400, content_type="application/json; charset=utf-8")
    catalogue = catalogue_for(request)
    if name == "package_show":
        house = request.house  # type: ignore[attr-defined]
        known = tuple(tombstones(house.profile, house.reader, catalogue.root))
        catalogue = msgspec.structs.replace(catalogue, tombstones=known)
    index = index_for(request, catalogue) if name == "package_search" else None
    found = answer(name, parameters, catalogue, index)
    response = HttpResponse(found.body, status=found.status, content_type=found.content_type)
    response["Cache-Control"] = "no-cache" if request.house.reader.name == "anonymous" else "private, no-cache"  # type: ignore[attr-defined]
    response["Vary"] = "Authorization, Cookie"
    return response
