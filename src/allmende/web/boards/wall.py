"""Boards where nobody operates them: on a wall, or in a page of somebody else's."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from allmende.web.boards import seeing
from allmende.web.boards.models import PUBLIC
from allmende.web.boards.views import found_or_404, values_of
from allmende.web.frames import let_frame

MOST = 12
SECONDS = (10, 3600)


@require_safe
def wall(request: HttpRequest, name: str) -> HttpResponse:
    """One board in large letters, without navigation. ``?then=a,b`` shows others after it, each for ``seconds``.

    What is not there for the one who asks is passed over.
    """
    found = found_or_404(request, name)
    others = [each for each in request.GET.get("then", "").split(",")[:MOST] if each]
    round_ = [name, *(each for each in others if each != name and seeing.find(request, each) is not None)]
    try:
        seconds = min(max(int(request.GET.get("seconds", "30")), SECONDS[0]), SECONDS[1])
    except ValueError:
        seconds = 30
    values = values_of(request, found)
    values["round"] = [reverse("boards:wall", args=[each]) for each in dict.fromkeys(round_)]
    values["turn"] = seconds
    return render(request, "boards/wall.html", values)


@require_safe
def embed(request: HttpRequest, name: str) -> HttpResponse:
    """A board for a frame of another page: as everybody sees it, whoever is logged in, since the page around it might
    let somebody click on what they do not see. Not there where the house lets itself be shown in no frame."""
    hosts = settings.ALLMENDE.embed_hosts
    anybody = seeing.as_anybody(request)
    found = seeing.find(anybody, name)
    if not hosts or found is None or (found.own is not None and found.own.audience != PUBLIC):
        raise Http404(name)
    return let_frame(request, render(request, "boards/embed.html", values_of(anybody, found)))
