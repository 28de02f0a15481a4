"""Changes of the city's profile that are made in the browser: drafted, proposed, released by a second person, undone.

How to use it
=============
A *table* is what stands in ``city.toml`` or ``rules/*.toml`` under one key: ``("source", "my-feed")`` is
``[sources.my-feed]``; the kinds are those of :data:`allmende.domain.plain.KINDS` (``dataset``, ``source``,
``retention``, ``thing``, ``rule``, ``groups``, ``property``, ``synonym``, ``organisation``, ``policy``, ``harvest``,
``alert``, ``channel``, and ``city`` for what there is one of). A body is the whole table as plain data, without its id;
nothing is merged. What is released lies over the folder, and the house follows within seconds
(:mod:`allmende.web.live`)::

    body = current("source", "my-feed") or {…}                  # what is in force: folder and releases
    draft = save_draft("source", "my-feed", body, by=request.user, seen=0, files={"my-feed.csv": b"…"})
    propose(draft, by=request.user, seen=draft.turn, reason="…")
    release(draft, by=somebody_else, seen=draft.turn)           # or decline(…), withdraw(…)
    undo(released("source", "my-feed"), by=somebody_else)       # as it was before; ``to=0``: as in the folder
    take_back(an_earlier_one, by=somebody_else, reason="…")     # its changes alone; what came later stays

- Each table has at most one open revision (draft or proposed): :func:`open_revision`. ``seen`` is its ``turn`` as the
  page showed it, 0 where there was none; where somebody saved meanwhile, ChangedMeanwhile says who, and nothing is
  written: show the form again with what was typed.
- ``body=None`` removes: what the folder says holds again, and what it does not have is gone.
- Drafts with the same ``bundle`` are checked, proposed, released, declined and withdrawn together: give it where one
  needs the other (a source and its new dataset). Each function gives all that it changed. Save first what others name.
- Every draft is checked like a folder, together with its bundle: ProfileError has ``place`` (:func:`place_in` gives it
  inside of the body, for the field that is meant), LimitExceeded names the setting. :func:`check` does it without
  saving, and gives warnings.
- ``files`` are what the body names and the folder does not hold; name them after the key, since all share one folder;
  files of rules begin with ``rules/``. None keeps those of the revision before.
- ``by`` is a User, whose deeds are looked at here (Forbidden); or a text for the audit log ("cli:anna"), which may all.
- Who may which table is :mod:`allmende.web.office.rights`' to say: by a role in the house or in its organisation.
- Four eyes: who wrote or proposed a revision does not release it, unless nobody else may release (then the audit log
  says ``alone``), or ``ALLMENDE_FOUR_EYES`` is off. To undo takes one who may release.
- What makes something more open (:mod:`allmende.web.office.openness`) takes a second person without exception, who says
  so (``knowing``); to undo what had closed something proposes it.

Everything is in the audit log (``office.*``), with the names of what was changed, never its values.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _n

from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden
from allmende.domain.plain import Change, check_change, clean, place_of
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import may
from allmende.web.office import checks
from allmende.web.office import files as stored
from allmende.web.office.force import change_of, hold, note, put_in_force
from allmende.web.office.looking import (
    before,
    bundled,
    changes_of,
    companions,
    current,
    history,
    in_folder,
    open_revision,
    place_in,
    released,
    said_by,
)
from allmende.web.office.models import DRAFT, OPEN, PROPOSED, WITHDRAWN, Revision
from allmende.web.office.openness import openings
from allmende.web.office.rights import RELEASE, By, demand_edit, demand_release, is_alone, needs_other
from allmende.web.office.undoing import take_back, undo

__all__ = [
    "before",
    "bundled",
    "changes_of",
    "check",
    "companions",
    "current",
    "decline",
    "history",
    "in_folder",
    "needs_other",
    "open_revision",
    "place_in",
    "propose",
    "release",
    "released",
    "said_by",
    "save_draft",
    "take_back",
    "undo",
    "withdraw",
]
MOST_TEXT = 1000


def check(
    kind: str, key: str, body: Mapping[str, Any] | None, given: Mapping[str, bytes] | None = None, *, bundle: str = ""
) -> list[str]:
    """Check a table without saving it; gives what somebody should know before it is released, in words.

    Raises ProfileError, LimitExceeded.
    """
    check_change(kind, key, given or ())
    said = None if body is None else checks.checked_size(clean(dict(body), place_of(kind, key)))
    return checks.check([Change(kind, key, said, given or {})], _open_changes(bundle, kind, key))


# --- making ---


@transaction.atomic
def save_draft(
    kind: str,
    key: str,
    body: Mapping[str, Any] | None,
    by: By,
    *,
    seen: int = 0,
    files: Mapping[str, bytes] | None = None,
    bundle: str = "",
    reason: str | None = None,
) -> Revision:
    """Save a table as the draft, anew or over the one that was ``seen``; a proposal becomes a draft again.

    Raises ProfileError, LimitExceeded, ChangedMeanwhile, Forbidden; then nothing was saved.
    """
    check_change(kind, key, files or ())
    said = None if body is None else checks.checked_size(clean(dict(body), place_of(kind, key)))
    hold()
    draft = open_revision(kind, key)
    actor = demand_edit(by, kind, key, said, draft.said if draft else None)
    _same_turn(draft, seen)
    known = draft or released(kind, key)
    digests = stored.keep(files) if files is not None else dict(known.files) if known and said is not None else {}
    bundle = bundle or (draft.bundle if draft else f"{kind}:{key}")
    checks.check([Change(kind, key, said, stored.read(digests))], _open_changes(bundle, kind, key))
    now = timezone.now()
    if draft is None:
        last = Revision.objects.filter(kind=kind, key=key).order_by("-number").first()
        draft = Revision(kind=kind, key=key, number=last.number + 1 if last else 1, turn=0, created=now)
    draft.body, draft.removes, draft.files = said or {}, said is None, digests
    draft.state, draft.bundle, draft.turn, draft.changed = DRAFT, bundle, draft.turn + 1, now
    draft.author = by if isinstance(by, User) else None
    if reason is not None:
        draft.reason = reason[:MOST_TEXT]
    draft.save()
    note(actor, "draft", draft)
    return draft


@transaction.atomic
def propose(revision: Revision, by: By, *, seen: int, reason: str | None = None) -> list[Revision]:
    """Ask for a draft and its bundle to be released. Raises ChangedMeanwhile, Conflict, Forbidden, ProfileError."""
    actor, several = _take(revision, by, seen, demand_edit)
    checks.check([change_of(each) for each in several], _open_changes("", "", ""))
    for each in several:
        each.state = PROPOSED
        each.author = by if isinstance(by, User) else each.author
        if reason is not None:
            each.reason = reason[:MOST_TEXT]
        _save(each)
        note(actor, "propose", each)
    return several


@transaction.atomic
def release(revision: Revision, by: By, *, seen: int, answer: str = "", knowing: bool = False) -> list[Revision]:
    """Put an open revision and its bundle in force; one that was not proposed too, by somebody else than its author.
    ``knowing``: they know that it makes something more open.

    Raises ChangedMeanwhile, Conflict, Forbidden, ProfileError; then all is as it was.
    """
    actor, several = _take(revision, by, seen, demand_release)
    detail: dict[str, Any] = {}
    opening = openings(several)
    if opening:
        detail["opens"] = [f"{one.kind}:{one.key} {one.what} {one.other}".rstrip() for one in opening]
    if isinstance(by, User):
        if any(each.author_id == by.pk for each in several):
            detail |= _allow_alone(by, several, opens=bool(opening))
        if opening and not knowing:
            raise Conflict(_n("It makes something more open: whoever releases it has to say that they know"))
        _check_secrets(several, by)
    put_in_force(several, by, answer)
    for each in several:
        note(actor, "release", each, **detail)
    return several


def _check_secrets(several: list[Revision], user: User) -> None:
    """Raise Forbidden where a role in one organisation would let a source send the house's secrets somewhere."""
    if may(user, RELEASE):
        return
    profile = checks.checked_profile([change_of(each) for each in several])
    for each in several:
        if each.kind == "source" and each.key in profile.sources and checks.sent_secrets(profile.sources[each.key]):
            raise Forbidden(
                _n("It sends a secret somewhere: somebody who may release in the whole house has to do it.")
            )


def _allow_alone(user: User, several: list[Revision], *, opens: bool) -> dict[str, Any]:
    """What the audit log says of it that somebody releases what they wrote themselves. Raises Forbidden."""
    if opens:
        raise Forbidden(_n("Four eyes: what makes something more open is always released by a second person"))
    if not settings.ALLMENDE.four_eyes:
        return {"four_eyes": False}
    if is_alone(user, several):
        return {"alone": True}
    raise Forbidden(_n("Four eyes: somebody else has to release what you wrote or proposed"))


@transaction.atomic
def decline(revision: Revision, by: By, *, seen: int, answer: str) -> list[Revision]:
    """Give a proposal and its bundle back as drafts, with the reason. Raises ChangedMeanwhile, Conflict, Forbidden."""
    actor, several = _take(revision, by, seen, demand_release)
    if not answer.strip():
        raise Conflict(_n("Please say why: who proposed it wants to know"))
    for each in several:
        each.state, each.answer = DRAFT, answer[:MOST_TEXT]
        _save(each)
        note(actor, "decline", each)
    return several


@transaction.atomic
def withdraw(revision: Revision, by: By, *, seen: int, answer: str = "") -> list[Revision]:
    """Give up an open revision and its bundle; both stay in the history. Raises ChangedMeanwhile, Forbidden."""
    actor, several = _take(revision, by, seen, demand_edit)
    for each in several:
        each.state, each.answer = WITHDRAWN, answer[:MOST_TEXT]
        each.releaser = by if isinstance(by, User) else None
        _save(each)
        note(actor, "withdraw", each)
    return several


# --- inside ---


def _open_changes(bundle: str, kind: str, key: str) -> list[Change]:
    """The others of a bundle."""
    if not bundle:
        return []
    others = Revision.objects.filter(bundle=bundle, state__in=OPEN).exclude(kind=kind, key=key).order_by("pk")
    return [change_of(each) for each in others]


def _take(revision: Revision, by: By, seen: int, demand: Callable[..., str]) -> tuple[str, list[Revision]]:
    """The actor, and the bundle as it is now. Raises where it is another one by now, or may not be touched."""
    hold()
    fresh = Revision.objects.select_related("author").filter(pk=revision.pk).first()
    actor = demand(by, revision.kind, revision.key, fresh.said if fresh else None)
    if fresh is None or not fresh.is_open:
        raise ChangedMeanwhile(_n("This is no longer open: somebody has released or withdrawn it; look again"))
    _same_turn(fresh, seen)
    several = bundled(fresh)
    for each in several:
        demand(by, each.kind, each.key, each.said)
    return actor, several


def _same_turn(draft: Revision | None, seen: int) -> None:
    if draft is not None and draft.turn != seen:
        raise ChangedMeanwhile(
            _n(
                "%(who)s saved this draft at %(when)s UTC, after you had opened it; nothing of yours was saved. Look at"
                " what is there now, then save again"
            ),
            who=draft.author.get_username() if draft.author else "?",
            when=f"{draft.changed:%Y-%m-%d %H:%M}",
        )
    if draft is None and seen:
        raise ChangedMeanwhile(
            _n("The draft that you had opened was released or withdrawn meanwhile; nothing of yours was saved")
        )


def _save(revision: Revision) -> None:
    revision.changed = timezone.now()
    revision.save()
