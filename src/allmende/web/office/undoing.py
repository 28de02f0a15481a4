"""Going back: what is in force as it was before, or one earlier change alone. Both are new revisions with a reason."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _n

from allmende.domain.errors import ChangedMeanwhile, Conflict, NotFound
from allmende.domain.plain import Difference, differences, reverted
from allmende.web.accounts.models import User
from allmende.web.office.force import hold, note, put_in_force
from allmende.web.office.looking import before, companions, open_revision, said_by
from allmende.web.office.models import PROPOSED, RELEASED, REPLACED, WITHDRAWN, Revision
from allmende.web.office.openness import openings
from allmende.web.office.rights import By, demand_release

_MOST_TEXT = 1000


class Overlaid(Conflict):
    """What a revision changed was changed again since: ``places`` says where, and by the revisions of which numbers."""

    def __init__(self, kind: str, places: dict[str, list[int]]) -> None:
        super().__init__(f"changed again since: {', '.join(places)}")
        self.kind, self.places = kind, places


@transaction.atomic
def undo(revision: Revision, by: By, *, to: int | None = None, reason: str = "", whole: bool = False) -> list[Revision]:
    """Take back a revision in force, by a new one that says what was in force before; ``to``: what the revision of
    that number says, 0 what the folder says. ``whole``: what was released together with it goes back too.

    Where that makes something more open, what is made is proposed and waits for a second person. Raises
    ChangedMeanwhile where it is no longer in force, NotFound, Forbidden; Conflict where a draft stands in the way of a
    proposal; ProfileError where the rest of the profile needs what would go, unless what is in force is wrong already.
    """
    demand_release(by, revision.kind, revision.key)
    hold()
    fresh = Revision.objects.filter(pk=revision.pk, state=RELEASED).first()
    if fresh is None:
        raise ChangedMeanwhile(_n("This is no longer in force; look again"))
    made = []
    for each in companions(fresh) if whole else [fresh]:
        old = before(each) if to is None else _numbered(each, to)
        removes = old is None or old.removes
        body = {} if old is None or removes else old.body
        made.append(_made(each, body, by, reason, removes=removes, files={} if old is None else old.files))
    return _turn(made, by)


@transaction.atomic
def take_back(revision: Revision, by: By, *, reason: str) -> list[Revision]:
    """Take back what one earlier revision changed, and leave what came after it.

    As :func:`undo`; raises Overlaid where a later one changed the same fields, Conflict where there is nothing to
    take it back from or its files are others by now.
    """
    demand_release(by, revision.kind, revision.key)
    hold()
    fresh = Revision.objects.filter(pk=revision.pk, state__in=(RELEASED, REPLACED)).first()
    stood = Revision.objects.filter(kind=revision.kind, key=revision.key, state=RELEASED).first()
    if fresh is None or stood is None:
        raise ChangedMeanwhile(_n("This was never in force, or nothing of it is; look again"))
    if fresh.pk == stood.pk:
        return undo(stood, by, reason=reason)
    now = said_by(stood, stood.kind, stood.key)
    if now is None or stood.removes or fresh.removes or fresh.files != stood.files:
        raise Conflict(_n("Its table or its files are others by now: let a whole revision hold again instead"))
    changed = differences(said_by(before(fresh), fresh.kind, fresh.key), fresh.body)
    body, overlaid = reverted(now, changed)
    if overlaid:
        raise Overlaid(fresh.kind, {place: _later_ones(fresh, place) for place in overlaid})
    return _turn([_made(stood, body, by, reason, removes=False, files=stood.files)], by)


def _made(
    after: Revision, body: Mapping[str, Any], by: By, reason: str, *, removes: bool, files: Mapping[str, str]
) -> Revision:
    """The next revision of a table; not saved, and not in force yet."""
    last = Revision.objects.filter(kind=after.kind, key=after.key).order_by("-number").first()
    assert last is not None
    return Revision(
        kind=after.kind,
        key=after.key,
        number=last.number + 1,
        body=dict(body),
        removes=removes,
        files=dict(files),
        bundle=after.bundle,
        state=WITHDRAWN,
        author=by if isinstance(by, User) else None,
        reason=reason[:_MOST_TEXT],
    )


def _turn(made: list[Revision], by: By) -> list[Revision]:
    """Put them in force; or propose them, where they make something more open than it is."""
    actor = ""
    for each in made:
        actor = demand_release(by, each.kind, each.key, said_by(each, each.kind, each.key))
    opens = isinstance(by, User) and bool(openings(made))
    if opens:
        _propose(made)
    else:
        put_in_force(made, by, "", mending=True)
    for each in made:
        note(actor, "propose" if opens else "undo", each)
    return made


def _propose(made: Iterable[Revision]) -> None:
    now = timezone.now()
    for each in made:
        if open_revision(each.kind, each.key) is not None:
            raise Conflict(
                _n("It would make something more open and has to wait, but there is a draft: withdraw it first")
            )
        each.state, each.changed = PROPOSED, now
        each.save()


def _later_ones(revision: Revision, place: str) -> list[int]:
    """The numbers of later revisions that changed a place, or something in it."""
    later = Revision.objects.filter(
        kind=revision.kind, key=revision.key, state__in=(RELEASED, REPLACED), released__gt=revision.released
    )
    found = []
    for each in later.order_by("released"):
        old = said_by(before(each), each.kind, each.key)
        if any(_touches(one, place) for one in differences(old, said_by(each, each.kind, each.key))):
            found.append(each.number)
    return found


def _touches(one: Difference, place: str) -> bool:
    return one.place == place or one.place.startswith(f"{place}.") or place.startswith(f"{one.place}.")


def _numbered(revision: Revision, number: int) -> Revision | None:
    if not number:
        return None
    # Never one that was not in force: that would be a release by one person alone.
    known = Revision.objects.filter(kind=revision.kind, key=revision.key, released__isnull=False)
    found = known.filter(number=number).first()
    if found is None:
        raise NotFound(_n("There is no revision %(number)s of it that ever was in force"), number=number)
    return found
