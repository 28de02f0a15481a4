"""Changes of the city's profile that are made in the browser: drafted, proposed, released by a second person, undone.

How to use it
=============
A *table* is what stands in ``city.toml`` or ``rules/*.toml`` under one key: ``("source", "my-feed")`` is
``[sources.my-feed]``; the kinds are those of :data:`allmende.domain.plain.KINDS` (``dataset``, ``source``,
``retention``, ``thing``, ``rule``, ``groups``). A body is the whole table as plain data, without its id; nothing is
merged. What is released lies over the folder, and the house follows within seconds (:mod:`allmende.web.live`)::

    body = current("source", "my-feed") or {…}                  # what is in force: folder and releases
    draft = save_draft("source", "my-feed", body, by=request.user, seen=0, files={"my-feed.csv": b"…"})
    propose(draft, by=request.user, seen=draft.turn, reason="…")
    release(draft, by=somebody_else, seen=draft.turn)           # or decline(…), withdraw(…)
    undo(released("source", "my-feed"), by=somebody_else)       # as it was before; ``to=0``: as in the folder

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
- Four eyes: who wrote or proposed a revision does not release it, unless nobody else may release (then the audit log
  says ``alone``), or ``ALLMENDE_FOUR_EYES`` is off. To undo takes one who may release.

Everything is in the audit log (``office.*``), with the names of what was changed, never its values.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden, NotFound
from allmende.domain.plain import KINDS, Change, Difference, check_change, clean, differences
from allmende.domain.profile import ProfileError
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import may
from allmende.web.live import live
from allmende.web.office import checks
from allmende.web.office import files as stored
from allmende.web.office.models import DRAFT, OPEN, PROPOSED, RELEASED, REPLACED, WITHDRAWN, Revision, Stand

EDIT = {
    "dataset": "datasets.edit",
    "source": "sources.edit",
    "thing": "sources.edit",
    "retention": "retention.edit",
    "rule": "rules.edit",
    "groups": "rules.edit",
}
"""The deed that drafting each kind is."""
RELEASE = "release"
By = User | str
_MOST_TEXT = 1000
_MOST_NAMES = 30


# --- looking ---


def current(kind: str, key: str) -> dict[str, Any] | None:
    """The table as it is in force, or None."""
    return live().plain().body(kind, key)


def in_folder(kind: str, key: str) -> dict[str, Any] | None:
    """The table as the profile's folder says it, or None."""
    return live().folder().body(kind, key)


def open_revision(kind: str, key: str) -> Revision | None:
    """The draft or proposal of a table, or None."""
    return Revision.objects.filter(kind=kind, key=key, state__in=OPEN).select_related("author").first()


def released(kind: str, key: str) -> Revision | None:
    """The revision in force, or None where the folder's table is, or none."""
    return Revision.objects.filter(kind=kind, key=key, state=RELEASED).first()


def history(kind: str, key: str) -> list[Revision]:
    """All revisions of a table, the newest first."""
    return list(Revision.objects.filter(kind=kind, key=key).select_related("author", "releaser").order_by("-number"))


def bundled(revision: Revision) -> list[Revision]:
    """The open revisions that go together with an open one, itself among them, in the order they were made."""
    found = Revision.objects.filter(bundle=revision.bundle, state__in=OPEN).select_related("author")
    return list(found.order_by("pk"))


def companions(revision: Revision) -> list[Revision]:
    """What was released together with a revision in force and still is, itself among them."""
    found = Revision.objects.filter(bundle=revision.bundle, released=revision.released, state=RELEASED)
    return list(found.order_by("pk"))


def before(revision: Revision) -> Revision | None:
    """What was in force before a revision that is or was; None: the folder's table, or none."""
    found = Revision.objects.filter(kind=revision.kind, key=revision.key, state__in=(RELEASED, REPLACED))
    return found.filter(released__lt=revision.released).order_by("-released").first() if revision.released else None


def changes_of(revision: Revision) -> list[Difference]:
    """What a revision changes: of an open one against what is in force, of another against what was before it."""
    if revision.is_open:
        old = current(revision.kind, revision.key)
    else:
        earlier = before(revision) if revision.released else released(revision.kind, revision.key)
        old = said_by(earlier, revision.kind, revision.key)
    return differences(old, said_by(revision, revision.kind, revision.key))


def said_by(revision: Revision | None, kind: str, key: str) -> dict[str, Any] | None:
    """The table that holds where a revision is in force; None as revision: without any."""
    return in_folder(kind, key) if revision is None or revision.removes else revision.body


def needs_other(revision: Revision, user: User) -> bool:
    """Whether four eyes keep somebody from releasing an open revision and its bundle."""
    if not settings.ALLMENDE.four_eyes or not any(each.author_id == user.pk for each in bundled(revision)):
        return False
    return not _is_alone(user)


def place_in(kind: str, key: str, place: str) -> str:
    """A ProfileError's place, inside of a table: ``datasets.x.title.de`` is ``title.de`` of the dataset x; "" where
    the whole table is meant, or another one."""
    path = place.rsplit(": ", 1)[-1]
    head = f"{KINDS[kind]}.{key}"
    return path[len(head) + 1 :] if path.startswith(f"{head}.") else ""


def check(
    kind: str, key: str, body: Mapping[str, Any] | None, given: Mapping[str, bytes] | None = None, *, bundle: str = ""
) -> list[str]:
    """Check a table without saving it; gives what somebody should know before it is released, in words.

    Raises ProfileError, LimitExceeded.
    """
    check_change(kind, key, given or ())
    said = None if body is None else checks.checked_size(clean(dict(body), f"{KINDS[kind]}.{key}"))
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
    actor = _demand(by, EDIT[kind])
    said = None if body is None else checks.checked_size(clean(dict(body), f"{KINDS[kind]}.{key}"))
    _hold()
    draft = open_revision(kind, key)
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
        draft.reason = reason[:_MOST_TEXT]
    draft.save()
    _note(actor, "draft", draft)
    return draft


@transaction.atomic
def propose(revision: Revision, by: By, *, seen: int, reason: str | None = None) -> list[Revision]:
    """Ask for a draft and its bundle to be released. Raises ChangedMeanwhile, Conflict, Forbidden, ProfileError."""
    actor, several = _take(revision, by, seen, EDIT[revision.kind])
    checks.check([_change(each) for each in several], _open_changes("", "", ""))
    for each in several:
        each.state = PROPOSED
        each.author = by if isinstance(by, User) else each.author
        if reason is not None:
            each.reason = reason[:_MOST_TEXT]
        _save(each)
        _note(actor, "propose", each)
    return several


@transaction.atomic
def release(revision: Revision, by: By, *, seen: int, answer: str = "") -> list[Revision]:
    """Put an open revision and its bundle in force; one that was not proposed too, by somebody else than its author.

    Raises ChangedMeanwhile, Conflict, Forbidden, ProfileError; then all is as it was.
    """
    actor, several = _take(revision, by, seen, RELEASE)
    detail: dict[str, Any] = {}
    if isinstance(by, User) and any(each.author_id == by.pk for each in several):
        if not settings.ALLMENDE.four_eyes:
            detail["four_eyes"] = False
        elif _is_alone(by):
            detail["alone"] = True
        else:
            raise Forbidden("four eyes: somebody else has to release what you wrote or proposed")
    _put_in_force(several, by, answer)
    for each in several:
        _note(actor, "release", each, **detail)
    return several


@transaction.atomic
def decline(revision: Revision, by: By, *, seen: int, answer: str) -> list[Revision]:
    """Give a proposal and its bundle back as drafts, with the reason. Raises ChangedMeanwhile, Conflict, Forbidden."""
    actor, several = _take(revision, by, seen, RELEASE)
    if not answer.strip():
        raise Conflict("say why: who proposed it wants to know")
    for each in several:
        each.state, each.answer = DRAFT, answer[:_MOST_TEXT]
        _save(each)
        _note(actor, "decline", each)
    return several


@transaction.atomic
def withdraw(revision: Revision, by: By, *, seen: int, answer: str = "") -> list[Revision]:
    """Give up an open revision and its bundle; both stay in the history. Raises ChangedMeanwhile, Forbidden."""
    actor, several = _take(revision, by, seen, EDIT[revision.kind])
    for each in several:
        each.state, each.answer = WITHDRAWN, answer[:_MOST_TEXT]
        each.releaser = by if isinstance(by, User) else None
        _save(each)
        _note(actor, "withdraw", each)
    return several


@transaction.atomic
def undo(revision: Revision, by: By, *, to: int | None = None, reason: str = "", whole: bool = False) -> list[Revision]:
    """Take back a revision in force, by a new one that says what was in force before; ``to``: what the revision of
    that number says, 0 what the folder says. ``whole``: what was released together with it goes back too.

    Raises ChangedMeanwhile where it is no longer in force, NotFound, Forbidden; ProfileError where the rest of the
    profile needs what would go, unless what is in force is wrong already.
    """
    actor = _demand(by, RELEASE)
    _hold()
    fresh = Revision.objects.filter(pk=revision.pk, state=RELEASED).first()
    if fresh is None:
        raise ChangedMeanwhile("this is no longer in force; look again")
    made = []
    for each in companions(fresh) if whole else [fresh]:
        old = before(each) if to is None else _numbered(each, to)
        removes = old is None or old.removes
        last = Revision.objects.filter(kind=each.kind, key=each.key).order_by("-number").first()
        assert last is not None
        made.append(
            Revision(
                kind=each.kind,
                key=each.key,
                number=last.number + 1,
                body={} if old is None or removes else old.body,
                removes=removes,
                files={} if old is None else old.files,
                bundle=each.bundle,
                state=WITHDRAWN,
                author=by if isinstance(by, User) else None,
                reason=reason[:_MOST_TEXT],
            )
        )
    _put_in_force(made, by, "", mending=True)
    for each in made:
        _note(actor, "undo", each)
    return made


# --- inside ---


def _put_in_force(several: Sequence[Revision], by: By, answer: str, *, mending: bool = False) -> None:
    """Check all together over what else is in force, and let it be so; ``mending``: also where that is still wrong by
    something else."""
    try:
        profile = checks.checked_profile([_change(each) for each in several])
    except ProfileError:
        if not mending or not checks.is_wrong():
            raise
        profile = None  # one step of several
    now = _later(timezone.now())
    for each in several:
        Revision.objects.filter(kind=each.kind, key=each.key, state=RELEASED).update(state=REPLACED, changed=now)
        each.state, each.released, each.changed = RELEASED, now, now
        each.releaser = by if isinstance(by, User) else None
        each.answer = answer[:_MOST_TEXT]
        each.save()
    Stand.objects.filter(pk=1).update(word=secrets.token_hex(16))
    if profile is not None:
        checks.furnish_with(profile)
    live().expire()


def _later(now: datetime) -> datetime:
    """A time after that of every release before: their order is that of what was in force."""
    newest = Revision.objects.filter(released__isnull=False).order_by("-released").first()
    if newest is None or newest.released is None or newest.released < now:
        return now
    return newest.released + timedelta(microseconds=1)


def _change(revision: Revision) -> Change:
    return Change(revision.kind, revision.key, revision.said, stored.read(revision.files))


def _open_changes(bundle: str, kind: str, key: str) -> list[Change]:
    """The others of a bundle."""
    if not bundle:
        return []
    others = Revision.objects.filter(bundle=bundle, state__in=OPEN).exclude(kind=kind, key=key).order_by("pk")
    return [_change(each) for each in others]


def _take(revision: Revision, by: By, seen: int, deed: str) -> tuple[str, list[Revision]]:
    """The actor, and the bundle as it is now. Raises where it is another one by now, or may not be touched."""
    actor = _demand(by, deed)
    _hold()
    fresh = Revision.objects.select_related("author").filter(pk=revision.pk).first()
    if fresh is None or not fresh.is_open:
        raise ChangedMeanwhile("this is no longer open: somebody has released or withdrawn it; look again")
    _same_turn(fresh, seen)
    several = bundled(fresh)
    for kind in {each.kind for each in several}:
        _demand(by, deed if deed == RELEASE else EDIT[kind])
    return actor, several


def _same_turn(draft: Revision | None, seen: int) -> None:
    if draft is not None and draft.turn != seen:
        who = draft.author.get_username() if draft.author else "somebody"
        raise ChangedMeanwhile(
            f"{who} saved this draft at {draft.changed:%Y-%m-%d %H:%M} UTC, after you had opened it; nothing of yours"
            " was saved. Look at what is there now, then save again"
        )
    if draft is None and seen:
        raise ChangedMeanwhile(
            "the draft that you had opened was released or withdrawn meanwhile; nothing of yours was saved"
        )


def _save(revision: Revision) -> None:
    revision.changed = timezone.now()
    revision.save()


def _numbered(revision: Revision, number: int) -> Revision | None:
    if not number:
        return None
    # Never one that was not in force: that would be a release by one person alone.
    known = Revision.objects.filter(kind=revision.kind, key=revision.key, released__isnull=False)
    found = known.filter(number=number).first()
    if found is None:
        raise NotFound(f"there is no revision {number} of it that ever was in force")
    return found


def _hold() -> None:
    """Whoever changes revisions does so one after the other."""
    Stand.objects.get_or_create(pk=1, defaults={"word": ""})
    Stand.objects.select_for_update().get(pk=1)


def _demand(by: By, deed: str) -> str:
    """The actor's name for the audit log. Raises Forbidden."""
    if isinstance(by, str):
        return by
    if not may(by, deed):
        raise Forbidden(f"this asks for the right to {deed}")
    return f"user:{by.get_username()}"


def _is_alone(user: User) -> bool:
    """Whether nobody else may release."""
    somebody = Q(is_superuser=True) | Q(memberships__isnull=False)
    others: Iterable[User] = User.objects.filter(somebody, is_active=True).exclude(pk=user.pk).distinct()
    return not any(may(other, RELEASE) for other in others)


def _note(actor: str, deed: str, revision: Revision, **detail: Any) -> None:
    names = [difference.place for difference in changes_of(revision)]
    if len(names) > _MOST_NAMES:
        names = [*names[:_MOST_NAMES], "…"]
    record(actor, f"office.{deed}", f"{revision.kind}:{revision.key}", number=revision.number, changed=names, **detail)
