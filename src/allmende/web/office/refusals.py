"""Why something could not be done, in the page's language: what is wrong, where, and what would be right."""

from django.utils.translation import gettext as _

from allmende.domain.errors import AllmendeError, LimitExceeded
from allmende.domain.plain import KINDS
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.knowledge.language import RuleError
from allmende.web.house import open_profile
from allmende.web.office import revisions
from allmende.web.office.files import read
from allmende.web.office.kinds import CITY, ONE
from allmende.web.office.looking import current, open_revision
from allmende.web.office.models import Revision
from allmende.web.office.undoing import Overlaid
from allmende.web.office.words import field_at, name_of, say_place

_KINDS = {table: kind for kind, table in KINDS.items()}


def say_error(error: AllmendeError) -> str:
    """An error's message without its place. What nobody has translated stays English."""
    words = _(error.template) if error.template else ""
    if error.arguments:
        words %= {name: _say_argument(value) for name, value in error.arguments.items()}
    if isinstance(error, LimitExceeded):
        return _("%(words)s (limit: %(setting)s)") % {"words": words, "setting": error.setting}
    return words


def _say_argument(value: object) -> object:
    """What stands in a message; of an error in it, its own message."""
    if isinstance(value, RuleError):
        told = {"line": value.line, "column": value.column, "words": say_error(value)}
        return _("line %(line)s, column %(column)s: %(words)s") % told
    return say_error(value) if isinstance(value, AllmendeError) else value


def refusal(error: AllmendeError) -> str:
    """Why a deed could not be done, with its place where it has one."""
    if isinstance(error, Overlaid):
        return _say_overlaid(error)
    if isinstance(error, ProfileError):
        reason = f"{say_where(error.place, open_profile())}: {say_error(error)}"
        return _("This does not go together with the rest: %(reason)s") % {"reason": reason}
    return say_error(error)


def say_where(place: str, profile: Profile) -> str:
    """A place in the profile as a clerk knows it: ``datasets.weather.title.de`` is “Dataset …”."""
    table, _dot, rest = place.rsplit(": ", 1)[-1].partition(".")
    if table in CITY:
        return f"{CITY[table]}, {say_place(rest, field_at('city', rest))}" if rest else str(CITY[table])
    kind = _KINDS.get(table)
    if kind is None or not rest:
        return place
    key = max(
        (name for name in _names(kind, profile) if rest == name or rest.startswith(f"{name}.")), key=len, default=""
    )
    key = key or rest.partition(".")[0]
    draft = open_revision(kind, key)
    title = name_of(kind, key, draft.body if draft else None, current(kind, key))
    inner = rest[len(key) + 1 :]
    said = _("%(kind)s “%(title)s”") % {"kind": ONE[kind], "title": title}
    return f"{said}, {say_place(inner, field_at(kind, inner))}" if inner else said


def _names(kind: str, profile: Profile) -> list[str]:
    if kind == "thing":
        return [thing.id for thing in profile.things]
    return list(getattr(profile, KINDS[kind], ()))


def _say_overlaid(error: Overlaid) -> str:
    listed = [
        _("%(place)s (by revision %(numbers)s)")
        % {"place": say_place(place, field_at(error.kind, place)), "numbers": ", ".join(map(str, numbers))}
        for place, numbers in error.places.items()
    ]
    return _(
        "This cannot be taken back alone, since it was changed again later: %(places)s. Take the later change back"
        " first, or let a whole earlier revision hold again."
    ) % {"places": "; ".join(listed)}


def warnings_of(waiting: Revision | None) -> list[str]:
    """What whoever releases should know; and, where it no longer goes together with the rest, why."""
    if waiting is None:
        return []
    try:
        return revisions.check(waiting.kind, waiting.key, waiting.said, read(waiting.files), bundle=waiting.bundle)
    except ProfileError as error:
        return [refusal(error)]
    except AllmendeError as error:
        return [say_error(error)]
