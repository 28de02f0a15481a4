"""What the worker and the commands share of the city's rules."""

from collections.abc import Iterable, Mapping
from typing import Any

from allmende.domain.policy import house_reader
from allmende.domain.times import format_instant, from_datetime, to_datetime
from allmende.knowledge.acting import FATES, Deed
from allmende.knowledge.evaluate import Limits
from allmende.web.config import Config

RULES = house_reader("rules")
"""Rules read what they declare: whose author may write the profile may read all of it. Who may see what they give is
decided by its dataset."""
_ENTRY = "rule.task."


def limits_of(config: Config) -> Limits:
    """The operator's bounds of one evaluation."""
    return Limits(readings=config.rule_readings, steps=config.rule_steps)


class AuditJournal:
    """What rules did, and would have done, stands in the audit log: ``rule.task.fired``, ``rule.task.dry``,
    ``rule.task.limited``, ``rule.task.refused``."""

    def lately(self, rule: str, action: str, since: int) -> Mapping[str, int]:
        """How often there was each fate since a time (microseconds)."""
        found = dict.fromkeys(FATES, 0)
        for entry in _entries(rule, action, since).values_list("action", flat=True):
            found[entry.removeprefix(_ENTRY)] += 1
        return found

    def note(self, deed: Deed) -> None:
        """Write down one, in the transaction that is open."""
        from allmende.web.accounts.audit import record

        said = {
            "group": deed.group,
            "time": format_instant(deed.time),
            "version": deed.version,
            "capability": deed.capability,
            "parameters": deed.parameters,
            "task": deed.task,
            "reason": deed.reason,
        }
        detail = {name: value for name, value in said.items() if value not in ("", None)}
        record(RULES.name, f"{_ENTRY}{deed.fate}", _object(deed.rule, deed.action), **detail)


def deeds(rule: str, action: str, since: int, most: int) -> Iterable[dict[str, Any]]:
    """What an action did since a time, the newest first, no more than so many."""
    for entry in _entries(rule, action, since).order_by("-id")[:most]:
        at = format_instant(from_datetime(entry.at))
        yield {"at": at, "fate": entry.action.removeprefix(_ENTRY), **entry.detail}


def _entries(rule: str, action: str, since: int) -> Any:
    from allmende.web.accounts.models import AuditEntry

    entries = [f"{_ENTRY}{fate}" for fate in FATES]
    return AuditEntry.objects.filter(at__gte=to_datetime(since), object=_object(rule, action), action__in=entries)


def _object(rule: str, action: str) -> str:
    return f"rule:{rule}/{action}"[:300]
