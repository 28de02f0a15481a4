"""The page that leads to all instruments."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allmende.web.instruments.listing import instruments


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What can be done with the data here."""
    return render(request, "instruments/overview.html", {"instruments": instruments()})
