"""What a rule may set going: a Task for a thing's TaskingCapability. ``[rules.NAME.actions.X]``, read and checked for
its shape; errors name file and key."""

from typing import Any

import msgspec

from allmende.domain.profile_checks import ProfileError, check_duration
from allmende.domain.tables import convert, tables

EXPRESSION = "expression"
"""A table with this key alone stands for what the expression gives."""


class ActionProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action of a rule."""

    capability: str
    """The id of a TaskingCapability, with ``{stream}``, ``{thing}`` or ``{group}``."""
    when: str
    """An expression over the rule's values."""
    parameters: dict[str, Any] = {}
    """The task's parameters: constants, and ``{ expression = "…" }``."""
    each: bool = False
    """Whether it fires with each value for which ``when`` is true, or where it becomes true alone."""
    dry_run: bool = True
    """Whether it is only noted what would have been."""
    limit: int = 6
    """Tasks within an hour, for all groups of the rule together."""
    age: str = "PT15M"
    """How far a value may be from the present; what is further fires nothing."""


def read_actions(value: object, place: str) -> dict[str, ActionProfile]:
    """The actions of a rule by their ids. Raises ProfileError."""
    found: dict[str, ActionProfile] = {}
    for key, body in tables(value, place).items():
        at = f"{place}.{key}"
        action = convert(body, ActionProfile, at)
        for name in ("capability", "when"):
            if not getattr(action, name).strip():
                raise ProfileError(f"{at}.{name}", "is empty")
        if action.limit < 1:
            raise ProfileError(f"{at}.limit", "is how many tasks within an hour, 1 or more; to have none, dry_run")
        check_duration(action.age, f"{at}.age")
        found[key] = action
    return found
