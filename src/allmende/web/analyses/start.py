"""The page that leads to the analyses."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Which questions can be asked."""
    return render(request, "analyses/start.html")
