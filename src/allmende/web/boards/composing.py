"""Composing a board: its words, its tiles and their order. All of it by plain forms; a script adds dragging."""

import secrets
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from allmende.domain.boards import WIDTHS, BoardContent, Tile
from allmende.domain.errors import LimitExceeded
from allmende.web.accounts.roles import asks_for
from allmende.web.boards import keeping, kinds, seeing
from allmende.web.boards.forms import WIDTH_TITLES, TileForms, WordsForm
from allmende.web.boards.models import Board
from allmende.web.boards.views import found_or_404
from allmende.web.boards.words import say

_READ_WRITE = ("GET", "HEAD", "POST")
_OVERTAKEN = "overtaken"


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def new(request: HttpRequest) -> HttpResponse:
    """A board without a tile; then it is composed."""
    form = WordsForm(request.POST if request.method == "POST" else None)
    full = False
    if request.method == "POST" and form.is_valid():
        try:
            board = keeping.create(request.user, BoardContent(**form.cleaned_data))  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(reverse("boards:compose", args=[board.handle]))
        except LimitExceeded:
            full = True
    values = {"form": form, "full": full, "each": settings.ALLMENDE.boards_each}
    return render(request, "boards/new.html", values, status=422 if form.errors or full else 200)


@require_POST
@asks_for("boards.make", somewhere=True)
def copy(request: HttpRequest, name: str) -> HttpResponse:
    """What one sees of a board, as one of one's own: tiles that one may not see are not in it."""
    found = found_or_404(request, name)
    content = seeing.trimmed(request, found.content)
    try:
        board = keeping.copy(request.user, found.profile or found.own, content)  # type: ignore[arg-type]  # guarded; one of both
    except LimitExceeded:
        values = {"form": WordsForm(), "full": True, "each": settings.ALLMENDE.boards_each}
        return render(request, "boards/new.html", values, status=422)
    return HttpResponseRedirect(reverse("boards:compose", args=[board.handle]))


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def compose(request: HttpRequest, name: str) -> HttpResponse:
    """The tiles in their order; by POST one of them is moved, made wider or narrower, or taken out.

    ``do`` says what and to which, e.g. ``up:3f2a``, ``width-2:3f2a``; ``order`` is all ids in another order.
    """
    board = own_or_404(request, name)
    if request.method == "POST":
        done, _sign, tile = request.POST.get("do", "").partition(":")
        order = request.POST.get("order", "").split(",")
        work = _deed(done, tile, order)
        if work is not None:
            keeping.change(request.user, board, work)  # type: ignore[arg-type]  # guarded
        anchor = f"#tile-{tile}" if any(each.id == tile for each in board.content.tiles) else "#tiles"
        return HttpResponseRedirect(reverse("boards:compose", args=[name]) + anchor)
    keeping.look(board, request.user)  # type: ignore[arg-type]  # guarded
    content = board.content
    shown = {each.id: each for each in seeing.show(request, content)}
    tiles = [
        {"it": each, "title": shown[each.id].title, "kind": kinds.find(each.kind), "shown": shown[each.id]}
        # of a tile that one may not see one sees that it is there, so that it can be taken out
        if each.id in shown
        else {"it": each}
        for each in content.tiles
    ]
    values = {
        "board": board, "title": say(content.title), "tiles": tiles, "kinds": kinds.all_kinds(),
        "widths": WIDTH_TITLES.items(), "full": len(tiles) >= settings.ALLMENDE.board_tiles,
        "most": settings.ALLMENDE.board_tiles, "changed": _is_changed(board),
    }  # fmt: skip
    return render(request, "boards/compose.html", values)


def _is_changed(board: Board) -> bool:
    """Whether the draft is another than what others see."""
    published = board.versions.filter(number=board.version).first()
    return published is None or published.content != board.content


def _deed(done: str, tile: str, order: list[str]) -> Callable[[BoardContent], BoardContent] | None:
    """What becomes of the tiles; a tile that is gone meanwhile changes nothing."""

    def with_tiles(content: BoardContent, tiles: list[Tile]) -> BoardContent:
        return msgspec.structs.replace(content, tiles=tuple(tiles))

    def move(content: BoardContent) -> BoardContent:
        tiles = list(content.tiles)
        place = next((number for number, each in enumerate(tiles) if each.id == tile), None)
        other = None if place is None else place + (-1 if done == "up" else 1)
        if place is not None and other is not None and 0 <= other < len(tiles):
            tiles[place], tiles[other] = tiles[other], tiles[place]
        return with_tiles(content, tiles)

    def widen(content: BoardContent) -> BoardContent:
        width = int(done.removeprefix("width-"))
        return with_tiles(
            content, [msgspec.structs.replace(t, width=width) if t.id == tile else t for t in content.tiles]
        )

    def remove(content: BoardContent) -> BoardContent:
        return with_tiles(content, [each for each in content.tiles if each.id != tile])

    def sort(content: BoardContent) -> BoardContent:
        places = {id_: number for number, id_ in enumerate(order)}
        return with_tiles(content, sorted(content.tiles, key=lambda each: places.get(each.id, len(places))))

    deeds = {"up": move, "down": move, "remove": remove, "order": sort, **{f"width-{n}": widen for n in WIDTHS}}
    return deeds.get(done)


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def words(request: HttpRequest, name: str) -> HttpResponse:
    """Title and description."""
    board = own_or_404(request, name)
    content = board.content
    initial = {"title": say(content.title), "description": say(content.description)}
    form = WordsForm(request.POST if request.method == "POST" else None, initial=initial)
    mark = mark_of([content.title, content.description])
    if request.method == "POST" and form.is_valid() and _is_current(request, form, mark):
        said = {key: value for key, value in form.cleaned_data.items() if value != initial[key]}
        keeping.change(request.user, board, lambda now: msgspec.structs.replace(now, **said))  # type: ignore[arg-type]  # guarded
        return HttpResponseRedirect(reverse("boards:compose", args=[name]))
    values = {"form": form, "board": board, "title": say(content.title), "seen": _seen(request, form, mark)}
    return render(request, "boards/words.html", values, status=422 if form.errors else 200)


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def add(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """A new tile, behind the others."""
    board = own_or_404(request, name)
    chosen = kinds.find(kind)
    if chosen is None:
        raise Http404(kind)
    return _tile(request, board, chosen, None)


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def tile(request: HttpRequest, name: str, tile: str) -> HttpResponse:
    """One tile, to be changed."""
    board = own_or_404(request, name)
    found = next((each for each in seeing.trimmed(request, board.content).tiles if each.id == tile), None)
    kind = kinds.find(found.kind) if found else None
    if found is None or kind is None:
        raise Http404(tile)
    return _tile(request, board, kind, found)


def _tile(request: HttpRequest, board: Board, kind: kinds.Kind, before: Tile | None) -> HttpResponse:
    forms = TileForms(request, kind, before)
    full, mark = False, mark_of(before)
    if request.method == "POST" and forms.is_valid() and _is_current(request, forms.head, mark):
        made = forms.tile(before.id if before else secrets.token_hex(4))

        def work(content: BoardContent) -> BoardContent:
            known = [made if each.id == made.id else each for each in content.tiles]
            return msgspec.structs.replace(content, tiles=tuple(known if before else [*content.tiles, made]))

        try:
            keeping.change(request.user, board, work)  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(reverse("boards:compose", args=[board.handle]) + f"#tile-{made.id}")
        except LimitExceeded:
            full = True
    values = {
        "board": board, "title": say(board.content.title), "kind": kind, "forms": forms, "tile": before, "full": full,
        "most": settings.ALLMENDE.board_tiles, "seen": _seen(request, forms.head, mark),
    }  # fmt: skip
    return render(request, "boards/tile.html", values, status=422 if forms.wrong or full else 200)


def mark_of(part: Any) -> str:
    """What a part of a draft is known by, until somebody keeps another one."""
    return blake2b(msgspec.json.encode(part), digest_size=8).hexdigest()


def _is_current(request: HttpRequest, form: Form, mark: str) -> bool:
    """Whether the person saw the part as it is now; else the form says that it was changed in another window."""
    if request.POST.get("seen", mark) == mark:
        return True
    words = _(
        "This was changed after you had opened it, and yours is not kept. Keep it once more to put it in the place of"
        " the other one, which you see where you open this page in another window."
    )
    form.add_error(None, ValidationError(words, code=_OVERTAKEN))
    return False


def _seen(request: HttpRequest, form: Form, mark: str) -> str:
    """The mark of what the person knows of: whoever looks for a stream meanwhile has not seen what another one kept."""
    told = form.has_error(NON_FIELD_ERRORS, _OVERTAKEN)
    return mark if told or request.method != "POST" else request.POST.get("seen", mark)


def own_or_404(request: HttpRequest, name: str) -> Board:
    """A board that the person may change; any other is not there."""
    board = Board.objects.select_related("organisation").filter(handle=name).first()
    if board is None or not keeping.may_change(request.user, board):
        raise Http404(name)
    return board
