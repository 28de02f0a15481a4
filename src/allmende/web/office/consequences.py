"""What a revision means for those who read: who sees which streams before and after, and what becomes more open."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.web.grants.forms import ROLE_TITLES
from allmende.web.grants.grants import holding
from allmende.web.grants.models import Grant
from allmende.web.house import open_profile, open_store
from allmende.web.office.looking import bundled, current
from allmende.web.office.models import Revision
from allmende.web.office.openness import Opening, openings
from allmende.web.office.words import name_of
from allmende.web.portal.sources import spoken

SHOWN_STREAMS = 10
_READER = house_reader("office")
_POLICY = {"access": "open", "public_description": False}


class Audience(NamedTuple):
    """Who may read a dataset's streams, as it is in force and as it would be."""

    dataset: str
    title: str
    streams: int
    names: list[str]
    """Of the first SHOWN_STREAMS."""
    before: list[str]
    after: list[str]
    granting: bool
    """Whether access can be granted to somebody then."""


class Consequences(NamedTuple):
    """Of a revision and its bundle."""

    openings: list[str]
    """What becomes more open, in words."""
    audiences: list[Audience]


def consequences(revision: Revision) -> Consequences:
    """What comes of releasing an open revision."""
    several, profile = bundled(revision), open_profile()
    changed = [each for each in several if each.kind == "dataset" and not each.removes]
    return Consequences(
        [say_opening(one, profile) for one in openings(several)],
        [_audience(each, old) for each in changed if _differs(old := current("dataset", each.key), each.body)],
    )


def say_opening(one: Opening, profile: Profile) -> str:
    """One thing that becomes more open, as a sentence."""
    return _SENTENCES[one.what]() % {
        "name": _title(profile, one.kind, one.key),
        "other": _title(profile, "", one.other),
    }


_SENTENCES: Mapping[str, Callable[[], str]] = {
    "access": lambda: _("“%(name)s” can be read by more people than now."),
    "known": lambda: _("Everybody gets to know that “%(name)s” exists, with its whole description."),
    "counts": lambda: _("Of “%(name)s” smaller counts of people may be told than now."),
    "forgets": lambda: _("Data about people in “%(name)s” are kept longer than now, or without an end."),
    "moved": lambda: _("What “%(name)s” gives lies in a more open dataset from now on than “%(other)s” was."),
    "opens": lambda: _("The rule “%(name)s” shows what it makes of “%(other)s”, which is not open."),
    "suppress": lambda: _("The rule “%(name)s” tells smaller counts of people than now, or rounds them less."),
}


def _title(profile: Profile, kind: str, key: str) -> str:
    if kind:
        return name_of(kind, key, current(kind, key))
    dataset = profile.datasets.get(key)
    return (spoken(dataset.title) if dataset else "") or key


def _differs(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    """Whether a policy is set or changed; a new dataset that is open is as everybody expects."""
    return any((old or {}).get(name, usual) != new.get(name, usual) for name, usual in _POLICY.items())


def _audience(revision: Revision, old: Mapping[str, Any] | None) -> Audience:
    store, key = open_store(), revision.key
    streams = store.streams(_READER, key, top=SHOWN_STREAMS)
    figures = store.figures(_READER).get(key)
    grants = list(holding().filter(dataset=key).select_related("organisation"))
    return Audience(
        dataset=key,
        title=name_of("dataset", key, revision.body),
        streams=figures.streams if figures else 0,
        names=[each.name or each.id for each in streams],
        before=readers(old, grants) if old is not None else [],
        after=readers(revision.body, grants),
        granting=revision.body.get("access", "open") != "open",
    )


def readers(body: Mapping[str, Any], grants: Iterable[Grant]) -> list[str]:
    """Who may read a dataset's streams, in words; the grants are those that hold."""
    access = body.get("access", "open")
    if access == "open":
        return [_("everybody, without an account")]
    said = [_("administrators of this house")] if access == "restricted" else []
    listed = list(grants)
    if access == "restricted":
        said += [_granted(each) for each in listed if each.user_id is None]
    persons = len({each.user_id for each in listed if each.user_id is not None})
    if persons:
        said.append(ngettext("%(n)d person by name", "%(n)d persons by name", persons) % {"n": persons})
    if body.get("public_description"):
        said.append(_("everybody gets to know that it exists, and nothing of its values"))
    return said or [_("nobody")]


def _granted(grant: Grant) -> str:
    name = " ".join(
        str(part) for part in (grant.organisation, ROLE_TITLES.get(grant.role, "") if grant.role else "") if part
    )
    return _("%(name)s, until %(day)s, for: %(purpose)s") % {
        "name": name,
        "day": date_format(grant.until, "SHORT_DATE_FORMAT"),
        "purpose": grant.purpose,
    }
