"""From a draft to what others see, and back: preview, for whom, publishing, versions, the end."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.boards import BoardContent
from allmende.domain.errors import Forbidden, InvalidInput
from allmende.web.accounts.roles import asks_for
from allmende.web.boards import keeping, seeing
from allmende.web.boards.comparing import Difference, compare
from allmende.web.boards.composing import own_or_404
from allmende.web.boards.forms import AUDIENCE_TITLES, ShareForm
from allmende.web.boards.models import PUBLIC, Board, BoardVersion
from allmende.web.boards.telling import hidden_names
from allmende.web.boards.words import say

_READ_WRITE = ("GET", "HEAD", "POST")
_NOTE = 300


@require_safe
@asks_for("boards.make", somewhere=True)
def preview(request: HttpRequest, name: str) -> HttpResponse:
    """The draft as it will be; with ``?as=anybody`` as somebody without an account will see it."""
    board = own_or_404(request, name)
    anybody = request.GET.get("as") == "anybody"
    content = board.content
    tiles = seeing.show(seeing.as_anybody(request) if anybody else request, content)
    values = {
        "board": board, "title": say(content.title), "description": say(content.description), "tiles": tiles,
        "anybody": anybody, "left_out": len(content.tiles) - len(tiles),
    }  # fmt: skip
    return render(request, "boards/preview.html", values)


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def share(request: HttpRequest, name: str) -> HttpResponse:
    """For whom it is. What is published already is looked through before all may see it."""
    board = own_or_404(request, name)
    form = ShareForm(request.POST if request.method == "POST" else None, user=request.user, board=board)
    names: list[str] = []
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        published = _published(board)
        names = hidden_names(request, published) if said["audience"] == PUBLIC and published else []
        if not names:
            try:
                keeping.share(
                    request.user, board, said["audience"], organisation=said["organisation"], role=said["role"]  # type: ignore[arg-type]  # guarded
                )  # fmt: skip
                return HttpResponseRedirect(reverse("boards:compose", args=[name]))
            except Forbidden as error:
                form.add_error("audience", str(error))
    values = {"board": board, "title": say(board.content.title), "form": form, "names": names}
    return render(request, "boards/share.html", values, status=422 if form.errors or names else 200)


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def publish(request: HttpRequest, name: str) -> HttpResponse:
    """What will be different for those who look; by POST it is."""
    board = own_or_404(request, name)
    before, wrong = _published(board), ""
    names = hidden_names(request, board.content) if board.audience == PUBLIC else []
    if request.method == "POST" and not names:
        try:
            keeping.publish(request.user, board, request.POST.get("note", "").strip()[:_NOTE])  # type: ignore[arg-type]  # guarded
            return HttpResponseRedirect(reverse("boards:board", args=[name]))
        except Forbidden as error:
            wrong = str(error)
        except InvalidInput:
            wrong = "empty"
    values = {
        "board": board, "title": say(board.content.title), "audience": AUDIENCE_TITLES[board.audience],
        "differences": _differences(request, before or BoardContent(title=""), board.content), "names": names,
        "wrong": wrong,
    }  # fmt: skip
    return render(request, "boards/publish.html", values, status=422 if request.method == "POST" else 200)


@require_safe
@asks_for("boards.make", somewhere=True)
def versions(request: HttpRequest, name: str) -> HttpResponse:
    """All that was ever published, the newest first."""
    board = own_or_404(request, name)
    listed = board.versions.select_related("user")
    return render(
        request, "boards/versions.html", {"board": board, "title": say(board.content.title), "versions": listed}
    )


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One of them, compared with the draft (or with ``?with=`` another one); by POST it becomes the draft."""
    board = own_or_404(request, name)
    found = BoardVersion.objects.filter(board=board, number=number).select_related("user").first()
    if found is None:
        raise Http404(str(number))
    if request.method == "POST":
        keeping.restore(request.user, board, number)  # type: ignore[arg-type]  # guarded
        return HttpResponseRedirect(reverse("boards:compose", args=[name]))
    other = request.GET.get("with", "")
    against = board.versions.filter(number=int(other)).first() if other.isascii() and other.isdigit() else None
    content = against.content if against else board.content
    values = {
        "board": board, "title": say(found.content.title), "version": found, "against": against,
        "differences": _differences(request, found.content, content), "tiles": seeing.show(request, found.content),
        "others": board.versions.exclude(pk=found.pk),
    }  # fmt: skip
    return render(request, "boards/version.html", values)


@require_http_methods(_READ_WRITE)
@asks_for("boards.make", somewhere=True)
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """With all its versions, once that was confirmed."""
    board = own_or_404(request, name)
    if request.method == "POST":
        keeping.delete(request.user, board)  # type: ignore[arg-type]  # guarded
        return HttpResponseRedirect(reverse("boards:list"))
    return render(request, "boards/delete.html", {"board": board, "title": say(board.content.title)})


def _differences(request: HttpRequest, before: BoardContent, after: BoardContent) -> list[Difference]:
    """Of what the person may see."""
    return compare(seeing.trimmed(request, before), seeing.trimmed(request, after))


def _published(board: Board) -> BoardContent | None:
    found = BoardVersion.objects.filter(board=board, number=board.version).first()
    return found.content if found else None
