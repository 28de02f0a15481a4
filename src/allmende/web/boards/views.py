"""Boards for those who look at them."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from allmende.web.accounts.roles import may
from allmende.web.boards import keeping, seeing
from allmende.web.boards.forms import AUDIENCE_TITLES
from allmende.web.boards.models import Board
from allmende.web.boards.words import say


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Boards that are open to the one who asks, and their own."""
    user = request.user
    own = list(Board.objects.filter(user=user)) if user.is_authenticated else []
    handles = {board.handle for board in own}
    open_ = [
        {
            "address": reverse("boards:board", args=[name]),
            "title": say(content.title),
            "words": say(content.description),
        }
        for name, content, _audience in seeing.list_boards(request)
        if name not in handles
    ]
    mine = [
        {"it": board, "title": say(board.content.title), "audience": AUDIENCE_TITLES[board.audience]} for board in own
    ]
    values = {"open": open_, "mine": mine, "makes": may(user, "boards.make"), "days": settings.ALLMENDE.board_days}
    return render(request, "boards/list.html", values)


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """One board as others see it."""
    found = found_or_404(request, name)
    if found.own is not None and request.user.is_authenticated:
        keeping.look(found.own, request.user)
    return render(request, "boards/board.html", values_of(request, found))


@require_safe
def fresh(request: HttpRequest, name: str) -> HttpResponse:
    """Its tiles alone: what an open page asks for again and again."""
    found = found_or_404(request, name)
    response = render(request, "boards/_tiles.html", {"tiles": seeing.show(request, found.content)})
    response["Cache-Control"] = "no-store"
    return response


def found_or_404(request: HttpRequest, name: str) -> seeing.Found:
    """What is not for the person is as absent as what is not there."""
    found = seeing.find(request, name)
    if found is None:
        raise Http404(name)
    return found


def values_of(request: HttpRequest, found: seeing.Found) -> dict[str, Any]:
    """What pages of a board show of it."""
    own = found.own
    return {
        "board": found,
        "title": say(found.content.title),
        "description": say(found.content.description),
        "tiles": seeing.show(request, found.content),
        "now": request.house.now(),  # type: ignore[attr-defined]
        "seconds": settings.ALLMENDE.board_refresh_seconds,
        "changes": own is not None and keeping.may_change(request.user, own),
        "makes": may(request.user, "boards.make"),
        "embeds": bool(settings.ALLMENDE.embed_hosts),
        "unpublished": own is not None and not own.version,
    }
