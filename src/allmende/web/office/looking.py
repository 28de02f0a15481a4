"""Revisions as they are: what is in force, what is open, what was, and what each changes. Nothing is written here."""

from typing import Any

from allmende.domain.plain import Difference, differences, place_of
from allmende.web.live import live
from allmende.web.office.models import OPEN, RELEASED, REPLACED, Revision


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


def place_in(kind: str, key: str, place: str) -> str:
    """A ProfileError's place, inside of a table: ``datasets.x.title.de`` is ``title.de`` of the dataset x; "" where
    the whole table is meant, or another one."""
    path = place.rsplit(": ", 1)[-1]
    head = place_of(kind, key)
    return path[len(head) + 1 :] if path.startswith(f"{head}.") else ""
