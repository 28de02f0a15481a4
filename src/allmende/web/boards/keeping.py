"""What people do with boards. Each deed is one transaction with its line in the audit log."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from allmende.domain.boards import BoardContent, BoardProfile
from allmende.domain.errors import Forbidden, InvalidInput, LimitExceeded
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import Organisation, User
from allmende.web.accounts.roles import may, organisations_where
from allmende.web.boards.models import ORGANISATION, PRIVATE, PUBLIC, ROLE, Board, BoardVersion, as_plain, new_handle
from allmende.web.boards.words import say

AUDIENCES = (PRIVATE, ORGANISATION, ROLE, PUBLIC)


def create(user: User, content: BoardContent, *, of: str = "") -> Board:
    """A new board, for its maker alone; ``of``: what it is a copy of. Raises LimitExceeded."""
    with transaction.atomic():
        if Board.objects.filter(user=user).count() >= settings.ALLMENDE.boards_each:
            raise LimitExceeded(f"an account has {settings.ALLMENDE.boards_each} boards at most", setting="boards_each")
        board = Board(user=user, handle=new_handle(say(content.title)), draft=as_plain(content))
        board.defer(timezone.localdate())
        board.save()
        _note(user, "board.create", board, **({"of": of} if of else {}))
    return board


def copy(user: User, of: Board | BoardProfile, content: BoardContent) -> Board:
    """What one sees of another board, as a board of one's own. Raises LimitExceeded."""
    name = of.id if isinstance(of, BoardProfile) else of.handle
    return create(user, content, of=name)


def change(user: User, board: Board, work: Callable[[BoardContent], BoardContent]) -> BoardContent:
    """Let the draft be what ``work`` makes of it as it is now. Raises LimitExceeded for too many tiles."""
    with transaction.atomic():
        kept = Board.objects.select_for_update().get(pk=board.pk)
        made = work(kept.content)
        if len(made.tiles) > settings.ALLMENDE.board_tiles:
            raise LimitExceeded(f"a board has {settings.ALLMENDE.board_tiles} tiles at most", setting="board_tiles")
        if made != kept.content:
            kept.draft, kept.changed = as_plain(made), timezone.now()
            kept.defer(timezone.localdate())
            kept.save()
            _note(user, "board.change", kept, tiles=len(made.tiles))
    board.refresh_from_db()
    return made


def publish(user: User, board: Board, note: str = "") -> BoardVersion:
    """Let others see the draft as it is, as a new version. Raises Forbidden, and InvalidInput without a tile."""
    with transaction.atomic():
        kept = Board.objects.select_for_update().get(pk=board.pk)
        _check_audience(user, kept)
        if not kept.content.tiles:
            raise InvalidInput("a board without a tile shows nothing", where="tiles")
        newest = BoardVersion.objects.filter(board=kept).values_list("number", flat=True).first() or 0
        version = BoardVersion.objects.create(board=kept, number=newest + 1, user=user, note=note, body=kept.draft)
        kept.version, kept.changed = version.number, version.at
        kept.defer(timezone.localdate())
        kept.save()
        _note(user, "board.publish", kept, version=version.number, audience=kept.audience)
    board.refresh_from_db()
    return version


def restore(user: User, board: Board, number: int) -> None:
    """Let the draft be an older version again; it is published like any draft. Raises BoardVersion.DoesNotExist."""
    version = BoardVersion.objects.get(board=board, number=number)
    change(user, board, lambda now: version.content)
    record(_actor(user), "board.restore", _name(board), version=number)


def share(user: User, board: Board, audience: str, *, organisation: Organisation | None = None, role: str = "") -> None:
    """Say for whom it is. Raises Forbidden for an audience that the person may not open it to."""
    with transaction.atomic():
        kept = Board.objects.select_for_update().get(pk=board.pk)
        before = kept.audience
        kept.audience = audience
        kept.organisation = organisation if audience == ORGANISATION else None
        kept.role = role if audience == ROLE else ""
        _check_audience(user, kept)
        kept.defer(timezone.localdate())
        kept.save()
        whom = kept.organisation_id or kept.role
        _note(user, "board.share", kept, before=before, audience=audience, **({"whom": whom} if whom else {}))
    board.refresh_from_db()


def delete(user: User, board: Board) -> None:
    """With all its versions, for good."""
    with transaction.atomic():
        _note(user, "board.delete", board, version=board.version)
        board.delete()


def look(board: Board, user: User) -> None:
    """Its maker opened it: its days begin anew. Written once a day at most."""
    if board.user_id == user.pk and board.defer(timezone.localdate()):
        Board.objects.filter(pk=board.pk).update(expires=board.expires)


def leave_with_account(sender: Any, instance: User, **kwargs: Any) -> None:
    """An account goes: what was for its holder alone goes before."""
    Board.objects.filter(user=instance, audience=PRIVATE).delete()


def may_change(user: Any, board: Board) -> bool:
    """Its maker; and of one that others see, whoever may open boards for them."""
    if not user.is_authenticated:
        return False
    if board.user_id == user.pk:
        return True
    return board.audience != PRIVATE and may(user, "boards.open", board.organisation_id)


def audiences_of(user: User) -> tuple[str, ...]:
    """To whom somebody may open boards."""
    shared = (ORGANISATION,) if may(user, "boards.open") or organisations_where(user, "boards.make") else ()
    opened = (ROLE, PUBLIC) if may(user, "boards.open") else ()
    return (PRIVATE, *shared, *opened)


def _check_audience(user: User, board: Board) -> None:
    if board.audience not in audiences_of(user):
        raise Forbidden(_("You may not open a board to them."))
    if board.audience == ORGANISATION:
        own = board.organisation_id in organisations_where(user, "boards.make")
        if board.organisation_id is None or not (own or may(user, "boards.open")):
            raise Forbidden(_("You may not open a board to them."))


def _note(user: User, action: str, board: Board, **detail: Any) -> None:
    record(_actor(user), action, _name(board), **detail)


def _actor(user: User) -> str:
    return f"user:{user.get_username()}"


def _name(board: Board) -> str:
    return f"board:{board.handle}"
