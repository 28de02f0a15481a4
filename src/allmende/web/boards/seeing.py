"""What one reader sees of a board: which board, which of its tiles, and what stands in them."""

import copy
import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import structlog
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.city.house import house_of
from allmende.domain.boards import BoardContent, BoardProfile, Tile
from allmende.domain.catalogue import may_read
from allmende.domain.errors import AllmendeError
from allmende.web.accounts.roles import ROLES, organisations_of, role_of
from allmende.web.boards import kinds, streams
from allmende.web.boards.kinds import Kind, Reads
from allmende.web.boards.models import ORGANISATION, PUBLIC, ROLE, Board, BoardVersion
from allmende.web.boards.words import say

log = structlog.get_logger("allmende.boards")


class Shown(NamedTuple):
    """A tile as it is drawn. ``sign`` is another one when something in it is."""

    id: str
    kind: str
    title: str
    width: int
    html: SafeString
    sign: str
    headed: bool


class Found(NamedTuple):
    """A board that the one who asks may see. ``content`` is what others see of it; ``own`` is None for the
    profile's."""

    name: str
    content: BoardContent
    own: Board | None
    profile: BoardProfile | None


def find(request: HttpRequest, name: str) -> Found | None:
    """The board of that name, if there is one that the person may see: published for them, or theirs."""
    profile = request.house.profile.boards.get(name)  # type: ignore[attr-defined]
    if profile is not None:
        return Found(name, profile.content, None, profile)
    board = Board.objects.select_related("organisation").filter(handle=name).first()
    if board is None or not _may_see(request, board):
        return None
    version = BoardVersion.objects.filter(board=board, number=board.version).first()
    if version is None:
        own = request.user.is_authenticated and board.user_id == request.user.pk
        return Found(name, board.content, board, None) if own else None
    return Found(name, version.content, board, None)


def list_boards(request: HttpRequest) -> list[tuple[str, BoardContent, str]]:
    """Name, content and audience of all that are published for the person, the profile's first. Their own are
    elsewhere."""
    found = [(id_, board.content, PUBLIC) for id_, board in request.house.profile.boards.items()]  # type: ignore[attr-defined]
    boards = Board.objects.filter(version__gt=0, audience__in=(PUBLIC, ORGANISATION, ROLE))
    seen = [each for each in boards.select_related("organisation") if _may_see(request, each)]
    newest = {
        (each.board_id, each.number): each for each in BoardVersion.objects.filter(board__in=[each.pk for each in seen])
    }
    return [*found, *((each.handle, newest[each.pk, each.version].content, each.audience) for each in seen)]


def _may_see(request: HttpRequest, board: Board) -> bool:
    user = request.user
    if board.audience == PUBLIC or (user.is_authenticated and board.user_id == user.pk):
        return True
    if board.audience == ORGANISATION:
        return board.organisation_id is not None and board.organisation_id in organisations_of(user)  # type: ignore[arg-type]
    if board.audience == ROLE and board.role in ROLES:
        return ROLES.index(role_of(user)) >= ROLES.index(board.role)  # type: ignore[arg-type]
    return False


def as_anybody(request: HttpRequest) -> HttpRequest:
    """The same request as somebody without an account would make it."""
    made = copy.copy(request)
    made.__dict__ = {name: value for name, value in request.__dict__.items() if not name.startswith("_boards")}
    made.user = AnonymousUser()
    made.house = house_of(request).for_anybody()  # type: ignore[attr-defined]
    return made


def visible(request: HttpRequest, tiles: Iterable[Tile]) -> list[tuple[Tile, Kind | None]]:
    """Those that the request's reader may see, with their kinds, in order: by one question to the store for all."""
    known = [(tile, kinds.find(tile.kind)) for tile in tiles]
    reads = {tile.id: kind.reads(tile) if kind else Reads() for tile, kind in known}
    found = streams.of(request, [id_ for read in reads.values() for id_ in read.streams])
    return [(tile, kind) for tile, kind in known if _may_read(request, reads[tile.id], found)]


def _may_read(request: HttpRequest, read: Reads, found: dict[str, streams.Stream]) -> bool:
    house = request.house  # type: ignore[attr-defined]
    datasets = [house.profile.datasets.get(name) for name in read.datasets]
    if not all(each is not None and may_read(each, house.reader) for each in datasets):
        return False
    return bool(datasets) or all(id_ in found for id_ in read.streams)


def trimmed(request: HttpRequest, content: BoardContent) -> BoardContent:
    """A board without the tiles that the request's reader may not see."""
    return msgspec.structs.replace(content, tiles=tuple(tile for tile, kind in visible(request, content.tiles)))


def show(request: HttpRequest, content: BoardContent) -> list[Shown]:
    """The board's tiles for the request's reader."""
    return show_tiles(request, content.tiles)


def show_tiles(request: HttpRequest, tiles: Iterable[Tile]) -> list[Shown]:
    """The same of tiles that stand elsewhere, as in a story; their ids tell them apart."""
    return [_draw(request, tile, kind) for tile, kind in visible(request, tiles)]


def _draw(request: HttpRequest, tile: Tile, kind: Kind | None) -> Shown:
    if kind is None:
        html = _fault(_("This house has no tiles of this kind (any more)."))
    else:
        try:
            html = kind.render(request, tile)
        except AllmendeError as error:
            # One tile that cannot be drawn must not take the others along.
            log.warning("a tile could not be drawn", kind=tile.kind, error=f"{type(error).__name__}: {error}")
            html = _fault(_("This cannot be shown at the moment."))
    title = say(tile.title)
    what = msgspec.json.encode(tile.settings).decode() if kind is not None and kind.reloads else html
    sign = hashlib.blake2b(f"{get_language()} {title} {tile.width} {what}".encode(), digest_size=8).hexdigest()
    headed = kind is not None and kind.headed
    return Shown(tile.id, tile.kind, title, tile.width, mark_safe(html), sign, headed)  # noqa: S308  kinds give safe HTML


def _fault(words: str) -> str:
    from django.utils.html import format_html

    return format_html('<p class="tile__nothing">{}</p>', words)


def texts_of(tiles: Sequence[tuple[Tile, Kind | None]]) -> list[str]:
    """Titles and free texts of tiles."""
    return [text for tile, kind in tiles for text in (say(tile.title), *(kind.texts(tile) if kind else ())) if text]
