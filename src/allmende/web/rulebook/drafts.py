"""A rule as it would be: what was typed, checked over what is in force, and made ready for a look at its past."""

from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.domain.errors import AllmendeError
from allmende.domain.plain import Change
from allmende.domain.policy import Reader
from allmende.domain.profile_checks import ProfileError
from allmende.domain.query import Query
from allmende.domain.rules import InputProfile
from allmende.domain.store import Store
from allmende.knowledge.groups import find_streams
from allmende.knowledge.language import RuleError, parse
from allmende.knowledge.prepare import Rule, prepare_rules
from allmende.web.live import live
from allmende.web.office import revisions
from allmende.web.office.files import read
from allmende.web.office.models import Revision
from allmende.web.office.refusals import refusal, say_error
from allmende.web.rulebook.form import FieldFault, field_of

KIND = "rule"
_MOST_CAPABILITIES = 100


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with what was typed: at a field, and for expressions where in the text."""

    field: str
    message: str
    text: str = ""
    """The line of the expression."""
    column: int = 0
    """Where in it, from 1; 0 where the whole is meant."""

    @property
    def before(self) -> str:
        """The text up to the place."""
        return self.text[: self.column - 1]

    @property
    def there(self) -> str:
        """The word at the place; a mark at the end of the text."""
        rest = self.text[self.column - 1 :]
        word = rest[
            : next((at for at, sign in enumerate(rest) if at and not sign.isalnum() and sign != "_"), len(rest))
        ]
        return word or "…"

    @property
    def after(self) -> str:
        """The text behind it."""
        return self.text[self.column - 1 + len(self.there) :]


def check(key: str, body: Mapping[str, Any]) -> tuple[list[str], list[Fault]]:
    """Warnings, and what is wrong with a rule's table; nothing is saved."""
    try:
        return revisions.check(KIND, key, body), []
    except ProfileError as error:
        return [], [_located(key, body, error)]
    except AllmendeError as error:
        return [], [Fault("", say_error(error))]


def as_faults(faults: list[FieldFault]) -> list[Fault]:
    """What the form could not read."""
    return [Fault(fault.name, fault.message) for fault in faults]


def _located(key: str, body: Mapping[str, Any], error: ProfileError) -> Fault:
    place = revisions.place_in(KIND, key, error.place)
    text, column = _expression(body, place)
    return Fault(field_of(place, body), say_error(error) if place else refusal(error), text, column)


def _expression(body: Mapping[str, Any], place: str) -> tuple[str, int]:
    """The line of an expression that cannot be understood, and the column in it. What is wrong with its meaning (a
    name, a unit) says its place in the message."""
    said: Any = body
    for part in place.replace("[", ".").replace("]", "").split("."):
        if isinstance(said, Mapping):
            said = said.get(part)
        elif isinstance(said, list) and part.isdigit() and int(part) < len(said):
            said = said[int(part)]
        else:
            return "", 0
    if not isinstance(said, str):
        return "", 0
    try:
        parse(said)
    except RuleError as error:
        return (said.split("\n") or [""])[error.line - 1], error.column
    return "", 0


def ready(key: str, body: Mapping[str, Any] | None, files: Mapping[str, bytes] | None = None) -> Rule | None:
    """The rule as it would be with this table; as it is in force where there is none. None where it is wrong or off.

    Raises ProfileError, ConfigurationError.
    """
    plain = live().plain()
    if body is not None:
        plain = plain.under([Change(KIND, key, {**body, "enabled": True}, files or {})])
    profile = plain.parse()
    return next((rule for rule in prepare_rules(profile).rules if rule.id == key), None)


def of_revision(key: str, revision: Revision | None) -> Rule | None:
    """The rule as an open revision has it; as it is in force where there is none."""
    if revision is None or revision.removes:
        return ready(key, None)
    return ready(key, revision.body, read(revision.files))


def count_streams(store: Any, reader: Any, put: Mapping[str, Any]) -> int | None:
    """How many streams an input would read; None where it says none that could be looked for."""
    try:
        profile = msgspec.convert(dict(put), InputProfile)
    except msgspec.ValidationError:
        return None
    if not (profile.streams or profile.property or profile.rule.count(".") == 1):
        return None
    return len(find_streams(store, reader, profile))


def capabilities(store: Store, reader: Reader) -> list[tuple[str, str]]:
    """Ids and names of what tasks can be given to, as far as somebody may see it: to choose from, the first ones."""
    query = Query(entity="TaskingCapability", reader=reader, select=("id", "name"), top=_MOST_CAPABILITIES)
    return [(str(id_), str(name)) for _key, id_, name in store.find(query).rows]
